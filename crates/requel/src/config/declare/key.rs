//! [`Key`], the declaration of one setting.

use std::borrow::Cow;

use toml::Value;

use super::{Range, Tuning, ValueType};
use crate::config::values::{assigned, defaults, fit};

/// A key that a config file or `--set` can set.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Key {
    /// Dotted path, such as `replay.capacity`.
    pub path: &'static str,
    /// Its meaning: one line, starting with a capital and without a full stop.
    pub meaning: &'static str,
    /// More about it, a paragraph of Markdown; may be empty.
    pub detail: &'static str,
    /// The type of its value.
    pub value_type: ValueType,
    /// Which values of this type it accepts.
    pub range: Range,
    /// The unit of its number.
    pub unit: Option<&'static str>,
    /// Whether a run can be resumed with another value.
    pub may_change: bool,
    /// What a search over settings tries by default; `None`: nothing.
    pub tuning: Option<Tuning>,
}

/// The keys of one section, in the order of the file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Section {
    /// The prefix of their paths; empty for keys before all sections.
    pub name: &'static str,
    /// What the section is about.
    pub about: &'static str,
    /// The keys.
    pub keys: &'static [Key],
}

impl Key {
    /// The key with this path.
    pub fn of(path: &str) -> Option<&'static Key> {
        crate::config::KEYS.iter().find(|key| key.path == path)
    }

    /// The last part of the path.
    pub fn name(&self) -> &'static str {
        self.path.rsplit('.').next().unwrap_or(self.path)
    }

    /// Its default value; `None` if it is absent by default.
    pub fn default(&self) -> Option<Value> {
        assigned(&defaults(), self.path).cloned()
    }

    /// What is wrong with a value of this key by itself (its type and its range), as the rest of a sentence that starts with the key.
    pub fn fault(&self, value: &Value) -> Option<String> {
        let value = match fit(self.path, value.clone()) {
            Ok(value) => value,
            Err(reason) => return Some(reason),
        };
        match value {
            Value::Integer(number) => {
                u64::try_from(number).ok().and_then(|number| self.range.check_whole(number).err())
            }
            Value::Float(number) => self.range.check(number).err(),
            _ => None,
        }
    }

    /// One line for users: the words that it accepts, its meaning, range and unit, such as `discount factor, 0 to 1 [per environment
    /// step]`.
    pub fn help(&self) -> String {
        let words = self.value_type.words().map(|words| format!("{words}: ")).unwrap_or_default();
        let range = match self.range {
            Range::Share | Range::Decay => format!(", {}", self.range),
            _ => String::new(),
        };
        let unit = match self.unit {
            Some(unit) if !self.meaning.contains(unit) => format!(" [{unit}]"),
            _ => String::new(),
        };
        format!("{words}{}{range}{unit}", uncapitalised(self.meaning))
    }
}

/// The text as it continues within a line: names such as `RMSProp` keep their capitals.
fn uncapitalised(text: &str) -> Cow<'_, str> {
    let mut letters = text.chars();
    match (letters.next(), letters.next()) {
        (Some(first), Some(second)) if first.is_ascii_uppercase() && !second.is_ascii_uppercase() => {
            Cow::Owned(format!("{}{}", first.to_ascii_lowercase(), &text[1..]))
        }
        _ => Cow::Borrowed(text),
    }
}

/// A line of documentation as a meaning: without surrounding blanks and without its full stop.
pub(in crate::config) const fn meaning(line: &'static str) -> &'static str {
    let line = line.trim_ascii();
    match line.as_bytes() {
        [.., b'.'] => line.split_at(line.len() - 1).0,
        _ => line,
    }
}

/// All keys of some sections, one after the other; `N` is [`count`] of the same sections.
pub(in crate::config) const fn joined<const N: usize>(sections: &[Section]) -> [Key; N] {
    let mut keys = [sections[0].keys[0]; N];
    let (mut section, mut at) = (0, 0);
    while section < sections.len() {
        let mut key = 0;
        while key < sections[section].keys.len() {
            keys[at] = sections[section].keys[key];
            (at, key) = (at + 1, key + 1);
        }
        section += 1;
    }
    keys
}

/// How many keys some sections have.
pub(in crate::config) const fn count(sections: &[Section]) -> usize {
    let (mut section, mut count) = (0, 0);
    while section < sections.len() {
        count += sections[section].keys.len();
        section += 1;
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::KEYS;

    #[test]
    fn help_is_one_line_with_words_range_and_unit() {
        let table = [
            ("agent.gamma", "discount factor, 0 to 1 [per environment step]"),
            ("agent.kind", "naive | dqn | pqn: agent to train"),
            ("optimizer.momentum", "RMSProp: momentum (0: none), 0 to below 1"),
            ("log.long_episode_steps", "report an episode once it exceeds this many environment steps (0: never)"),
        ];
        for (path, help) in table {
            assert_eq!(Key::of(path).unwrap().help(), help);
        }
    }

    #[test]
    fn meanings_are_lines_that_fit() {
        for key in KEYS {
            let begins = key.meaning.starts_with(|first: char| first.is_ascii_uppercase());
            assert!(begins && !key.meaning.ends_with('.') && key.help().is_ascii(), "{}: {}", key.path, key.meaning);
            assert!(key.help().len() <= 120, "{}: {}", key.path, key.help());
        }
    }

    #[test]
    fn what_is_absent_has_no_default() {
        assert_eq!(Key::of("agent.gamma").unwrap().default(), Some(Value::Float(0.99)));
        assert_eq!(Key::of("evaluation.stop_return").unwrap().default(), None);
        assert_eq!(Key::of("preset").unwrap().default(), Some(Value::String("default".into())));
        assert_eq!(Key::of("agent").map(|key| key.path), None);
    }
}
