//! Random play, which whatever learns must beat.

use anyhow::{Result, ensure};
use requel::Config;
use requel::Registry;
use requel::stats::{Bootstrap, Interval, mean};
use requel_envs::SpaceSampler;

/// How many episodes are played.
const EPISODES: usize = 200;

/// What random play comes to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RandomPlay {
    /// Mean return.
    pub mean: f64,
    /// The 95 % bootstrap interval of the mean.
    pub interval: Interval,
}

/// Plays the environment of `config` at random, with all that the config puts around it, each episode at most as long as one of its
/// evaluations.
///
/// # Errors
/// When the environment cannot be made or refuses a step.
pub fn play(config: &Config) -> Result<RandomPlay> {
    let returns = returns(config)?;
    let over = |sample: &[f64]| mean(sample).unwrap_or(f64::NAN);
    let interval = Bootstrap::default().interval(&[&returns], over);
    ensure!(interval.is_some(), "{} gave returns that are no numbers", config.env.id);
    Ok(RandomPlay { mean: over(&returns), interval: interval.unwrap_or(Interval { low: f64::NAN, high: f64::NAN }) })
}

fn returns(config: &Config) -> Result<Vec<f64>> {
    let mut env = Registry::built_in().env_factory(&config.env)()?;
    let mut actions = SpaceSampler::new(env.action_space(), 1)?;
    let mut observation = vec![0.0; env.observation_len()];
    let mut returns = Vec::with_capacity(EPISODES);
    for episode in 0..EPISODES {
        // The environments' generator is another one than the actions'.
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
    use requel::config::Layers;

    use super::*;

    #[test]
    fn random_play_is_scored_under_the_conditions_of_the_base() {
        let play = |preset: &str| play(&Layers::new().preset(preset).unwrap().resolve().unwrap()).unwrap();
        // Every frame costs 1, and nothing random reaches the flag within 200.
        assert_eq!(play("mountaincar").mean, -200.0);
        // Gymnasium's random episodes last about 22 steps.
        let cartpole = play("cartpole");
        assert!((19.0..26.0).contains(&cartpole.mean), "{cartpole:?}");
        assert!(cartpole.interval.low < cartpole.mean && cartpole.mean < cartpole.interval.high, "{cartpole:?}");
        // The environment has no limit of its own: 200 steps of -1, or -100 off the cliff.
        assert!(play("cliff-walking").mean < -200.0);
    }
}
