//! Values of keys, and the errors of values of the wrong type.

use std::sync::LazyLock;

use toml::Value;
use toml::de::DeValue;

use super::error::shortened;
use super::{Config, KEYS, Key, ValueType};
use crate::suggest::nearest;

/// Maximum length of the part of a value that is shown, characters.
const SHOWN: usize = 60;

/// The value of a parsed text.
///
/// # Errors
/// If it is a number that no key accepts; the message is the rest of a sentence that starts with the key.
pub(super) fn plain(value: &DeValue<'_>) -> Result<Value, String> {
    Ok(match value {
        DeValue::String(text) => Value::String(text.to_string()),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => Value::Integer(number),
            Err(_) => {
                let digits = shortened(number.as_str(), 24);
                return Err(format!("is {digits}, not between {} and {}", i64::MIN, i64::MAX));
            }
        },
        DeValue::Float(number) => match number.as_str().parse() {
            Ok(number) => Value::Float(number),
            Err(_) => return Err(format!("is {}, which is not a number", shortened(number.as_str(), SHOWN))),
        },
        DeValue::Boolean(switch) => Value::Boolean(*switch),
        DeValue::Datetime(date) => Value::Datetime(*date),
        DeValue::Array(items) => {
            Value::Array(items.iter().map(|item| plain(item.get_ref())).collect::<Result<_, _>>()?)
        }
        DeValue::Table(table) => {
            let entry = |(key, value): (&toml::Spanned<_>, &toml::Spanned<DeValue<'_>>)| {
                let key: &std::borrow::Cow<'_, str> = key.get_ref();
                Ok((key.to_string(), plain(value.get_ref())?))
            };
            Value::Table(table.iter().map(entry).collect::<Result<_, String>>()?)
        }
    })
}

/// The value in the form that `key` needs. A float without a fraction is accepted as a whole number, because people write a million as 1e6.
///
/// # Errors
/// If the key does not accept it, with what it accepts; the message is the rest of a sentence that starts with the key.
pub(super) fn fit(key: &str, value: Value) -> Result<Value, String> {
    let is_option = key.starts_with("env.options.");
    if !is_date(&value) && (is_option || fits(key, &value)) {
        return Ok(value);
    }
    match value {
        Value::Float(f) if f.fract() == 0.0 && f.abs() < 9e15 && fits(key, &Value::Integer(f as i64)) => {
            Ok(Value::Integer(f as i64))
        }
        value => Err(refusal(key, &value)),
    }
}

/// Whether a key accepts a value.
fn fits(key: &str, value: &Value) -> bool {
    Key::of(key).is_some_and(|key| key.value_type.takes(value))
}

fn is_date(value: &Value) -> bool {
    match value {
        Value::Datetime(_) => true,
        Value::Array(items) => items.iter().any(is_date),
        _ => false,
    }
}

/// The value as shown in messages: numbers with an exponent, and only the start of a long one.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::Float(number) => super::declare::number(*number),
        value => shortened(&value.to_string(), SHOWN),
    }
}

fn refusal(key: &str, value: &Value) -> String {
    let date = if matches!(value, Value::Datetime(_)) { "the date " } else { "" };
    let (wanted, help) = match Key::of(key) {
        Some(key) => (key.value_type.described(), help(&key.value_type, value)),
        // An option of an environment, whose type only the environment knows.
        None => ("true or false, a number, text, or a list of strings".into(), None),
    };
    let help = help.map(|help| format!("; {help}")).unwrap_or_default();
    format!("cannot be {date}{}: it takes {wanted}{help}", shown(value))
}

/// How to write what was probably meant.
fn help(wanted: &ValueType, value: &Value) -> Option<String> {
    let text = value.as_str().map(str::trim);
    match wanted {
        ValueType::Word(words) => {
            let name = text?.to_lowercase();
            nearest(&name, words.iter().map(|word| word.word)).map(|near| format!("did you mean {near}?"))
        }
        ValueType::Switch => match value.to_string().trim_matches('"').to_lowercase().as_str() {
            "true" | "yes" | "on" | "1" => Some("write true".into()),
            "false" | "no" | "off" | "0" => Some("write false".into()),
            _ => None,
        },
        ValueType::Whole { .. } => number_in(text?, true),
        ValueType::Number => number_in(text?, false),
        ValueType::List(ValueType::Whole { .. }) => list_in(&value.to_string()).map(|list| format!("write {list}")),
        ValueType::Either(types) => types.iter().find_map(|one| help(one, value)),
        ValueType::Text | ValueType::List(_) | ValueType::Tuple { .. } => None,
    }
}

