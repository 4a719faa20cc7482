//! Settings as files of studies and searches list them: `set = ["section.key=value", …]`.

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
