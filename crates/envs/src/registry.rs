//! The registry: [`make`] a world by its id.
//!
//! A world costs one file, which declares its ids, limits and options as [`World`]s, and one line in [`FAMILIES`].

use crate::{Env, EnvError, EnvOptions, EnvSpec, OptionValue, TimeLimit, classic, minatar, tabular, toy};

/// All worlds, family by family.
const FAMILIES: &[&[World]] = &[
    classic::cartpole::WORLDS,
    classic::mountain_car::WORLDS,
    classic::acrobot::WORLDS,
    classic::pendulum::WORLDS,
    tabular::frozen_lake::WORLDS,
    tabular::cliff_walking::WORLDS,
    tabular::taxi::WORLDS,
    tabular::blackjack::WORLDS,
    tabular::grid_world::WORLDS,
    minatar::asterix::WORLDS,
    minatar::breakout::WORLDS,
    minatar::freeway::WORLDS,
    minatar::seaquest::WORLDS,
    minatar::space_invaders::WORLDS,
    toy::identity::WORLDS,
    toy::catch::WORLDS,
    toy::chain::WORLDS,
];

/// Makes the world of this id with its standard options, its time limit around it.
///
/// ```
/// use requel_envs::{Action, Env, make};
///
/// let mut env = make("CartPole-v1")?;
/// let mut observation = vec![0.0; env.observation_len()];
/// env.reset(Some(0), &mut observation)?;
/// let step = env.step(Action::Discrete(1), &mut observation)?;
/// assert_eq!((step.reward, step.terminated, step.truncated), (1.0, false, false));
///
/// let error = make("CartPoel-v1").err().unwrap();
/// assert_eq!(error.to_string(), "unknown world `CartPoel-v1`, did you mean `CartPole-v1`?");
/// # Ok::<(), requel_envs::EnvError>(())
/// ```
///
/// # Errors
/// [`EnvError::UnknownId`], with the nearest id if one is near.
pub fn make(id: &str) -> Result<Box<dyn Env>, EnvError> {
    make_with(id, &EnvOptions::new())
}

/// Makes the world of this id with options, by the names of Gymnasium's keyword arguments; [`option_specs`] lists them.
///
/// # Errors
/// [`EnvError::UnknownId`]; [`EnvError::InvalidOption`] for an option that the world does not have (with the nearest
/// that it has) or a value of the wrong type or out of range.
pub fn make_with(id: &str, options: &EnvOptions) -> Result<Box<dyn Env>, EnvError> {
    let world = find(id)?;
    let options = Options { world, given: options };
    options.check()?;
    let limit = match options.optional_int(MAX_EPISODE_STEPS.name)? {
        Some(steps) => {
            let reason = || format!("{steps} is not a number of steps: give 1 or more");
            Some(u32::try_from(steps).map_err(|_| options.invalid(MAX_EPISODE_STEPS.name, reason()))?)
        }
        None => world.max_episode_steps,
    };
    let env = (world.build)(EnvSpec { max_episode_steps: limit, ..world.spec() }, &options)?;
    Ok(match limit {
        Some(limit) => Box::new(TimeLimit::new(env, limit)?),
        None => env,
    })
}

/// What is known of each world, in the registry's order.
pub fn specs() -> Vec<EnvSpec> {
    FAMILIES.iter().copied().flatten().map(World::spec).collect()
}

/// The options that a world can be made with.
///
/// # Errors
/// [`EnvError::UnknownId`].
pub fn option_specs(id: &str) -> Result<Vec<OptionSpec>, EnvError> {
    Ok(find(id)?.options().copied().collect())
}

/// An option that a world can be made with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OptionSpec {
    /// Its name, a key of [`EnvOptions`].
    pub name: &'static str,
    /// The type and the value that it has when it is not given.
    pub default: OptionDefault,
    /// What it does, in half a sentence.
    pub summary: &'static str,
}

