//! The type of value that a key accepts.

use toml::Value;

use super::Range;

/// The type of a key's value, in TOML terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueType {
    /// `true` or `false`.
    Switch,
    /// A whole number from 0.
    Whole {
        /// The maximum.
        most: u64,
    },
    /// A number, whole or not.
    Number,
    /// Text.
    Text,
    /// One of these words.
    Word(&'static [Word]),
    /// A list of values of one type.
    List(&'static ValueType),
    /// A fixed number of values of one type, each with a name.
    Tuple {
        /// The names.
        names: &'static [&'static str],
        /// Their type.
        of: &'static ValueType,
    },
    /// A value of one of these types.
    Either(&'static [ValueType]),
}

/// A word that a key accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word {
    /// Its spelling.
    pub word: &'static str,
    /// Its meaning.
    pub meaning: &'static str,
}

/// A type that a key of a config can have.
pub(in crate::config) trait KeyValue {
    /// The type in TOML terms.
    const TYPE: ValueType;

    /// Checks the numbers of a value as they are used.
    ///
    /// # Errors
    /// What is wrong with the first number that is out of range, as the rest of a sentence that starts with the key.
    fn check(&self, range: Range) -> Result<(), String>;
}

impl ValueType {
    /// Whether a value has this type. Whole numbers are numbers too.
    pub fn takes(&self, value: &Value) -> bool {
        match (self, value) {
            (ValueType::Switch, Value::Boolean(_)) | (ValueType::Text, Value::String(_)) => true,
            (ValueType::Number, Value::Integer(_) | Value::Float(_)) => true,
            (ValueType::Whole { most }, Value::Integer(number)) => u64::try_from(*number).is_ok_and(|n| n <= *most),
            (ValueType::Word(words), Value::String(text)) => words.iter().any(|word| word.word == text),
            (ValueType::List(of), Value::Array(items)) => items.iter().all(|item| of.takes(item)),
            (ValueType::Tuple { names, of }, Value::Array(items)) => {
                items.len() == names.len() && items.iter().all(|item| of.takes(item))
            }
            (ValueType::Either(types), value) => types.iter().any(|one| one.takes(value)),
            _ => false,
        }
    }

    /// All the words that it accepts.
    pub fn choices(&self) -> Vec<Word> {
        match self {
            ValueType::Word(words) => words.to_vec(),
            ValueType::Either(types) => types.iter().flat_map(ValueType::choices).collect(),
            _ => Vec::new(),
        }
    }

    /// What it accepts, such as `off | auto | [low, high]`, if that is more than a type.
    pub(in crate::config) fn words(&self) -> Option<String> {
        let short = |one: &ValueType| match one {
            ValueType::Switch => "true | false".into(),
            ValueType::Whole { .. } | ValueType::Number => "number".into(),
            ValueType::Text => "text".into(),
            ValueType::List(_) => "list".into(),
            ValueType::Tuple { names, .. } => format!("[{}]", names.join(", ")),
            one => one.words().unwrap_or_default(),
        };
        match self {
            ValueType::Word(words) => Some(words.iter().map(|word| word.word).collect::<Vec<_>>().join(" | ")),
            // If numbers are accepted too, a word is an exception, and the meaning explains it.
            ValueType::Either(types) if types.contains(&ValueType::Number) => None,
            ValueType::Either(types) => Some(types.iter().map(short).collect::<Vec<_>>().join(" | ")),
            _ => None,
        }
    }

    /// What it accepts, as part of a sentence.
    pub(in crate::config) fn described(&self) -> String {
        any_of(&self.alternatives())
    }

    fn alternatives(&self) -> Vec<String> {
        match self {
            ValueType::Switch => vec!["true".into(), "false".into()],
            ValueType::Whole { .. } => vec!["a whole number from 0".into()],
            ValueType::Number => vec!["a number".into()],
            ValueType::Text => vec!["text in quotes".into()],
            ValueType::Word(words) => words.iter().map(|word| word.word.to_owned()).collect(),
            ValueType::List(ValueType::Whole { .. }) => {
                vec!["a list of whole numbers, such as [64, 64]".into()]
            }
            ValueType::List(of) => vec![format!("a list of {}, such as [[16, 3, 1]]", of.described())],
            ValueType::Tuple { names, .. } => vec![format!("[{}]", names.join(", "))],
            ValueType::Either(types) => types.iter().flat_map(ValueType::alternatives).collect(),
        }
    }
}