/// How to write the number that a text means.
pub(super) fn number_in(text: &str, is_count: bool) -> Option<String> {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if let Some((whole, rest)) = text.split_once(',')
        && digits(whole.trim_start_matches(['-', '+']))
        && rest.split(',').all(digits)
    {
        return Some(match is_count {
            true => format!("write {}", text.replace(',', "")),
            false => format!("use a decimal point: {}", text.replace(',', ".")),
        });
    }
    for (unit, factor) in [("k", 3), ("K", 3), ("m", 6), ("M", 6)] {
        if let Some(number) = text.strip_suffix(unit).filter(|number| digits(number)) {
            return Some(format!("write {number}e{factor}"));
        }
    }
    let number: f64 = text.parse().ok()?;
    Some(match text.trim_start_matches(['-', '+']) {
        _ if !number.is_finite() => return None,
        bare if bare.starts_with('.') => format!("write {}0{bare}", if number < 0.0 { "-" } else { "" }),
        bare if bare.ends_with('.') => format!("write {text}0"),
        _ => format!("write {text} without quotes"),
    })
}

/// The list of whole numbers that a text means.
fn list_in(text: &str) -> Option<String> {
    let inner = text.trim_matches(|c| "\"'()[] ".contains(c)).trim_end_matches(',');
    let parts: Vec<&str> = inner.split([',', ' ', 'x']).filter(|part| !part.is_empty()).collect();
    let whole = !parts.is_empty() && parts.iter().all(|part| part.parse::<usize>().is_ok());
    whole.then(|| format!("[{}]", parts.join(", ")))
}

/// The default config as a table, without the keys that are absent by default.
pub(super) fn defaults() -> toml::Table {
    toml::Table::try_from(Config::default()).expect("the default config is TOML")
}

/// Whether a complete config may lack this key, because it is absent by default.
pub(super) fn may_be_absent(key: &str) -> bool {
    static ABSENT: LazyLock<Vec<&str>> =
        LazyLock::new(|| KEYS.iter().filter(|key| key.default().is_none()).map(|key| key.path).collect());
    ABSENT.contains(&key)
}

/// The value at a dotted path.
pub(super) fn assigned<'a>(table: &'a toml::Table, path: &str) -> Option<&'a Value> {
    match path.split_once('.') {
        None => table.get(path),
        Some((head, rest)) => assigned(table.get(head)?.as_table()?, rest),
    }
}

/// Sets the value at a dotted path.
pub(super) fn assign(table: &mut toml::Table, path: &str, value: Value) {
    match path.split_once('.') {
        None => {
            table.insert(path.into(), value);
        }
        Some((head, rest)) => {
            let entry = table.entry(head).or_insert_with(|| Value::Table(toml::Table::new()));
            if let Value::Table(inner) = entry {
                assign(inner, rest, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Layers;

    #[test]
    fn what_people_write_in_place_of_toml_gets_help() {
        let table = [
            ("agent.gamma=0,95", "use a decimal point: 0.95"),
            ("agent.gamma=.99", "write 0.99"),
            ("agent.gamma=-.5", "write -0.5"),
            ("agent.gamma=1.", "write 1.0"),
            ("agent.gamma=\"0.9\"", "write 0.9 without quotes"),
            ("agent.double=True", "write true"),
            ("agent.double=1", "write true"),
            ("agent.double=No", "write false"),
            ("network.hidden=64,64", "write [64, 64]"),
            ("network.hidden=64", "write [64]"),
            ("network.hidden=(256, 256)", "write [256, 256]"),
            ("network.hidden=64x64", "write [64, 64]"),
            ("replay.capacity=50,000", "write 50000"),
            ("train.env_steps=50k", "write 50e3"),
            ("agent.kind=DQN", "did you mean dqn?"),
            ("agent.kind=dqnn", "did you mean dqn?"),
            ("agent.value_clip=sometimes", "it takes off, auto or [low, high]"),
            ("head.v_min=low", "it takes a number or auto"),
            ("train.env_steps=1.5", "it takes a whole number from 0"),
            ("train.seed=-1", "it takes a whole number from 0"),
            ("network.conv=3", "such as [[16, 3, 1]]"),
            ("env.id=7", "it takes text in quotes"),
            ("env.id=1979-05-27", "cannot be the date 1979-05-27"),
            ("agent.gamma=1979-05-27", "cannot be the date 1979-05-27"),
            ("env.options.x=1979-05-27", "cannot be the date 1979-05-27"),
        ];
        for (setting, help) in table {
            let error = Layers::new().set(setting).expect_err(setting).to_string();
            assert!(error.contains(help), "{setting}: {error}");
        }
    }

    #[test]
    fn no_message_speaks_rust_or_counts_hundreds_of_digits() {
        let long = "9".repeat(400);
        let wrong =
            ["1.5", "-1", "true", "[1]", "[\"a\"]", "xyzzy", "\"\"", "1979-05-27", "{ a = 1 }", "1e300", "1e-320"];
        for key in KEYS {
            for value in wrong.iter().copied().chain([long.as_str()]) {
                let setting = format!("{}={value}", key.path);
                let refused = Layers::new().set(&setting).and_then(|layers| layers.resolve());
                let Err(error) = refused else { continue };
                let said = error.to_string();
                for word in
                    ["f64", "u64", "i64", "i128", "usize", "u32", "sequence", "variant", "invalid type", "expected"]
                {
                    assert!(!said.contains(word), "{setting}: {said}");
                }
                assert!(said.len() < 300, "{setting}: {said}");
            }
        }
    }
}
