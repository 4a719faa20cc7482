//! [`Registry`]: environments by id, those of this crate and one's own; [`make`] takes one of this crate's.
//!
//! To add an environment to this crate, write one file, which declares its ids, limits and options as [`Entry`]s, and add one line to
//! [`FAMILIES`].

use std::fmt;
use std::sync::Arc;

use crate::entry::{Entry, MadeEnv};
use crate::env::check_description;
use crate::options::{MAX_EPISODE_STEPS, OptionSpec, Options, nearest};
use crate::{Env, EnvError, EnvOptions, EnvSpec, TimeLimit, classic, minatar, tabular, toy};

/// All environments of this crate, family by family.
const FAMILIES: &[&[Entry]] = &[
    classic::cartpole::ENVS,
    classic::mountain_car::ENVS,
    classic::acrobot::ENVS,
    classic::pendulum::ENVS,
    tabular::frozen_lake::ENVS,
    tabular::cliff_walking::ENVS,
    tabular::taxi::ENVS,
    tabular::blackjack::ENVS,
    tabular::grid_world::ENVS,
    minatar::asterix::ENVS,
    minatar::breakout::ENVS,
    minatar::freeway::ENVS,
    minatar::seaquest::ENVS,
    minatar::space_invaders::ENVS,
    toy::identity::ENVS,
    toy::catch::ENVS,
    toy::chain::ENVS,
];

/// Environments by id: a value that is passed to the code that creates environments from text.
///
/// ```
/// use requel_envs::{Env, Registry, Step, TimeLimit, closure::from_closures};
///
/// let mut registry = Registry::built_in();
/// registry.register(|| {
///     let corridor = from_closures("Corridor-v0", 2, |_| [0.0], |[x], action, _| {
///         *x += if action == 1 { 0.1 } else { -0.1 };
///         Step { reward: -0.01, terminated: *x >= 1.0, truncated: false }
///     });
///     Ok(Box::new(TimeLimit::new(corridor, 200)?))
/// })?;
/// assert_eq!(registry.make("Corridor-v0")?.spec().max_episode_steps, Some(200));
///
/// let error = registry.make("Corridor").err().unwrap();
/// assert_eq!(error.to_string(), "unknown environment `Corridor`, did you mean `Corridor-v0`?");
/// # Ok::<(), requel_envs::EnvError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Registry {
    registered: Vec<Registered>,
}

/// One environment of a registry.
#[derive(Clone)]
struct Registered {
    spec: EnvSpec,
    options: Vec<OptionSpec>,
    is_built_in: bool,
    make: Arc<dyn Fn(&EnvOptions) -> MadeEnv + Send + Sync>,
}

impl fmt::Debug for Registered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registered").field("spec", &self.spec).field("is_built_in", &self.is_built_in).finish()
    }
}

impl Registry {
    /// An empty registry.
    pub fn empty() -> Self {
        Registry { registered: Vec::new() }
    }

