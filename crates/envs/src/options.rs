//! The options of environments: [`OptionSpec`], and [`Options`], the values for one that is being created.

use crate::{EnvError, EnvOptions, OptionValue};

/// An option that an environment can be created with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OptionSpec {
    /// Its name, a key of [`EnvOptions`].
    pub name: &'static str,
    /// The type, and the default value.
    pub default: OptionDefault,
    /// Its effect, in half a sentence.
    pub summary: &'static str,
}

/// The type of an option and its default value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum OptionDefault {
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number; whole numbers are accepted too.
    Float(f64),
    /// A string.
    Text(&'static str),
    /// A whole number that may be omitted.
    OptionalInt,
    /// A number that may be omitted.
    OptionalFloat,
    /// A string that may be omitted.
    OptionalText,
    /// A list of strings that may be omitted.
    OptionalList,
}

impl OptionDefault {
    /// The type, in words.
    pub fn type_name(&self) -> &'static str {
        match self {
            OptionDefault::Bool(_) => "true or false",
            OptionDefault::Int(_) | OptionDefault::OptionalInt => "a whole number",
            OptionDefault::Float(_) | OptionDefault::OptionalFloat => "a number",
            OptionDefault::Text(_) | OptionDefault::OptionalText => "a text",
            OptionDefault::OptionalList => "a list of strings",
        }
    }

    fn takes(&self, value: &OptionValue) -> bool {
        match self {
            OptionDefault::Bool(_) => matches!(value, OptionValue::Bool(_)),
            OptionDefault::Int(_) | OptionDefault::OptionalInt => matches!(value, OptionValue::Int(_)),
            OptionDefault::Float(_) | OptionDefault::OptionalFloat => {
                matches!(value, OptionValue::Int(_)) || matches!(value, OptionValue::Float(x) if x.is_finite())
            }
            OptionDefault::Text(_) | OptionDefault::OptionalText => matches!(value, OptionValue::Text(_)),
            OptionDefault::OptionalList => matches!(value, OptionValue::List(_)),
        }
    }
}

impl OptionSpec {
    pub(crate) const fn bool(name: &'static str, default: bool, summary: &'static str) -> Self {
        Self { name, default: OptionDefault::Bool(default), summary }
    }

    pub(crate) const fn new(name: &'static str, default: OptionDefault, summary: &'static str) -> Self {
        Self { name, default, summary }
    }

    pub(crate) const fn float(name: &'static str, default: f64, summary: &'static str) -> Self {
        Self { name, default: OptionDefault::Float(default), summary }
    }

    pub(crate) const fn int(name: &'static str, default: i64, summary: &'static str) -> Self {
        Self { name, default: OptionDefault::Int(default), summary }
    }
}

/// The option that every environment has.
pub(crate) const MAX_EPISODE_STEPS: OptionSpec = OptionSpec {
    name: "max_episode_steps",
    default: OptionDefault::OptionalInt,
    summary: "truncate episodes after this many steps, instead of at the environment's own limit",
};

/// The option for an environment with continuous actions that makes them discrete.
pub(crate) const DISCRETIZE: &str = "discretize";

/// The options that an environment is created with: those given, and the defaults of the others.
pub(crate) struct Options<'a> {
    id: &'a str,
    /// The environment's own options.
    specs: &'a [OptionSpec],
    given: &'a EnvOptions,
}

impl<'a> Options<'a> {
    /// The options `given` for the environment `id`, whose own options are `specs`.
    ///
    /// # Errors
    /// [`EnvError::InvalidOption`] for an option that it does not have, or a value of the wrong type.
    pub(crate) fn new(id: &'a str, specs: &'a [OptionSpec], given: &'a EnvOptions) -> Result<Self, EnvError> {
        let options = Self { id, specs, given };
        for (name, value) in given {
            let default = options.default(name)?;
            if !default.takes(value) {
                return Err(options.wrong_type(name, default));
            }
        }
        Ok(options)
    }

    /// Options that were already checked, used only for those that every environment has.
    pub(crate) fn unchecked(id: &'a str, given: &'a EnvOptions) -> Self {
        Self { id, specs: &[], given }
    }

    pub(crate) fn bool(&self, name: &str) -> Result<bool, EnvError> {
        match (self.given.get(name), self.default(name)?) {
            (Some(OptionValue::Bool(value)), _) => Ok(*value),
            (None, OptionDefault::Bool(value)) => Ok(value),
            (_, default) => Err(self.wrong_type(name, default)),
        }
    }

    /// The whole number, which must be within `range`.
    pub(crate) fn int(&self, name: &str, range: std::ops::RangeInclusive<i64>) -> Result<i64, EnvError> {
        let value = match (self.given.get(name), self.default(name)?) {
            (Some(OptionValue::Int(value)), _) => *value,
            (None, OptionDefault::Int(value)) => value,
            (_, default) => return Err(self.wrong_type(name, default)),
        };
        if range.contains(&value) {
            return Ok(value);
        }
        let reason = format!("{value} is out of range: give {} to {}", range.start(), range.end());
        Err(self.invalid(name, reason))
    }

    /// The number, which must be within `range`.
    pub(crate) fn float(&self, name: &str, range: std::ops::RangeInclusive<f64>) -> Result<f64, EnvError> {
        let value = match (self.given.get(name), self.default(name)?) {
            (Some(OptionValue::Float(value)), _) => *value,
            (Some(OptionValue::Int(value)), _) => *value as f64,
            (None, OptionDefault::Float(value)) => value,
            (_, default) => return Err(self.wrong_type(name, default)),
        };
        if range.contains(&value) {
            return Ok(value);
        }
        let reason = format!("{value} is out of range: give {} to {}", range.start(), range.end());
        Err(self.invalid(name, reason))
    }

