//! The registry: [`make`] an environment by its id.
//!
//! An environment costs one file, which declares its ids, limits and options as [`Entry`]s, and one line in [`FAMILIES`].

use crate::entry::Entry;
use crate::options::{MAX_EPISODE_STEPS, OptionSpec, Options, nearest};
use crate::{Env, EnvError, EnvOptions, EnvSpec, TimeLimit, classic, minatar, tabular, toy};

/// All environments, family by family.
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

/// Makes the environment of this id with its standard options, its time limit around it.
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
/// [`EnvError::UnknownId`], with the nearest id if one is near.
pub fn make(id: &str) -> Result<Box<dyn Env>, EnvError> {
    make_with(id, &EnvOptions::new())
}

/// Makes the environment of this id with options, by the names of Gymnasium's keyword arguments; [`option_specs`] lists them.
///
/// # Errors
/// [`EnvError::UnknownId`]; [`EnvError::InvalidOption`] for an option that the environment does not have (with the nearest
/// that it has) or a value of the wrong type or out of range.
pub fn make_with(id: &str, options: &EnvOptions) -> Result<Box<dyn Env>, EnvError> {
    let env = find(id)?;
    let options = Options::new(env.id, env.options, options)?;
    let limit = match options.optional_int(MAX_EPISODE_STEPS.name)? {
        Some(steps) => {
            let reason = || format!("{steps} is not a number of steps: give 1 or more");
            Some(u32::try_from(steps).map_err(|_| options.invalid(MAX_EPISODE_STEPS.name, reason()))?)
        }
        None => env.max_episode_steps,
    };
    // In fewer steps an episode can gain or lose less: the goal of the longer one says nothing of it.
    let is_shorter = env.max_episode_steps.is_some_and(|own| limit.is_none_or(|limit| limit < own));
    let reward_threshold = env.reward_threshold.filter(|_| !is_shorter);
    let env = (env.build)(EnvSpec { max_episode_steps: limit, reward_threshold, ..env.spec() }, &options)?;
    Ok(match limit {
        Some(limit) => Box::new(TimeLimit::new(env, limit)?),
        None => env,
    })
}

/// What is known of each environment, in the registry's order.
pub fn specs() -> Vec<EnvSpec> {
    FAMILIES.iter().copied().flatten().map(Entry::spec).collect()
}

/// The options that an environment can be made with.
///
/// # Errors
/// [`EnvError::UnknownId`].
pub fn option_specs(id: &str) -> Result<Vec<OptionSpec>, EnvError> {
    Ok(find(id)?.options.iter().chain([&MAX_EPISODE_STEPS]).copied().collect())
}

fn find(id: &str) -> Result<&'static Entry, EnvError> {
    let envs = || FAMILIES.iter().copied().flatten();
    envs().find(|env| env.id == id).ok_or_else(|| EnvError::UnknownId {
        id: id.into(),
        suggestion: nearest(id, envs().map(|env| env.id)).map(str::to_owned),
    })
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
}
