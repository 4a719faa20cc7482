//! [`Rungs`], how long trials are trained before they are told apart.

use serde::Serialize;

use super::TuneError;
use crate::config::Config;

/// A rung: what every trial that comes to it has been given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Rung {
    /// Env steps of each of its runs.
    pub env_steps: u64,
    /// Runs, each with a seed of its own.
    pub seeds: u64,
}

/// How a trial's training is divided into rungs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Rungs {
    /// Env steps of a run that comes to the last rung.
    pub env_steps: u64,
    /// How many lengths of training there are; 1: every trial is trained to its end.
    pub count: u32,
    /// η: of so many trials one goes on, and the next rung is so many times as long.
    pub reduction: u64,
    /// Seeds of the first runs that come to their end. Each rung before has one less, and one at least; once no more trials begin,
    /// whoever leads gets twice as many, then four times, and so on, on rungs of their own.
    pub seeds: u64,
}

/// Evaluations from the beginning of a run to its first rung, at least.
const TO_THE_FIRST: u64 = 4;
/// Evaluations of a whole training, at least: what its last ones say is part of its score.
const OF_THE_WHOLE: u64 = 32;
/// Episodes of an evaluation, at least.
const EPISODES: usize = 5;
/// Rungs of whole trainings with more and more seeds, after the first whole ones.
const CONFIRMATIONS: u32 = 4;
/// Each of them has so many times as many seeds as the one before.
const CONFIRMED: u64 = 2;

impl Rungs {
    /// The rungs, the first one first. Those that are no whole training end at an evaluation. Where trials are told apart at all, there
    /// are four more at the end that are not longer but have more seeds: with few of them the best score is luck.
    pub fn levels(&self) -> Vec<Rung> {
        let count = u64::from(self.count);
        let first = self.evaluate_every() * self.evaluations();
        let level = |rung: u64| Rung {
            env_steps: if rung + 1 == count { self.env_steps } else { first * self.reduction.pow(rung as u32) },
            seeds: self.seeds.saturating_sub(count - 1 - rung).max(1),
        };
        let confirmations = if count > 1 { CONFIRMATIONS } else { 0 };
        let more = (1..=confirmations)
            .map(|by| Rung { env_steps: self.env_steps, seeds: self.seeds.saturating_mul(CONFIRMED.pow(by)) });
        (0..count).map(level).chain(more).collect()
    }

    /// Whether every rung is longer than the one before.
    pub fn is_ascending(&self) -> bool {
        self.count > 0 && self.first() >= self.evaluations()
    }

    /// Looks whether the numbers are of use.
    ///
    /// # Errors
    /// With the first that is not.
    pub(super) fn check(&self) -> Result<(), TuneError> {
        let wrong = |what, value: u64, complaint| Err(TuneError::Number { what, value: value.to_string(), complaint });
        match *self {
            Rungs { count, .. } if !(1..=20).contains(&count) => wrong("rungs", count.into(), "not between 1 and 20"),
            Rungs { reduction, .. } if !(2..=100).contains(&reduction) => {
                wrong("reduction", reduction, "not between 2 and 100")
            }
            Rungs { seeds, .. } if !(1..=100).contains(&seeds) => wrong("seeds", seeds, "not between 1 and 100"),
            Rungs { env_steps, .. } if !self.is_ascending() => {
                wrong("env_steps", env_steps, "too few for so many rungs")
            }
            _ => Ok(()),
        }
    }

    /// The config with the budget and the evaluations of a trial. When it is evaluated, over how many episodes at least, and for how
    /// long it is trained, is the search's to say; all else is as it was.
    pub fn apply(&self, config: &Config) -> Config {
        let mut config = config.clone();
        config.train.env_steps = self.env_steps;
        config.train.episodes = 0;
        config.evaluation.every_steps = self.evaluate_every();
        config.evaluation.every_episodes = 0;
        config.evaluation.episodes = config.evaluation.episodes.max(EPISODES);
        if config.evaluation.stop_after == 0 {
            // It would only say more of a policy that is good anyway, and often cost more than the training.
            config.evaluation.confirm_episodes = 0;
        }
        config
    }

    /// Env steps of the first rung, about.
    fn first(&self) -> u64 {
        self.env_steps / self.parts()
    }

    /// So many times the first rung is a whole training.
    fn parts(&self) -> u64 {
        self.reduction.saturating_pow(self.count.saturating_sub(1)).max(1)
    }

    /// Evaluations up to the first rung.
    fn evaluations(&self) -> u64 {
        OF_THE_WHOLE.div_ceil(self.parts()).max(TO_THE_FIRST)
    }

    fn evaluate_every(&self) -> u64 {
        (self.first() / self.evaluations()).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rung_is_three_times_the_one_before_and_ends_at_an_evaluation() {
        let rungs = Rungs { env_steps: 50_000, count: 3, reduction: 3, seeds: 3 };
        let levels: Vec<(u64, u64)> = rungs.levels().iter().map(|rung| (rung.env_steps, rung.seeds)).collect();
        assert_eq!(
            levels,
            [(5_552, 1), (16_656, 2), (50_000, 3), (50_000, 6), (50_000, 12), (50_000, 24), (50_000, 48)]
        );
        let config = rungs.apply(&Config::default());
        assert_eq!(config.evaluation.every_steps, 1_388);
        assert_eq!((config.train.env_steps, config.train.episodes), (50_000, 0));
        assert_eq!(config.evaluation.confirm_episodes, 0, "nothing stops by it");
        let stopping = crate::config::Layers::new().set("evaluation.stop_after=2").unwrap().resolve().unwrap();
        assert_eq!(rungs.apply(&stopping).evaluation.confirm_episodes, stopping.evaluation.confirm_episodes);
        assert!(levels[..2].iter().all(|(env_steps, _)| env_steps % 1_388 == 0));
    }

    #[test]
    fn one_rung_is_the_whole_training() {
        let rungs = Rungs { env_steps: 100, count: 1, reduction: 3, seeds: 2 };
        assert_eq!(rungs.levels(), [Rung { env_steps: 100, seeds: 2 }]);
        assert!(rungs.is_ascending());
        assert!(!Rungs { env_steps: 20, count: 4, ..rungs }.is_ascending());
    }
}