    /// The string, which must be one of `choices`.
    pub(crate) fn choice(&self, name: &str, choices: &[&'static str]) -> Result<&'static str, EnvError> {
        let value = match (self.given.get(name), self.default(name)?) {
            (Some(OptionValue::Text(value)), _) => value.as_str(),
            (None, OptionDefault::Text(value)) => value,
            (_, default) => return Err(self.wrong_type(name, default)),
        };
        choices.iter().find(|choice| **choice == value).copied().ok_or_else(|| {
            let reason = match nearest(value, choices.iter().copied()) {
                Some(choice) => format!("`{value}` is not known, did you mean `{choice}`?"),
                None => format!("`{value}` is not known, give one of {}", choices.join(", ")),
            };
            self.invalid(name, reason)
        })
    }

    pub(crate) fn optional_list(&self, name: &str) -> Result<Option<Vec<String>>, EnvError> {
        match (self.given.get(name), self.default(name)?) {
            (Some(OptionValue::List(value)), _) => Ok(Some(value.clone())),
            (None, OptionDefault::OptionalList) => Ok(None),
            (_, default) => Err(self.wrong_type(name, default)),
        }
    }

    pub(crate) fn optional_int(&self, name: &str) -> Result<Option<i64>, EnvError> {
        match (self.given.get(name), self.default(name)?) {
            (Some(OptionValue::Int(value)), _) => Ok(Some(*value)),
            (None, OptionDefault::OptionalInt) => Ok(None),
            (_, default) => Err(self.wrong_type(name, default)),
        }
    }

    /// The whole number, if there is one; it must be within `range`.
    pub(crate) fn optional_int_in(
        &self,
        name: &str,
        range: std::ops::RangeInclusive<i64>,
    ) -> Result<Option<i64>, EnvError> {
        match self.optional_int(name)? {
            Some(value) if !range.contains(&value) => {
                let reason = format!("{value} is out of range: give {} to {}", range.start(), range.end());
                Err(self.invalid(name, reason))
            }
            value => Ok(value),
        }
    }

    /// Whether the option was given at all, even with its default value.
    pub(crate) fn is_given(&self, name: &str) -> bool {
        self.given.contains_key(name)
    }

    pub(crate) fn invalid(&self, name: &str, reason: String) -> EnvError {
        EnvError::InvalidOption { id: self.id.into(), option: name.into(), reason }
    }

    fn specs(&self) -> impl Iterator<Item = &OptionSpec> {
        self.specs.iter().chain([&MAX_EPISODE_STEPS])
    }

    fn default(&self, name: &str) -> Result<OptionDefault, EnvError> {
        if let Some(option) = self.specs().find(|option| option.name == name) {
            return Ok(option.default);
        }
        let names: Vec<&str> = self.specs().map(|option| option.name).collect();
        let reason = match nearest(name, names.iter().copied()) {
            Some(name) => format!("no such option, did you mean `{name}`?"),
            None => format!("no such option; the options are {}", names.join(", ")),
        };
        Err(self.invalid(name, reason))
    }

    fn wrong_type(&self, name: &str, default: OptionDefault) -> EnvError {
        let given = match self.given.get(name) {
            Some(OptionValue::Bool(value)) => value.to_string(),
            Some(OptionValue::Int(value)) => value.to_string(),
            Some(OptionValue::Float(value)) => value.to_string(),
            Some(OptionValue::Text(value)) => format!("{value:?}"),
            Some(OptionValue::List(value)) => format!("{value:?}"),
            None => "nothing".into(),
        };
        self.invalid(name, format!("{given} given, expected {}", default.type_name()))
    }
}

/// The name that `name` was probably meant to be: the most similar one, ignoring case, if it is similar at all.
///
/// ```
/// assert_eq!(requel_envs::nearest("CartPoel-v1", ["CartPole-v1", "Acrobot-v1"]), Some("CartPole-v1"));
/// assert_eq!(requel_envs::nearest("xyz", ["CartPole-v1", "Acrobot-v1"]), None);
/// ```
pub fn nearest<'a>(name: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    /// Below this similarity (0 to 1) a suggestion would puzzle rather than help.
    const SIMILAR: f64 = 0.75;
    let name = name.to_lowercase();
    let scored = names.into_iter().map(|other| (strsim::jaro_winkler(&name, &other.to_lowercase()), other));
    let best = scored.max_by(|(a, _), (b, _)| a.total_cmp(b))?;
    (best.0 >= SIMILAR).then_some(best.1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::make_with;

    fn refusal(id: &str, option: &str, value: OptionValue) -> String {
        make_with(id, &EnvOptions::from([(option.to_string(), value)])).err().unwrap().to_string()
    }

    #[test]
    fn options_are_checked() {
        let id = "CartPole-v1";
        assert_eq!(
            refusal(id, "sutton_bartho_reward", OptionValue::Bool(true)),
            "option `sutton_bartho_reward` of CartPole-v1: no such option, did you mean `sutton_barto_reward`?"
        );
        assert_eq!(
            refusal(id, "sutton_barto_reward", OptionValue::Int(1)),
            "option `sutton_barto_reward` of CartPole-v1: 1 given, expected true or false"
        );
        assert_eq!(
            refusal(id, "max_episode_steps", OptionValue::Int(-1)),
            "option `max_episode_steps` of CartPole-v1: -1 is not a number of steps: give 1 or more"
        );
        assert!(refusal(id, "max_episode_steps", OptionValue::Int(0)).contains("at least 1 step"));
    }
}
