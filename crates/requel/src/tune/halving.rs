//! [`Halving`], which trials go on.

use super::Rung;
use super::rungs::{CONFIRMED, MOST_CONFIRMED};

/// Successive halving without waiting, ASHA (Li et al. 2020, "A System for Massively Parallel Hyperparameter Tuning"): whenever
/// somebody is free, a trial among the best 1/η of a rung goes on to the next one, the highest rung first; where there is none, a new
/// trial begins.
///
/// A search has an end, which the paper leaves open: once no more trials begin, the best 1/η of a rung is rounded up, so that one
/// at least comes to the last rung. Only then are those that are whole confirmed with more seeds, eight at most and by halves: who leads before has been
/// held against few. Of those that are confirmed there are two at least, or nothing would be chosen there. The first trial is trained
/// to its end in any case. It holds no clock and draws nothing: what it says is a function of what it was told, in order.
#[derive(Debug)]
pub(super) struct Halving {
    reduction: usize,
    levels: Vec<Rung>,
    rungs: Vec<Level>,
    begun: usize,
    is_closed: bool,
}

/// What is known of a rung.
#[derive(Debug, Default)]
struct Level {
    /// Trial and score of those that have come to its end.
    scored: Vec<(usize, f64)>,
    /// Those among them that went on.
    promoted: Vec<usize>,
    /// How many are on their way.
    open: usize,
}

/// Who goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// The trial.
    pub trial: usize,
    /// The rung that it is to come to.
    pub rung: usize,
}

impl Halving {
    /// Before the first trial.
    pub fn new(levels: &[Rung], reduction: usize) -> Self {
        let rungs = levels.iter().map(|_| Level::default()).collect();
        Halving { reduction, levels: levels.to_vec(), rungs, begun: 0, is_closed: false }
    }

    /// How many trials have begun.
    pub fn begun(&self) -> usize {
        self.begun
    }

    /// From now on no trial begins.
    pub fn close(&mut self) {
        self.is_closed = true;
    }

    /// Who goes on next; `None`: there is nothing to do before something else is told.
    pub fn next(&mut self) -> Option<Step> {
        let leads = |rung: &usize| {
            let best = self.candidate(*rung, self.rungs[*rung].scored.len() / self.reduction);
            best.or_else(|| self.first_of_all(*rung))
        };
        let to_the_end = (0..self.rungs.len() - 1).filter(|rung| !self.is_whole(*rung)).rev();
        let promoted = to_the_end.filter_map(|rung| Some((rung, leads(&rung)?))).next();
        if let Some((rung, trial)) = promoted {
            return Some(self.promote(rung, trial));
        }
        if !self.is_closed {
            let step = Step { trial: self.begun, rung: 0 };
            self.begun += 1;
            self.rungs[0].open += 1;
            return Some(step);
        }
        for rung in 0..self.rungs.len() - 1 {
            if self.rungs[rung].open > 0 {
                return None;
            }
            if let Some(trial) = self.candidate(rung, self.goes_on(rung, self.rungs[rung].scored.len())) {
                return Some(self.promote(rung, trial));
            }
        }
        None
    }

    /// Env steps of training that are left, were no trial to begin from now on, those on their way included; about, since the first trial
    /// is trained to its end beside those that lead.
    pub fn left(&self) -> u64 {
        let cost = |rung: usize| self.levels[rung].env_steps * self.levels[rung].seeds;
        let of_step = |rung: usize| cost(rung) - rung.checked_sub(1).map_or(0, cost);
        let mut coming = 0;
        let mut left = 0;
        for (rung, level) in self.rungs.iter().enumerate() {
            left += of_step(rung) * (level.open + coming) as u64;
            let there = level.scored.len() + level.open + coming;
            coming = self.goes_on(rung, there).min(there).saturating_sub(level.promoted.len());
        }
        left
    }

    /// How many of so many go on from a rung in the end.
    fn goes_on(&self, rung: usize, there: usize) -> usize {
        if !self.is_whole(rung) {
            return there.div_ceil(self.reduction);
        }
        let whole_before = (0..rung).filter(|rung| self.is_whole(*rung)).count();
        let most = MOST_CONFIRMED >> whole_before;
        there.div_ceil(CONFIRMED as usize).min(most).max(2)
    }

    /// Whether a rung is of whole trainings, after which there are only more seeds.
    fn is_whole(&self, rung: usize) -> bool {
        self.levels[rung].env_steps == self.levels[self.levels.len() - 1].env_steps
    }

    /// A trial has come to the end of a rung. One that failed has the score of minus infinity, and does not go on.
    pub fn report(&mut self, Step { trial, rung }: Step, score: f64) {
        self.rungs[rung].open -= 1;
        self.rungs[rung].scored.push((trial, score));
        self.rungs[rung].scored.sort_by(|one, other| other.1.total_cmp(&one.1).then(one.0.cmp(&other.0)));
    }

