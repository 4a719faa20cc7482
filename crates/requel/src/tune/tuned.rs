//! [`Tuned`], what a search came to.

use serde::Serialize;

use super::{Scored, Trial, TuneError};

/// What a search came to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Tuned {
    /// Every trial, in the order in which they began.
    pub trials: Vec<Trial>,
    /// The number of the best.
    pub best: usize,
    /// Env steps of all training.
    pub env_steps: u64,
}

impl Tuned {
    /// The best is the one with the highest score at the last rung; of equals that with the higher score at the rung before, which learned
    /// faster; of those the earliest.
    pub(super) fn of(trials: Vec<Trial>, env_steps: u64) -> Result<Self, TuneError> {
        let best = trials.iter().filter(|trial| trial.failure.is_none()).max_by(|one, other| {
            let (a, b) = (one.scores(), other.scores());
            let from_the_top = |scores: &[f64]| scores.iter().rev().copied().collect::<Vec<f64>>();
            let by_score = || {
                let pairs = from_the_top(&a).into_iter().zip(from_the_top(&b));
                pairs.map(|(a, b)| a.total_cmp(&b)).find(|order| order.is_ne())
            };
            let by_rung = a.len().cmp(&b.len());
            by_rung.then_with(|| by_score().unwrap_or_else(|| other.number.cmp(&one.number)))
        });
        match best {
            Some(best) => Ok(Tuned { best: best.number, trials, env_steps }),
            None => {
                let reason = trials.iter().find_map(|trial| trial.failure.clone()).unwrap_or_default();
                Err(TuneError::AllFailed { reason })
            }
        }
    }

    /// The best trial.
    pub fn winner(&self) -> &Trial {
        &self.trials[self.best]
    }

    /// What the best trial came to.
    pub fn score(&self) -> &Scored {
        self.winner().last().expect("the best trial has been scored")
    }
}

impl Trial {
    /// By the highest rung that it came to, and by the score there. One that failed is below all.
    pub(super) fn compare(&self, other: &Trial) -> std::cmp::Ordering {
        let key = |trial: &Trial| (trial.failure.is_none(), trial.rungs.len());
        let score = |trial: &Trial| trial.last().map_or(f64::NEG_INFINITY, |scored| scored.score);
        key(self).cmp(&key(other)).then_with(|| score(self).total_cmp(&score(other)))
    }

    /// Its score at each rung.
    pub fn scores(&self) -> Vec<f64> {
        self.rungs.iter().map(|scored| scored.score).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::tune::Settings;

    fn trial(number: usize, scores: &[f64]) -> Trial {
        let scored = |score: &f64| Scored::new(1, vec![1], vec![*score]);
        let rungs = scores.iter().map(scored).collect();
        Trial { number, settings: Settings::new(), rungs, failure: None, config: Config::default() }
    }

    fn best(scores: &[&[f64]]) -> usize {
        let trials = scores.iter().enumerate().map(|(number, scores)| trial(number, scores)).collect();
        Tuned::of(trials, 0).unwrap().best
    }

    #[test]
    fn who_came_furthest_and_scored_highest_there_wins() {
        assert_eq!(best(&[&[9.0], &[1.0, 2.0], &[1.0, 3.0]]), 2);
        assert_eq!(
            best(&[&[1.0, 5.0], &[2.0, 5.0], &[2.0, 5.0]]),
            1,
            "of equals the one that learned faster, then the earlier"
        );
    }

    #[test]
    fn who_failed_cannot_win() {
        let mut trials = vec![trial(0, &[9.0, 9.0]), trial(1, &[1.0])];
        trials[0].failure = Some("loss is NaN".into());
        assert_eq!(Tuned::of(trials.clone(), 0).unwrap().best, 1);
        trials.pop();
        assert!(matches!(Tuned::of(trials, 0), Err(TuneError::AllFailed { reason }) if reason == "loss is NaN"));
    }
}
