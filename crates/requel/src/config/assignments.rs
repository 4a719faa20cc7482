//! What files of studies and searches say of a training: `set = ["section.key=value", …]`, `preset = …`, `algo = …`.

use toml::de::DeValue;

use super::{ConfigError, Key, Layers, Place};

/// Looks at each setting of a list by itself: whether it is one, whether its key is known, and whether the key takes its value.
/// `place` says where an offset of the text is.
///
/// # Errors
/// The first that is wrong, with its line.
pub(crate) fn check_assignments(list: &DeValue<'_>, place: impl Fn(usize) -> Place) -> Result<(), ConfigError> {
    let DeValue::Array(items) = list else { return Ok(()) };
    for item in items {
        let DeValue::String(assignment) = item.get_ref() else { continue };
        let place = place(item.span().start);
        let layers = Layers::new().set_at(place.clone(), assignment)?;
        let fault = layers.settings().find_map(|(key, value)| Some((key, Key::of(key)?.fault(value)?)));
        if let Some((key, reason)) = fault {
            return Err(ConfigError::InvalidValue { key: key.into(), reason, place });
        }
    }
    Ok(())
}

/// Looks whether there is such a preset, where one is named.
///
/// # Errors
/// If there is not.
pub(crate) fn check_preset(name: Option<&str>) -> Result<(), ConfigError> {
    name.map_or(Ok(()), |name| Layers::new().preset(name).map(drop))
}

/// The same of an algorithm.
///
/// # Errors
/// If there is not.
pub(crate) fn check_algorithm(name: Option<&str>) -> Result<(), ConfigError> {
    name.map_or(Ok(()), |name| Layers::new().algorithm(name).map(drop))
}