    /// The environments of this crate.
    pub fn built_in() -> Self {
        let registered = |entry: &'static Entry| Registered {
            spec: entry.spec(),
            options: entry.options.to_vec(),
            is_built_in: true,
            make: Arc::new(move |options| make_entry(entry, options)),
        };
        Registry { registered: entries().map(registered).collect() }
    }

    /// Adds your own environment under the id in its spec. It is created once to read the spec.
    ///
    /// # Errors
    /// [`EnvError::Contract`] if its spec or a space is invalid, see [`EnvSpec::check`] and [`Space::check`](crate::Space::check);
    /// [`EnvError::Registered`] if the id is taken; [`EnvError::Panicked`]; or the error of `make`.
    pub fn register(&mut self, make: impl Fn() -> MadeEnv + Send + Sync + 'static) -> Result<(), EnvError> {
        self.register_with(Vec::new(), move |_| make())
    }

    /// Like [`Registry::register`], for an environment with options. `make` receives those that were set, each with the type that its
    /// [`OptionSpec`] declares; `max_episode_steps` exists for every environment and need not be declared.
    ///
    /// # Errors
    /// As [`Registry::register`].
    pub fn register_with(
        &mut self,
        options: Vec<OptionSpec>,
        make: impl Fn(&EnvOptions) -> MadeEnv + Send + Sync + 'static,
    ) -> Result<(), EnvError> {
        let spec = EnvError::catching("an environment that is registered", "its factory", || {
            let env = make(&EnvOptions::new())?;
            check_description(&*env)?;
            Ok(env.spec().clone())
        })?;
        if self.registered.iter().any(|registered| registered.spec.id == spec.id) {
            return Err(EnvError::Registered { id: spec.id });
        }
        let id = spec.id.clone();
        let make = move |options: &EnvOptions| {
            let limit = episode_limit(&Options::unchecked(&id, options))?;
            let mut own = options.clone();
            own.remove(MAX_EPISODE_STEPS.name);
            let env = EnvError::catching(&id, "its factory", || make(&own))?;
            if env.spec().id != id {
                let breach = format!(
                    "the environment registered under this id now calls itself \
                                      `{}`",
                    env.spec().id.escape_debug()
                );
                return Err(EnvError::Contract { id: id.clone(), breach });
            }
            match limit {
                Some(limit) => Ok(Box::new(TimeLimit::new(env, limit)?) as Box<dyn Env>),
                None => Ok(env),
            }
        };
        self.registered.push(Registered { spec, options, is_built_in: false, make: Arc::new(make) });
        Ok(())
    }

    /// Creates the environment with this id and its default options.
    ///
    /// # Errors
    /// As [`Registry::make_with`].
    pub fn make(&self, id: &str) -> Result<Box<dyn Env>, EnvError> {
        self.make_with(id, &EnvOptions::new())
    }

    /// Creates the environment with this id with options, named like Gymnasium's keyword arguments if it has them;
    /// [`Registry::option_specs`] lists them.
    ///
    /// # Errors
    /// [`EnvError::UnknownId`]; [`EnvError::InvalidOption`] for an option that the environment does not have (with the most similar one
    /// that it has) or a value of the wrong type or out of range.
    pub fn make_with(&self, id: &str, options: &EnvOptions) -> Result<Box<dyn Env>, EnvError> {
        let registered = self.find(id)?;
        Options::new(&registered.spec.id, &registered.options, options)?;
        (registered.make)(options)
    }

    /// The specification of each environment, in the order of registration.
    pub fn specs(&self) -> impl Iterator<Item = &EnvSpec> {
        self.registered.iter().map(|registered| &registered.spec)
    }

    /// The options that an environment can be created with.
    ///
    /// # Errors
    /// [`EnvError::UnknownId`].
    pub fn option_specs(&self, id: &str) -> Result<Vec<OptionSpec>, EnvError> {
        Ok(self.find(id)?.options.iter().chain([&MAX_EPISODE_STEPS]).copied().collect())
    }

    /// Whether there is an environment with this id, and whether it is one of this crate.
    pub fn is_built_in(&self, id: &str) -> Option<bool> {
        self.find(id).ok().map(|registered| registered.is_built_in)
    }

    fn find(&self, id: &str) -> Result<&Registered, EnvError> {
        let known = || self.registered.iter().map(|registered| registered.spec.id.as_str());
        self.registered.iter().find(|registered| registered.spec.id == id).ok_or_else(|| unknown(id, known()))
    }
}

impl Default for Registry {
    fn default() -> Self {
        Registry::built_in()
    }
}

/// Creates this crate's environment with this id and its default options, including its time limit.
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
/// assert_eq!(error.to_string(), "unknown environment `CartPoel-v1`, did you mean `CartPole-v1`?");
/// # Ok::<(), requel_envs::EnvError>(())
/// ```
///
/// # Errors
/// [`EnvError::UnknownId`], with the most similar id if there is one.
pub fn make(id: &str) -> Result<Box<dyn Env>, EnvError> {
    make_with(id, &EnvOptions::new())
}

/// Creates an environment of this crate with options: [`Registry::make_with`] of [`Registry::built_in`].
///
/// # Errors
/// As [`Registry::make_with`].
pub fn make_with(id: &str, options: &EnvOptions) -> Result<Box<dyn Env>, EnvError> {
    make_entry(find_entry(id)?, options)
}

/// The specification of each environment of this crate.
pub fn specs() -> Vec<EnvSpec> {
    entries().map(Entry::spec).collect()
}

/// The options that an environment of this crate can be created with.
///
/// # Errors
/// [`EnvError::UnknownId`].
pub fn option_specs(id: &str) -> Result<Vec<OptionSpec>, EnvError> {
    Ok(find_entry(id)?.options.iter().chain([&MAX_EPISODE_STEPS]).copied().collect())
}

