//! [`Tuning`], the values of a key that a search over settings tries.

/// The values of a key that a search over settings tries by default, and in which training runs. These are sensible ranges, not limits: the
/// values that a key accepts are its [`Range`](super::Range).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tuning {
    /// The values; a choice is given as TOML.
    pub domain: Domain<&'static [&'static str]>,
    /// Conditions on the training run under which the key has a meaning; all must hold.
    pub when: &'static [Condition],
}

/// Values to try. They are mapped to 0 … 1, with intervals of equal width equally likely. `C` is the representation of a choice.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
#[serde(untagged)]
pub enum Domain<C = Vec<toml::Value>> {
    /// Numbers in an interval, with about four digits.
    Number {
        /// The least.
        low: f64,
        /// The greatest.
        high: f64,
        /// How they are spread.
        scale: Scale,
    },
    /// Whole numbers in an interval.
    Whole {
        /// The least.
        low: u64,
        /// The greatest.
        high: u64,
        /// How they are spread.
        scale: Scale,
    },
    /// One of these.
    OneOf(C),
}

/// How the values of an interval are spread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scale {
    /// Uniformly.
    Linear,
    /// Uniformly in the logarithm.
    Log,
    /// Uniformly in the logarithm of 1/(1 − x), which is the horizon of a discount factor.
    Horizon,
}

/// A condition on a training run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// This key has this value.
    Is(&'static str, &'static str),
    /// This key has another value.
    IsNot(&'static str, &'static str),
}

impl Tuning {
    /// Numbers of an interval.
    pub const fn number(low: f64, high: f64, scale: Scale) -> Self {
        Tuning { domain: Domain::Number { low, high, scale }, when: &[] }
    }

    /// Whole numbers of an interval.
    pub const fn whole(low: u64, high: u64, scale: Scale) -> Self {
        Tuning { domain: Domain::Whole { low, high, scale }, when: &[] }
    }

    /// One of these, as TOML.
    pub const fn one_of(values: &'static [&'static str]) -> Self {
        Tuning { domain: Domain::OneOf(values), when: &[] }
    }

    /// The same, only in training runs that satisfy the condition.
    pub const fn when(self, when: &'static [Condition]) -> Self {
        Tuning { when, ..self }
    }
}

impl Condition {
    /// Whether the condition holds, given the value of a key as text.
    pub fn holds<'a>(&self, value_of: impl Fn(&str) -> Option<std::borrow::Cow<'a, str>>) -> bool {
        match *self {
            Condition::Is(key, value) => value_of(key).as_deref() == Some(value),
            Condition::IsNot(key, value) => value_of(key).as_deref() != Some(value),
        }
    }

    /// The key that the condition is about.
    pub fn key(&self) -> &'static str {
        match self {
            Condition::Is(key, _) | Condition::IsNot(key, _) => key,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{KEYS, Key};

    /// Every value that a search would try on its own is one that the key takes.
    #[test]
    fn what_is_tried_is_what_the_key_takes() {
        let tuned: Vec<(&Key, Tuning)> = KEYS.iter().filter_map(|key| Some((key, key.tuning?))).collect();
        assert!(tuned.len() > 15, "{}", tuned.len());
        for (key, tuning) in tuned {
            let ends: Vec<toml::Value> = match tuning.domain {
                Domain::Number { low, high, scale } => {
                    assert!(low < high && (scale == Scale::Linear || low > 0.0), "{}", key.path);
                    assert!(scale != Scale::Horizon || high < 1.0, "{}", key.path);
                    vec![low.into(), high.into()]
                }
                Domain::Whole { low, high, scale } => {
                    assert!(low < high && (scale == Scale::Linear || low > 0), "{}", key.path);
                    vec![(low as i64).into(), (high as i64).into()]
                }
                Domain::OneOf(values) => {
                    assert!(values.len() > 1, "{}", key.path);
                    let parse =
                        |value: &&str| toml::from_str::<toml::Table>(&format!("v = {value}")).unwrap()["v"].clone();
                    values.iter().map(parse).collect()
                }
            };
            ends.iter().for_each(|value| assert_eq!(key.fault(value), None, "{}", key.path));
            for condition in tuning.when {
                assert!(Key::of(condition.key()).is_some(), "{}: {condition:?}", key.path);
            }
        }
    }

    #[test]
    fn a_condition_is_held_against_the_value_as_text() {
        let value_of = |key: &str| (key == "target.kind").then_some("hard".into());
        assert!(Condition::Is("target.kind", "hard").holds(value_of));
        assert!(!Condition::Is("target.kind", "soft").holds(value_of));
        assert!(Condition::IsNot("target.kind", "soft").holds(value_of));
        assert!(!Condition::Is("unset", "").holds(value_of));
    }
}