/// The type of an option and its standard value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum OptionDefault {
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number; whole numbers are taken too.
    Float(f64),
    /// A text.
    Text(&'static str),
    /// A whole number that may be left out.
    OptionalInt,
    /// A number that may be left out.
    OptionalFloat,
    /// A text that may be left out.
    OptionalText,
    /// A list of texts that may be left out.
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
            OptionDefault::OptionalList => "a list of texts",
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

const MAX_EPISODE_STEPS: OptionSpec = OptionSpec {
    name: "max_episode_steps",
    default: OptionDefault::OptionalInt,
    summary: "truncate an episode after so many steps, in place of the world's own limit",
};

/// The option of a world with continuous actions that makes them a few.
pub(crate) const DISCRETIZE: &str = "discretize";

/// What making a world gives.
pub(crate) type MadeEnv = Result<Box<dyn Env>, EnvError>;

/// One line of the registry.
pub(crate) struct World {
    pub id: &'static str,
    pub max_episode_steps: Option<u32>,
    pub reward_threshold: Option<f64>,
    pub frames_per_second: f32,
    pub options: &'static [OptionSpec],
    /// Makes the world without its time limit.
    pub build: fn(EnvSpec, &Options<'_>) -> MadeEnv,
}

impl World {
    fn spec(&self) -> EnvSpec {
        EnvSpec {
            id: self.id.into(),
            max_episode_steps: self.max_episode_steps,
            reward_threshold: self.reward_threshold,
            frames_per_second: self.frames_per_second,
        }
    }

    fn options(&self) -> impl Iterator<Item = &OptionSpec> {
        self.options.iter().chain([&MAX_EPISODE_STEPS])
    }
}

/// The options that a world is being made with: those given, and the standard values of the others.
pub(crate) struct Options<'a> {
    world: &'a World,
    given: &'a EnvOptions,
}

impl Options<'_> {
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

    /// The text, which must be one of `choices`.
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

    /// Whether the option was given at all, be it with its standard value.
    pub(crate) fn is_given(&self, name: &str) -> bool {
        self.given.contains_key(name)
    }

    pub(crate) fn invalid(&self, name: &str, reason: String) -> EnvError {
        EnvError::InvalidOption { id: self.world.id.into(), option: name.into(), reason }
    }

    /// Refuses options that the world does not have and values of the wrong type.
    fn check(&self) -> Result<(), EnvError> {
        for (name, value) in self.given {
            let default = self.default(name)?;
            if !default.takes(value) {
                return Err(self.wrong_type(name, default));
            }
        }
        Ok(())
    }

    fn default(&self, name: &str) -> Result<OptionDefault, EnvError> {
        if let Some(option) = self.world.options().find(|option| option.name == name) {
            return Ok(option.default);
        }
        let names: Vec<&str> = self.world.options().map(|option| option.name).collect();
        let reason = match nearest(name, names.iter().copied()) {
            Some(name) => format!("no such option, did you mean `{name}`?"),
            None => format!("no such option, there is {}", names.join(", ")),
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

fn find(id: &str) -> Result<&'static World, EnvError> {
    let worlds = || FAMILIES.iter().copied().flatten();
    worlds().find(|world| world.id == id).ok_or_else(|| EnvError::UnknownId {
        id: id.into(),
        suggestion: nearest(id, worlds().map(|world| world.id)).map(str::to_owned),
    })
}

/// The name that `name` was probably meant to be: the most similar one, case aside, if it is similar at all.
fn nearest<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    /// Below this similarity (0 to 1) a suggestion would puzzle rather than help.
    const SIMILAR: f64 = 0.75;
    let name = name.to_lowercase();
    let scored = names.map(|other| (strsim::jaro_winkler(&name, &other.to_lowercase()), other));
    let best = scored.max_by(|(a, _), (b, _)| a.total_cmp(b))?;
    (best.0 >= SIMILAR).then_some(best.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(id: &str, option: &str, value: OptionValue) -> String {
        make_with(id, &EnvOptions::from([(option.to_string(), value)])).err().unwrap().to_string()
    }

    #[test]
    fn suggestions() {
        let message = |id| make(id).err().unwrap().to_string();
        assert_eq!(message("cartpole-v1"), "unknown world `cartpole-v1`, did you mean `CartPole-v1`?");
        assert_eq!(message("Catch-v0"), "unknown world `Catch-v0`, did you mean `Toy/Catch-v0`?");
        assert_eq!(message(""), "unknown world ``");
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

    #[test]
    fn the_time_limit_can_be_changed() {
        let options = EnvOptions::from([("max_episode_steps".to_string(), OptionValue::Int(3))]);
        let env = make_with("CartPole-v1", &options).unwrap();
        assert_eq!(env.spec().max_episode_steps, Some(3));
    }

    #[test]
    fn ids_are_unique_and_all_can_be_made() {
        let mut ids: Vec<String> = specs().into_iter().map(|spec| spec.id).collect();
        for spec in specs() {
            assert_eq!(make(&spec.id).unwrap().spec(), &spec);
        }
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), specs().len());
    }
}