/// Alternatives as part of a sentence: `a`, `a or b`, `a, b or c`.
fn any_of(possibilities: &[String]) -> String {
    match possibilities {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

macro_rules! whole {
    ($($Type:ty),+) => {
        $(impl KeyValue for $Type {
            const TYPE: ValueType = ValueType::Whole { most: <$Type>::MAX as u64 };

            fn check(&self, range: Range) -> Result<(), String> {
                range.check_whole(*self as u64)
            }
        })+
    };
}

whole!(u32, u64, usize);

impl KeyValue for bool {
    const TYPE: ValueType = ValueType::Switch;

    fn check(&self, _: Range) -> Result<(), String> {
        Ok(())
    }
}

impl KeyValue for String {
    const TYPE: ValueType = ValueType::Text;

    fn check(&self, _: Range) -> Result<(), String> {
        Ok(())
    }
}

impl KeyValue for f64 {
    const TYPE: ValueType = ValueType::Number;

    fn check(&self, range: Range) -> Result<(), String> {
        range.check(*self)
    }
}

impl<T: KeyValue> KeyValue for Option<T> {
    const TYPE: ValueType = T::TYPE;

    fn check(&self, range: Range) -> Result<(), String> {
        self.iter().try_for_each(|value| value.check(range))
    }
}

impl KeyValue for Vec<usize> {
    const TYPE: ValueType = ValueType::List(&usize::TYPE);

    fn check(&self, range: Range) -> Result<(), String> {
        self.iter().try_for_each(|number| number.check(range).map_err(|reason| format!("has a number that {reason}")))
    }
}

/// Convolutions.
impl KeyValue for Vec<[usize; 3]> {
    const TYPE: ValueType =
        ValueType::List(&ValueType::Tuple { names: &["channels", "kernel", "stride"], of: &usize::TYPE });

    fn check(&self, range: Range) -> Result<(), String> {
        let numbers = self.iter().flatten();
        numbers.copied().try_for_each(|n| n.check(range).map_err(|reason| format!("has a number that {reason}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, KEYS, values};

    /// Whether a config with this value can be read.
    fn is_read(key: &str, value: &Value) -> bool {
        let mut table = values::defaults();
        values::assign(&mut table, key, value.clone());
        table.try_into::<Config>().is_ok()
    }

    #[test]
    fn a_declared_type_takes_what_is_read() {
        let number = [Value::Float(0.5), Value::Float(f64::NAN), Value::Integer(1), Value::Integer(-1)];
        let lists = [vec![], vec![1], vec![-1], vec![1, 2], vec![1, 2, 3]]
            .map(|numbers| Value::Array(numbers.into_iter().map(Value::Integer).collect()));
        let nested = [1, 3].map(|len| Value::Array(vec![Value::Array(vec![Value::Integer(2); len])]));
        let floats = Value::Array(vec![Value::Float(0.5); 2]);
        let others = [Value::Boolean(true), Value::Integer(5_000_000_000), Value::String("xyzzy".into()), floats];
        let words = KEYS.iter().flat_map(|key| key.value_type.choices()).map(|word| Value::String(word.word.into()));
        let values: Vec<Value> = number.into_iter().chain(lists).chain(nested).chain(others).chain(words).collect();
        for key in KEYS {
            for value in &values {
                assert_eq!(key.value_type.takes(value), is_read(key.path, value), "{} = {value}", key.path);
            }
        }
    }

    #[test]
    fn possibilities_are_listed() {
        let listed = |words: &[&str]| any_of(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
        assert_eq!((listed(&[]), listed(&["a"])), (String::new(), "a".into()));
        assert_eq!((listed(&["a", "b"]), listed(&["a", "b", "c"])), ("a or b".into(), "a, b or c".into()));
    }
}
