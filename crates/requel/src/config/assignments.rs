//! The settings in files of studies and searches: `set = ["section.key=value", …]`, `preset = …`, `algo = …`.

use toml::de::DeValue;

use super::{ConfigError, Key, Layers, Place};

/// Checks each setting of a list by itself: whether it is valid, whether its key is known, and whether the key accepts its value. `place`
/// turns an offset in the text into a place.
///
/// # Errors
/// The first error, with its line.
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

/// Checks that the preset exists, if one is named.
///
/// # Errors
/// If it does not.
pub(crate) fn check_preset(name: Option<&str>) -> Result<(), ConfigError> {
    name.map_or(Ok(()), |name| Layers::new().preset(name).map(drop))
}

/// The same for an algorithm.
///
/// # Errors
/// If it does not.
pub(crate) fn check_algorithm(name: Option<&str>) -> Result<(), ConfigError> {
    name.map_or(Ok(()), |name| Layers::new().algorithm(name).map(drop))
}
