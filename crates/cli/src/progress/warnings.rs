//! Warnings that a user must see however quiet the program is.

use requel::train::{Observer, ObserverError, TrainEvent};

use crate::numbers::grouped;
use crate::style;

/// The warning for an event, if there is one. Of skipped numbers, only the first, the tenth, the hundredth and so on get a warning: an
/// environment may return thousands.
pub fn warning(event: &TrainEvent<'_>) -> Option<String> {
    match *event {
        TrainEvent::Skipped { env_steps, site, value, env, action, skipped } if is_power_of_ten(skipped) => {
            let at = grouped(env_steps);
            let so_far = if skipped == 1 { String::new() } else { format!(", the {}th so far", grouped(skipped)) };
            Some(format!(
                "{site} is {value} at env step {at} in environment {env} after action {action}{so_far}: \
                 the step is dropped and the environment reset"
            ))
        }
        TrainEvent::LongEpisode { env_steps, env, length } => Some(format!(
            "the episode in environment {env} has lasted {} env steps so far, at env step {}: does it ever end?",
            grouped(length),
            grouped(env_steps)
        )),
        TrainEvent::Diagnosed { env_steps, finding } => Some(format!(
            "{} at env step {}: {}; {}",
            finding.check,
            grouped(env_steps),
            finding.evidence,
            finding.advice
        )),
        _ => None,
    }
}

fn is_power_of_ten(number: u64) -> bool {
    number > 0 && 10u64.checked_pow(number.ilog10()) == Some(number)
}

/// Prints warnings on stderr, and nothing else.
pub enum Warnings {
    /// Immediately.
    AtOnce,
    /// Later, when [`Warnings::say_kept`] is called: until then the screen is used by something else.
    Later(Vec<String>),
}

/// The maximum number of warnings kept, the first ones.
const MOST_KEPT: usize = 20;

impl Warnings {
    /// Prints the warnings that were kept.
    pub fn say_kept(self) {
        if let Warnings::Later(kept) = self {
            kept.iter().for_each(style::warn);
        }
    }
}

impl Observer for Warnings {
    fn on_event(&mut self, event: &TrainEvent<'_>) -> Result<(), ObserverError> {
        match (warning(event), self) {
            (Some(warning), Warnings::AtOnce) => style::warn(warning),
            (Some(warning), Warnings::Later(kept)) if kept.len() < MOST_KEPT => kept.push(warning),
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skipped_numbers_are_heard_of_ever_more_seldom() {
        let said = |skipped| {
            let (site, value) = ("reward", f64::NEG_INFINITY);
            warning(&TrainEvent::Skipped { env_steps: 1234, site, value, env: 2, action: 1, skipped })
        };
        let heard: Vec<u64> = (0..=1000).filter(|skipped| said(*skipped).is_some()).collect();
        assert_eq!(heard, [1, 10, 100, 1000]);
        let first = "reward is -inf at env step 1,234 in environment 2 after action 1: the step is dropped and the environment reset";
        assert_eq!(said(1).as_deref(), Some(first));
        assert!(said(100).unwrap().contains("after action 1, the 100th so far: "));
    }

    #[test]
    fn a_long_episode_is_heard_of() {
        let said = warning(&TrainEvent::LongEpisode { env_steps: 100_000, env: 0, length: 100_000 }).unwrap();
        assert!(said.starts_with("the episode in environment 0 has lasted 100,000 env steps so far"), "{said}");
        let episode =
            requel::train::EpisodeRecord { index: 0, return_: 0.0, length: 1, terminated: true, truncated: false };
        assert_eq!(warning(&TrainEvent::EpisodeEnded { env_steps: 1, episode }), None);
    }
}