/// The environments of this crate, as their files declare them.
fn entries() -> impl Iterator<Item = &'static Entry> {
    FAMILIES.iter().copied().flatten()
}

fn find_entry(id: &str) -> Result<&'static Entry, EnvError> {
    entries().find(|entry| entry.id == id).ok_or_else(|| unknown(id, entries().map(|entry| entry.id)))
}

fn unknown<'a>(id: &str, known: impl Iterator<Item = &'a str>) -> EnvError {
    EnvError::UnknownId { id: id.into(), suggestion: nearest(id, known).map(str::to_owned) }
}

fn make_entry(entry: &'static Entry, options: &EnvOptions) -> MadeEnv {
    let options = Options::new(entry.id, entry.options, options)?;
    let env = (entry.build)(entry.spec(), &options)?;
    match episode_limit(&options)?.or(entry.max_episode_steps) {
        Some(limit) => Ok(Box::new(TimeLimit::new(env, limit)?)),
        None => Ok(env),
    }
}

/// The `max_episode_steps` of the options.
fn episode_limit(options: &Options<'_>) -> Result<Option<u32>, EnvError> {
    let Some(steps) = options.optional_int(MAX_EPISODE_STEPS.name)? else { return Ok(None) };
    let reason = || format!("{steps} is not a number of steps: give 1 or more");
    u32::try_from(steps).map(Some).map_err(|_| options.invalid(MAX_EPISODE_STEPS.name, reason()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::OptionValue;

    #[test]
    fn suggestions() {
        let message = |id| make(id).err().unwrap().to_string();
        assert_eq!(message("cartpole-v1"), "unknown environment `cartpole-v1`, did you mean `CartPole-v1`?");
        assert_eq!(message("Catch-v0"), "unknown environment `Catch-v0`, did you mean `Toy/Catch-v0`?");
        assert_eq!(message(""), "unknown environment ``");
    }

    #[test]
    fn the_time_limit_can_be_changed() {
        let options = EnvOptions::from([("max_episode_steps".to_string(), OptionValue::Int(3))]);
        let env = make_with("CartPole-v1", &options).unwrap();
        assert_eq!(env.spec().max_episode_steps, Some(3));
    }

    #[test]
    fn there_is_no_goal_where_an_option_changes_what_a_return_means() {
        let goal = |id: &str, option: &str, value: OptionValue| {
            make_with(id, &EnvOptions::from([(option.to_string(), value)])).unwrap().spec().reward_threshold
        };
        let limit = |steps| ("max_episode_steps", OptionValue::Int(steps));
        for (id, (option, value), expected) in [
            ("MountainCar-v0", limit(50), None),
            ("MountainCar-v0", limit(200), Some(-110.0)),
            ("MountainCar-v0", limit(500), Some(-110.0)),
            ("Acrobot-v1", limit(60), None),
            ("CartPole-v1", ("sutton_barto_reward", OptionValue::Bool(true)), None),
            ("CartPole-v1", ("sutton_barto_reward", OptionValue::Bool(false)), Some(475.0)),
            ("FrozenLake-v1", ("map_name", OptionValue::Text("8x8".into())), None),
            ("FrozenLake-v1", ("reward_schedule", OptionValue::List(["5", "0", "0"].map(String::from).to_vec())), None),
            ("FrozenLake-v1", ("is_slippery", OptionValue::Bool(true)), Some(0.70)),
        ] {
            assert_eq!(goal(id, option, value.clone()), expected, "{id} with {option} = {value:?}");
        }
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

    fn corridor() -> MadeEnv {
        let rules = |[x]: &mut [f64; 1], action: usize, _: &mut crate::GymRng| {
            *x += if action == 1 { 0.1 } else { -0.1 };
            crate::Step { reward: -0.01, terminated: *x >= 1.0, truncated: false }
        };
        Ok(Box::new(TimeLimit::new(crate::closure::from_closures("Corridor-v0", 2, |_| [0.0], rules), 200)?))
    }

    #[test]
    fn an_environment_of_ones_own_is_made_like_one_of_the_crate() {
        let mut registry = Registry::built_in();
        registry.register(corridor).unwrap();
        assert_eq!(registry.specs().last().unwrap().id, "Corridor-v0");
        assert_eq!(
            (registry.is_built_in("Corridor-v0"), registry.is_built_in("CartPole-v1")),
            (Some(false), Some(true))
        );
        assert_eq!(registry.is_built_in("Corridor-v1"), None);
        let with = |name: &str, value| registry.make_with("Corridor-v0", &EnvOptions::from([(name.to_owned(), value)]));
        assert_eq!(with("max_episode_steps", OptionValue::Int(7)).unwrap().spec().max_episode_steps, Some(7));
        for (name, value, expected) in [
            ("max_episode_steps", OptionValue::Int(0), "at least 1 step"),
            ("max_episode_steps", OptionValue::Int(-1), "-1 is not a number of steps"),
            ("max_episode_steps", OptionValue::Bool(true), "true given, expected a whole number"),
            ("max_episode_step", OptionValue::Int(7), "did you mean `max_episode_steps`?"),
        ] {
            let error = with(name, value).err().unwrap().to_string();
            assert!(
                error.starts_with(&format!("option `{name}` of Corridor-v0")) && error.contains(expected),
                "{error}"
            );
        }
        assert!(make("Corridor-v0").is_err(), "the environments of the crate are what they were");
    }

    #[test]
    fn a_factory_that_panics_later_is_an_error_too() {
        let calls = std::sync::atomic::AtomicU32::new(0);
        let mut registry = Registry::empty();
        let make = move || match calls.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
            0 => corridor(),
            _ => panic!("the port is taken"),
        };
        registry.register(make).unwrap();
        let error = registry.make("Corridor-v0").err().unwrap().to_string();
        assert_eq!(error, "Corridor-v0 panicked in its factory: the port is taken");
    }

    #[test]
    fn options_of_ones_own_arrive_checked() {
        let slope = OptionSpec { name: "slope", default: crate::OptionDefault::Float(0.0), summary: "of the ground" };
        let mut registry = Registry::empty();
        registry
            .register_with(vec![slope], |options| match options.get("slope") {
                None | Some(OptionValue::Float(_) | OptionValue::Int(_)) => corridor(),
                Some(other) => Err(EnvError::Other(format!("{other:?}"))),
            })
            .unwrap();
        let with = |value| registry.make_with("Corridor-v0", &EnvOptions::from([("slope".to_owned(), value)]));
        assert!(with(OptionValue::Float(0.5)).is_ok());
        let error = with(OptionValue::Text("steep".into())).err().unwrap().to_string();
        assert_eq!(error, "option `slope` of Corridor-v0: \"steep\" given, expected a number");
        let names: Vec<&str> = registry.option_specs("Corridor-v0").unwrap().iter().map(|option| option.name).collect();
        assert_eq!(names, ["slope", "max_episode_steps"]);
    }

    #[test]
    fn an_id_is_registered_once_and_a_spec_that_cannot_be_is_refused() {
        let mut registry = Registry::built_in();
        registry.register(corridor).unwrap();
        let error = registry.register(corridor).unwrap_err();
        assert_eq!(error.to_string(), "`Corridor-v0` is already registered: give this environment another id");
        assert!(matches!(registry.register(|| make("CartPole-v1")), Err(EnvError::Registered { .. })));
        assert!(matches!(registry.register(|| Err(EnvError::Other("no port".into()))), Err(EnvError::Other(_))));
        let nameless = || -> MadeEnv {
            Ok(Box::new(crate::closure::from_closures("", 2, |_| [0.0], |_, _, _| crate::Step::default())))
        };
        assert!(matches!(registry.register(nameless), Err(EnvError::Contract { .. })));
        let long = || -> MadeEnv {
            let id = "x".repeat(129);
            Ok(Box::new(crate::closure::from_closures(&id, 2, |_| [0.0], |_, _, _| crate::Step::default())))
        };
        let error = registry.register(long).unwrap_err().to_string();
        assert!(error.ends_with("its id has 129 characters, more than the 128 of the longest"), "{error}");
        let still = || -> MadeEnv {
            Ok(Box::new(crate::closure::from_closures("Still-v0", 0, |_| [0.0], |_, _, _| crate::Step::default())))
        };
        let error = registry.register(still).unwrap_err().to_string();
        assert!(error.contains("Still-v0") && error.contains("has no values"), "{error}");
        let error = registry.register(|| panic!("no port")).unwrap_err().to_string();
        assert!(error.ends_with("panicked in its factory: no port"), "{error}");
        assert_eq!(registry.specs().count(), specs().len() + 1);
    }
}