    /// The best of a rung that has not gone on, among so many.
    fn candidate(&self, rung: usize, quota: usize) -> Option<usize> {
        let Level { scored, promoted, .. } = &self.rungs[rung];
        let leads = scored.iter().take(quota).find(|(trial, _)| !promoted.contains(trial))?;
        (leads.1 > f64::NEG_INFINITY).then_some(leads.0)
    }

    /// The first trial, where it has not gone on: it is what the search began from, and is trained to its end for the best to be held against.
    fn first_of_all(&self, rung: usize) -> Option<usize> {
        let Level { scored, promoted, .. } = &self.rungs[rung];
        let is_there = scored.iter().any(|(trial, score)| *trial == 0 && *score > f64::NEG_INFINITY);
        (is_there && !promoted.contains(&0)).then_some(0)
    }

    fn promote(&mut self, rung: usize, trial: usize) -> Step {
        self.rungs[rung].promoted.push(trial);
        self.rungs[rung + 1].open += 1;
        Step { trial, rung: rung + 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rungs(count: u64) -> Vec<Rung> {
        (0..count).map(|rung| Rung { env_steps: 100 * 3u64.pow(rung as u32), seeds: 1 }).collect()
    }

    /// All of a search, one at a time.
    fn steps(trials: usize, score: fn(usize) -> f64) -> Vec<(usize, usize)> {
        let mut halving = Halving::new(&rungs(3), 3);
        let mut steps = Vec::new();
        loop {
            if halving.begun() == trials {
                halving.close();
            }
            let Some(step) = halving.next() else { return steps };
            steps.push((step.trial, step.rung));
            halving.report(step, score(step.trial));
        }
    }

    #[test]
    fn nine_trials_by_hand() {
        // Each is worse than the one before.
        let first = [(0, 0), (0, 1), (0, 2), (1, 0), (2, 0), (3, 0), (4, 0), (5, 0), (1, 1)];
        let then = [(6, 0), (7, 0), (8, 0), (2, 1)];
        assert_eq!(steps(9, |trial| -(trial as f64)), [&first[..], &then].concat());
    }

    #[test]
    fn of_those_that_are_confirmed_there_is_a_choice_and_what_is_left_is_known() {
        let seeds = |seeds| Rung { env_steps: 300, seeds };
        let levels = [Rung { env_steps: 100, seeds: 1 }, seeds(1), seeds(2), seeds(4)];
        let mut halving = Halving::new(&levels, 3);
        let mut open: Vec<Step> = (0..9).map(|_| halving.next().unwrap()).collect();
        halving.close();
        // Nine to the first rung, three to the second, and two of those to both of the others.
        let mut left = 9 * 100 + 3 * 200 + 2 * 300 + 2 * 600;
        let mut last = Vec::new();
        while let Some(step) = open.pop().or_else(|| halving.next()) {
            assert_eq!(halving.left(), left);
            left -= [100, 200, 300, 600][step.rung];
            halving.report(step, -(step.trial as f64));
            last.extend((step.rung == 3).then_some(step.trial));
        }
        assert_eq!(left, 0);
        last.sort_unstable();
        assert_eq!(last, [0, 1]);
    }

    #[test]
    fn of_many_that_are_whole_eight_at_most_are_confirmed_and_then_by_halves() {
        let levels = [1, 2, 4, 8].map(|seeds| Rung { env_steps: 300, seeds });
        for (whole, expected) in [(40, [8, 4, 2]), (13, [7, 4, 2]), (5, [3, 2, 2])] {
            let mut halving = Halving::new(&levels, 3);
            let mut counts = [0; 4];
            while let Some(step) = halving.next() {
                counts[step.rung] += 1;
                halving.report(step, -(step.trial as f64));
                if halving.begun() == whole {
                    halving.close();
                }
            }
            assert_eq!(counts, [whole, expected[0], expected[1], expected[2]]);
        }
    }

    #[test]
    fn however_few_there_are_the_best_comes_to_the_end() {
        for trials in 1..12 {
            let steps = steps(trials, |trial| trial as f64);
            assert!(steps.contains(&(trials - 1, 2)), "{trials}: {steps:?}");
            let mut distinct = steps.clone();
            distinct.sort_unstable();
            distinct.dedup();
            assert_eq!(distinct.len(), steps.len(), "{steps:?}");
        }
    }

    #[test]
    fn who_failed_does_not_go_on_and_equals_go_in_their_order() {
        let mut halving = Halving::new(&rungs(2), 2);
        let begun: Vec<Step> = (0..4).map(|_| halving.next().unwrap()).collect();
        halving.close();
        assert_eq!(halving.next(), None, "the first rung is not over");
        for (step, score) in begun.into_iter().zip([f64::NEG_INFINITY, 1.0, 1.0, f64::NEG_INFINITY]) {
            halving.report(step, score);
        }
        let next: Vec<Option<Step>> = (0..3).map(|_| halving.next()).collect();
        assert_eq!(next, [Some(Step { trial: 1, rung: 1 }), Some(Step { trial: 2, rung: 1 }), None]);
    }
}
