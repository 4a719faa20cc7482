//! [`audit`]: what a policy predicts for an episode, compared with what it then obtained.

use requel::agent::AgentError;
use requel::td::argmax_allowed;
use requel_envs::{Action, Env, Step};

use crate::exit::Failure;

/// The values that a policy predicted and the returns it obtained, as means over the states of one episode.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Audit {
    /// Mean of q(s, a) for the actions it took.
    pub believed: f64,
    /// Mean of the discounted sum of the rewards that followed.
    pub obtained: f64,
}

/// The longest audit, env steps.
const MOST_STEPS: usize = 1000;

/// Rewards that γ shrinks to less than this fraction are considered negligible.
const NEGLIGIBLE: f64 = 0.01;

/// Computes the value of each action for an observation.
type Believed<'a> = dyn FnMut(&[f32]) -> Result<Vec<f32>, AgentError> + 'a;

/// Plays a greedy episode from `seed`; `q_values` computes the values of an observation.
///
/// If the time limit cuts it off, the states shortly before the end are left out because their complete returns are unknown. If no states
/// would remain, all count, and the missing returns are estimated by the policy's own value, as in training.
///
/// # Errors
/// If the environment fails, or the observations do not fit the policy.
pub fn audit(env: &mut dyn Env, q_values: &mut Believed<'_>, (seed, gamma): (u64, f64)) -> Result<Audit, Failure> {
    let mut observation = vec![0.0; env.observation_len()];
    env.reset(Some(seed), &mut observation)?;
    let (mut believed, mut rewards, mut last) = (Vec::new(), Vec::new(), Step::default());
    while !last.ended() && rewards.len() < MOST_STEPS {
        let q = q_values(&observation)?;
        let action = argmax_allowed(&q, env.action_mask());
        believed.push(f64::from(q[action]));
        last = env.step(Action::Discrete(action), &mut observation)?;
        rewards.push(last.reward);
    }
    let (mut states, mut following) = (rewards.len(), 0.0);
    if !last.terminated {
        // After this many steps, γ has made a reward negligible.
        let far = (NEGLIGIBLE.ln() / gamma.ln()).ceil().max(0.0);
        states = rewards.len().saturating_sub(far as usize);
        if states == 0 {
            states = rewards.len();
            let q = q_values(&observation)?;
            following = f64::from(q[argmax_allowed(&q, env.action_mask())]);
        }
    }
    let mut obtained = 0.0;
    for (index, reward) in rewards.iter().enumerate().rev() {
        following = reward + gamma * following;
        obtained += if index < states { following } else { 0.0 };
    }
    let mean = |sum: f64| sum / states.max(1) as f64;
    Ok(Audit { believed: mean(believed[..states].iter().sum()), obtained: mean(obtained) })
}

#[cfg(test)]
mod tests {
    use requel_envs::TimeLimit;
    use requel_envs::closure::from_closures;

    use super::*;

    #[test]
    fn three_steps_by_hand() {
        // Three steps with the rewards 1, 2, 4, then a terminal state.
        let mut env = from_closures(
            "Count",
            1,
            |_| [0.0],
            |[n], _, _| {
                *n += 1.0;
                Step { reward: f64::from(1 << (*n as u32 - 1)), terminated: *n >= 3.0, truncated: false }
            },
        );
        // q = 2·s + 1: believes 1, 3, 5.
        let audit = audit(&mut env, &mut |seen| Ok(vec![2.0 * seen[0] + 1.0]), (0, 0.5)).unwrap();
        // From the back: 4, 2 + 0.5·4 = 4, 1 + 0.5·4 = 3.
        assert_eq!(audit, Audit { believed: 3.0, obtained: 11.0 / 3.0 });
    }

    #[test]
    fn a_time_limit_hides_no_over_estimation() {
        // A reward of 1 for ever, cut off after 30 steps: worth 1 / (1 − 0.5) = 2, whatever is believed.
        let forever = || {
            from_closures("Forever", 1, |_| [0.0], |_, _, _| Step { reward: 1.0, terminated: false, truncated: false })
        };
        let mut env = TimeLimit::new(forever(), 30).unwrap();
        let told = audit(&mut env, &mut |_| Ok(vec![100.0]), (0, 0.5)).unwrap();
        assert_eq!(told.believed, 100.0);
        assert!((told.obtained - 2.0).abs() < 0.02, "{told:?}");
        // Two steps are too few to see it: then the policy's own value stands in.
        let mut env = TimeLimit::new(forever(), 2).unwrap();
        let told = audit(&mut env, &mut |_| Ok(vec![8.0]), (0, 0.5)).unwrap();
        assert_eq!(told.obtained, ((1.0 + 0.5 * 8.0) + (1.0 + 0.5 * 5.0)) / 2.0);
    }
}
