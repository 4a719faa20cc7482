//! [`Halving`], which trials go on.

use super::Rung;
use super::race::{MOST_RUNNERS, Race};

/// Successive halving without waiting, ASHA (Li et al. 2020, "A System for Massively Parallel Hyperparameter Tuning"): whenever
/// somebody is free, a trial among the best 1/η of a rung goes on to the next one, the highest rung first; where there is none, a new
/// trial begins.
///
/// A search has an end, which the paper leaves open: once no more trials begin, the best 1/η of a rung is rounded up, so that one
/// at least comes to the end of its training. Only then is there a [`Race`] with more seeds between those that are whole: who leads
/// before has been held against few. The first trial is trained to its end in any case. It holds no clock and draws nothing: what it
/// says is a function of what it was told, in order.
#[derive(Debug)]
pub(super) struct Halving {
    reduction: usize,
    levels: Vec<Rung>,
    /// Up to the first whole training.
    rungs: Vec<Level>,
    begun: usize,
    is_closed: bool,
    /// Once it has begun.
    race: Option<Race>,
    /// Whether it was ended before its end.
    is_over: bool,
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
        let whole = levels.last().map_or(0, |last| last.env_steps);
        let shorter = levels.iter().filter(|level| level.env_steps < whole).count();
        let rungs = (0..=shorter).map(|_| Level::default()).collect();
        Halving { reduction, levels: levels.to_vec(), rungs, begun: 0, is_closed: false, race: None, is_over: false }
    }

    /// How many trials have begun.
    pub fn begun(&self) -> usize {
        self.begun
    }

    /// From now on no trial begins.
    pub fn close(&mut self) {
        self.is_closed = true;
    }

    /// Whether a step is one of the race, in which there are only more seeds.
    pub fn is_of_race(&self, step: Step) -> bool {
        step.rung >= self.rungs.len()
    }

    /// From now on nobody gets more seeds.
    pub fn end_race(&mut self) {
        self.is_over = true;
    }

    /// Who goes on next; `None`: there is nothing to do before something else is told.
    pub fn next(&mut self) -> Option<Step> {
        if self.is_over {
            return None;
        }
        if let Some(race) = &mut self.race {
            return race.next();
        }
        let leads = |rung: &usize| {
            let best = self.candidate(*rung, self.rungs[*rung].scored.len() / self.reduction);
            best.or_else(|| self.first_of_all(*rung))
        };
        let whole = self.rungs.len() - 1;
        let promoted = (0..whole).rev().find_map(|rung| Some((rung, leads(&rung)?)));
        if let Some((rung, trial)) = promoted {
            return Some(self.promote(rung, trial));
        }
        if !self.is_closed {
            let step = Step { trial: self.begun, rung: 0 };
            self.begun += 1;
            self.rungs[0].open += 1;
            return Some(step);
        }
        for rung in 0..whole {
            if self.rungs[rung].open > 0 {
                return None;
            }
            if let Some(trial) = self.candidate(rung, self.rungs[rung].scored.len().div_ceil(self.reduction)) {
                return Some(self.promote(rung, trial));
            }
        }
        if self.rungs[whole].open > 0 {
            return None;
        }
        self.race = Some(Race::new(&self.rungs[whole].scored, (whole, self.levels.len() - 1)));
        self.next()
    }

    /// Env steps of training that are left, were no trial to begin from now on, those on their way included; about, since the first trial
    /// is trained to its end beside those that lead, and nobody knows how a race will go: all that are in it get its first seeds, and
    /// one of them all.
    pub fn left(&self) -> u64 {
        let cost = |rung: usize| self.levels[rung].env_steps * self.levels[rung].seeds;
        let of_step = |rung: usize| cost(rung) - rung.checked_sub(1).map_or(0, cost);
        let mut coming = 0;
        let mut left = 0;
        for (rung, level) in self.rungs.iter().enumerate() {
            left += of_step(rung) * (level.open + coming) as u64;
            let there = level.scored.len() + level.open + coming;
            coming = match rung + 1 == self.rungs.len() {
                true => there.min(MOST_RUNNERS),
                false => there.div_ceil(self.reduction).saturating_sub(level.promoted.len()),
            };
        }
        let of_race = (self.rungs.len()..self.levels.len()).map(|rung| {
            let runners = if rung == self.rungs.len() { coming } else { coming.min(1) };
            of_step(rung) * runners as u64
        });
        left + of_race.sum::<u64>()
    }

    /// A trial has come to the end of a rung. One that failed has the score of minus infinity, and does not go on.
    pub fn report(&mut self, step: Step, score: f64) {
        let Step { trial, rung } = step;
        if let Some(race) = self.race.as_mut().filter(|_| rung >= self.rungs.len()) {
            return race.report(step, score);
        }
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
    fn what_is_left_is_known_but_for_how_the_race_will_go() {
        let seeds = |seeds| Rung { env_steps: 300, seeds };
        let levels = [Rung { env_steps: 100, seeds: 1 }, seeds(1), seeds(2), seeds(4)];
        let mut halving = Halving::new(&levels, 3);
        let mut open: Vec<Step> = (0..9).map(|_| halving.next().unwrap()).collect();
        halving.close();
        // Nine to the first rung, three to the second, all of those to the first seeds of the race, and one to its end.
        let mut left = 9 * 100 + 3 * 200 + 3 * 300 + 600;
        let mut race = Vec::new();
        while let Some(step) = open.pop().or_else(|| halving.next()) {
            if halving.is_of_race(step) {
                race.push((step.trial, step.rung));
            } else {
                assert_eq!(halving.left(), left);
                left -= [100, 200][step.rung];
            }
            halving.report(step, -(step.trial as f64));
        }
        assert_eq!(left, 3 * 300 + 600);
        assert_eq!(race, [(0, 2), (0, 3)], "the first leads all the way");
    }

    #[test]
    fn a_race_begins_once_all_are_whole_and_can_be_ended() {
        let levels = [1, 2, 4, 8].map(|seeds| Rung { env_steps: 300, seeds });
        for ended_after in [0, 2, usize::MAX] {
            let mut halving = Halving::new(&levels, 3);
            let mut counts = [0; 4];
            while let Some(step) = halving.next() {
                if halving.is_of_race(step) && counts[1..].iter().sum::<usize>() == ended_after {
                    halving.end_race();
                    break;
                }
                counts[step.rung] += 1;
                // The later, the better, and with more seeds all of them are worse than they seemed.
                halving.report(step, step.trial as f64 - if step.rung > 0 { 100.0 } else { 0.0 });
                if halving.begun() == 13 {
                    halving.close();
                }
            }
            assert_eq!(counts[0], 13);
            let of_race = counts[1..].iter().sum::<usize>();
            assert!(if ended_after > 2 { counts[1..] == [8, 1, 1] } else { of_race == ended_after }, "{counts:?}");
            assert_eq!(halving.next(), None);
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
