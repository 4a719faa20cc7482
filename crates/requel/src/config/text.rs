//! The settings of a TOML text, each with its place.

use toml::Value;
use toml::de::{DeTable, DeValue, Error};

use super::values::{number_in, plain};
use super::{ConfigError, KEYS, Place};

/// One value in a text.
pub(super) struct Leaf {
    /// Dotted path of its key.
    pub path: String,
    /// The value, or why it is invalid, as the rest of a sentence that starts with the key.
    pub value: Result<Value, String>,
    /// Where it was set.
    pub place: Place,
}

/// All values of a text in order: everything except tables, plus empty tables that are not sections.
pub(super) fn leaves(source: &str, text: &str) -> Result<Vec<Leaf>, ConfigError> {
    let table = DeTable::parse(text).map_err(|error| syntax(source, text, &error))?;
    let mut found = Vec::new();
    collect("", table.get_ref(), &mut found);
    found.sort_by_key(|(offset, ..)| *offset);
    let leaf = |(offset, path, value)| Leaf { path, value, place: Place::at(source, text, offset) };
    Ok(found.into_iter().map(leaf).collect())
}

/// Whether this is the path of a section.
pub(super) fn is_section(path: &str) -> bool {
    path == "env.options" || has_keys(path)
}

/// Whether keys are declared below this path.
pub(crate) fn has_keys(path: &str) -> bool {
    KEYS.iter().any(|key| key.path.strip_prefix(path).is_some_and(|rest| rest.starts_with('.')))
}

fn collect(prefix: &str, table: &DeTable<'_>, found: &mut Vec<(usize, String, Result<Value, String>)>) {
    for (key, value) in table {
        let name = key.get_ref();
        let path = if prefix.is_empty() { name.to_string() } else { format!("{prefix}.{name}") };
        let value = match value.get_ref() {
            DeValue::Table(inner) if !inner.is_empty() || is_section(&path) => {
                collect(&path, inner, found);
                continue;
            }
            DeValue::Array(items) if is_section(&path) && items.iter().all(|item| item.get_ref().is_table()) => {
                Err(format!("is a section, not a list: write `[{path}]`, not `[[{path}]]`"))
            }
            _ if is_section(&path) => Err(format!("is a section: write `[{path}]`, and its keys below it")),
            value => plain(value),
        };
        found.push((key.span().start, path, value));
    }
}

fn syntax(source: &str, text: &str, error: &Error) -> ConfigError {
    let place = Place::at(source, text, error.span().map_or(0, |span| span.start));
    let help = place.line.as_ref().and_then(|(_, line)| slip(line));
    let reason = match help {
        Some(help) => format!("invalid TOML: {help}"),
        None => error.message().trim().to_owned(),
    };
    ConfigError::Syntax { reason, place }
}

/// How to write what a line that is not TOML probably means.
fn slip(line: &str) -> Option<String> {
    let (_, value) = line.split_once('=')?;
    let value = value.split('#').next().unwrap_or_default().trim();
    match value {
        "True" | "TRUE" => return Some("write true".into()),
        "False" | "FALSE" => return Some("write false".into()),
        "None" | "null" | "nil" | "~" => return Some("to leave a key unset, remove its line".into()),
        _ => {}
    }
    if let Some(help) = number_in(value, false).filter(|help| !help.ends_with("quotes")) {
        return Some(help);
    }
    let is_word =
        value.starts_with(char::is_alphabetic) && value.chars().all(|c| c.is_alphanumeric() || "-_/".contains(c));
    is_word.then(|| format!("put text in quotes: \"{value}\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Layers;

    #[test]
    fn a_place_is_found_at_the_end_of_a_text_without_a_line_break() {
        let error = Layers::new().text("f", "\n\n[agent").unwrap_err();
        assert!(
            matches!(&error, ConfigError::Syntax { place: Place { line: Some((3, text)), .. }, .. } if text == "[agent")
        );
    }

    #[test]
    fn the_first_mistake_of_a_text_is_reported() {
        let error = Layers::new().text("f", "[train]\nsed = 1\n[agent]\ngama = 2\n").unwrap_err();
        assert!(error.to_string().contains("train.sed"), "{error}");
    }

    #[test]
    fn mistakes_that_are_not_toml_get_help() {
        let table = [
            ("gamma = 0,95", "use a decimal point: 0.95"),
            ("gamma = .99 # usual", "write 0.99"),
            ("double = True", "write true"),
            ("kind = dqn", "put text in quotes: \"dqn\""),
            ("gamma = None", "remove its line"),
        ];
        for (line, help) in table {
            let error = Layers::new().text("f", &format!("[agent]\n{line}\n")).unwrap_err();
            assert!(error.to_string().contains(help), "{line}: {error}");
            assert!(error.to_string().contains("f, line 2"), "{line}: {error}");
        }
    }

    #[test]
    fn a_number_too_large_for_toml_is_reported_with_its_line() {
        let text = format!("[agent]\ngamma = 0.9\n[train]\nenv_steps = {}\n", "9".repeat(20));
        let error = Layers::new().text("f", &text).unwrap_err();
        assert!(
            matches!(&error, ConfigError::InvalidValue { key, place: Place { line: Some((4, _)), .. }, .. } if key == "train.env_steps"),
            "{error}"
        );
        assert!(error.to_string().contains("not between -9223372036854775808 and 9223372036854775807"), "{error}");
    }

    #[test]
    fn a_section_is_no_list_and_no_value() {
        for (text, help) in [
            ("[[agent]]\ngamma = 0.9", "write `[agent]`, not `[[agent]]`"),
            ("train = 3", "write `[train]`, and its keys below it"),
            ("agent = 1979-05-27", "write `[agent]`, and its keys below it"),
            ("[env]\noptions = 3", "write `[env.options]`, and its keys below it"),
        ] {
            let error = Layers::new().text("f", text).unwrap_err().to_string();
            assert!(error.contains(help), "{text}: {error}");
        }
    }
}
