//! [`RandomPlay`], which every learning agent must beat.

use requel_envs::EnvError;
use requel_envs::SpaceSampler;

use crate::config::Config;
use crate::registry::Registry;
use crate::stats::{Bootstrap, Interval, mean};

/// The score of actions drawn uniformly among those allowed. The same config and number of episodes give the same bits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RandomPlay {
    /// Mean return.
    pub mean: f64,
    /// The 95 % bootstrap interval of the mean.
    pub interval: Interval,
}

impl RandomPlay {
    /// Plays this many episodes of the environment of `config`, with all the wrappers of the config, each at most as long as an evaluation
    /// episode. `None` if a return is not finite, or there is no episode.
    ///
    /// # Errors
    /// If the environment cannot be created, has actions that cannot be sampled, or refuses a step.
    pub fn of(config: &Config, registry: &Registry, episodes: usize) -> Result<Option<Self>, EnvError> {
        let returns = returns(config, registry, episodes)?;
        if returns.is_empty() || returns.iter().any(|value| !value.is_finite()) {
            return Ok(None);
        }
        let over = |sample: &[f64]| mean(sample).unwrap_or(f64::NAN);
        let interval = Bootstrap::default().interval(&[&returns], over);
        Ok(interval.map(|interval| RandomPlay { mean: over(&returns), interval }))
    }
}

fn returns(config: &Config, registry: &Registry, episodes: usize) -> Result<Vec<f64>, EnvError> {
    let mut env = registry.env_factory(&config.env)()?;
    let mut actions = SpaceSampler::new(env.action_space(), 1)?;
    let mut observation = vec![0.0; env.observation_len()];
    let mut returns = Vec::with_capacity(episodes);
    for episode in 0..episodes {
        // The environment's generator is separate from that of the actions.
        env.reset((episode == 0).then_some(0), &mut observation)?;
        let mut total = 0.0;
        for _ in 0..config.evaluation.max_episode_steps {
            let action = match env.action_mask() {
                Some(mask) => actions.masked(mask),
                None => actions.discrete(),
            };
            let step = env.step(action.into(), &mut observation)?;
            total += step.reward;
            if step.ended() {
                break;
            }
        }
        returns.push(total);
    }
    Ok(returns)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Layers;

    #[test]
    fn random_play_is_scored_under_the_conditions_of_the_config() {
        let registry = Registry::built_in();
        let play = |preset: &str| {
            let config = Layers::new().preset(preset).unwrap().resolve().unwrap();
            RandomPlay::of(&config, &registry, 200).unwrap().unwrap()
        };
        // Every frame costs 1, and nothing random reaches the flag within 200.
        assert_eq!(play("mountaincar").mean, -200.0);
        // Gymnasium's random episodes last about 22 steps.
        let cartpole = play("cartpole");
        assert!((19.0..26.0).contains(&cartpole.mean), "{cartpole:?}");
        assert!(cartpole.interval.low < cartpole.mean && cartpole.mean < cartpole.interval.high, "{cartpole:?}");
        // The environment has no limit of its own: 200 steps of -1, or -100 off the cliff.
        assert!(play("cliff-walking").mean < -200.0);
    }

    #[test]
    fn no_episode_is_no_score() {
        assert_eq!(RandomPlay::of(&Config::default(), &Registry::built_in(), 0).unwrap(), None);
    }
}
