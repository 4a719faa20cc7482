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
    /// The best is the one that leads.
    pub(super) fn of(trials: Vec<Trial>, env_steps: u64) -> Result<Self, TuneError> {
        match leader(&trials) {
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

/// The trial that leads: of those that came to as many env steps as any, and were held against at least half as many seeds as any of
/// those, the one with the highest score. A score over fewer seeds is more luck. Of equals the one with more seeds; then that with the
/// higher score at the rung before, which learned faster; then the earliest.
pub fn leader<'a>(trials: impl IntoIterator<Item = &'a Trial>) -> Option<&'a Trial> {
    let trials = trials.into_iter().filter(|trial| trial.failure.is_none());
    let scored: Vec<(&Trial, &Scored)> = trials.filter_map(|trial| Some((trial, trial.last()?))).collect();
    let longest = scored.iter().map(|(_, last)| last.env_steps).max()?;
    let furthest = scored.iter().filter(|(_, last)| last.env_steps == longest);
    let most = furthest.clone().map(|(_, last)| last.seeds.len()).max()?;
    let leaders = furthest.filter(|(_, last)| 2 * last.seeds.len() >= most);
    let best = leaders.max_by(|(one, a), (other, b)| {
        let before = || one.scores().iter().rev().partial_cmp(other.scores().iter().rev());
        a.score
            .total_cmp(&b.score)
            .then(a.seeds.len().cmp(&b.seeds.len()))
            .then_with(|| before().unwrap_or(std::cmp::Ordering::Equal))
            .then(other.number.cmp(&one.number))
    });
    best.map(|(trial, _)| *trial)
}

impl Trial {
    /// By the env steps that it came to, and by the score there. One that failed is below all.
    pub fn compare(&self, other: &Trial) -> std::cmp::Ordering {
        let reached = |trial: &Trial| trial.last().map_or(0, |scored| scored.env_steps);
        let key = |trial: &Trial| (trial.failure.is_none(), reached(trial));
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

    /// A trial with these scores, each with so many env steps and seeds.
    fn trial(number: usize, scores: &[(f64, u64, u64)]) -> Trial {
        let scored = |&(score, env_steps, seeds): &(f64, u64, u64)| {
            Scored::new(env_steps, (0..seeds).collect(), vec![score; seeds as usize])
        };
        let rungs = scores.iter().map(scored).collect();
        Trial { number, settings: Settings::new(), rungs, failure: None, config: Config::default() }
    }

    fn best(scores: &[&[(f64, u64, u64)]]) -> usize {
        let trials = scores.iter().enumerate().map(|(number, scores)| trial(number, scores)).collect();
        Tuned::of(trials, 0).unwrap().best
    }

    #[test]
    fn who_came_furthest_and_scored_highest_there_wins() {
        assert_eq!(best(&[&[(9.0, 1, 1)], &[(1.0, 1, 1), (2.0, 3, 1)], &[(1.0, 1, 1), (3.0, 3, 1)]]), 2);
        assert_eq!(
            best(&[&[(1.0, 1, 1), (5.0, 3, 1)], &[(2.0, 1, 1), (5.0, 3, 1)], &[(2.0, 1, 1), (5.0, 3, 1)]]),
            1,
            "of equals the one that learned faster, then the earlier"
        );
    }

    #[test]
    fn a_score_counts_where_there_are_half_as_many_seeds_as_any_has() {
        let fell = [(9.0, 3, 6), (4.0, 3, 24)];
        assert_eq!(best(&[&fell, &[(5.0, 3, 12)], &[(8.0, 3, 6)]]), 1, "six seeds are too few beside 24");
        assert_eq!(best(&[&fell, &[(3.0, 3, 12)]]), 0);
        assert_eq!(best(&[&[(5.0, 3, 6)], &[(5.0, 3, 12)], &[(5.0, 3, 6)]]), 1, "of equals the one with more");
    }

    #[test]
    fn who_failed_cannot_win() {
        let mut trials = vec![trial(0, &[(9.0, 1, 1), (9.0, 3, 1)]), trial(1, &[(1.0, 1, 1)])];
        trials[0].failure = Some("loss is NaN".into());
        assert_eq!(Tuned::of(trials.clone(), 0).unwrap().best, 1);
        trials.pop();
        assert!(matches!(Tuned::of(trials, 0), Err(TuneError::AllFailed { reason }) if reason == "loss is NaN"));
    }
}
