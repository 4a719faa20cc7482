//! [`Race`], which of the trials that lead get more seeds.

use super::halving::Step;

/// Trials that were trained to their end are held against more and more seeds: always the one that leads, until it leads with as many
/// as there are. One that fails with some of them falls behind, and the next seeds are the next one's. So a trial that holds with few
/// seeds by luck costs few.
///
/// A score over few seeds is as often too high as too low, and those that lead are the ones where it was too high: to ask for more
/// seeds of whoever leads is to look where the error is.
#[derive(Debug)]
pub(super) struct Race {
    /// The rung that all of them came to before it.
    first: usize,
    /// The rung with the most seeds.
    last: usize,
    runners: Vec<Runner>,
}

#[derive(Debug)]
struct Runner {
    trial: usize,
    rung: usize,
    score: f64,
    /// Whether it is on its way to the next rung.
    is_running: bool,
}

/// So many trials are in it at most: a long search has dozens of whole ones, of which the later ones are seldom the best.
pub(super) const MOST_RUNNERS: usize = 8;

impl Race {
    /// Of trials that came to the rung `first`, the best of them first, each with its score there.
    pub fn new(whole: &[(usize, f64)], (first, last): (usize, usize)) -> Self {
        let runners = whole
            .iter()
            .take(MOST_RUNNERS)
            .filter(|(_, score)| *score > f64::NEG_INFINITY)
            .map(|&(trial, score)| Runner { trial, rung: first, score, is_running: false });
        Race { first, last, runners: runners.collect() }
    }

    /// Who gets the next seeds; `None` where somebody is waited for, or the race is over.
    pub fn next(&mut self) -> Option<Step> {
        // Of equals the one that was held against more, then the earlier.
        let order = |one: &&mut Runner, other: &&mut Runner| {
            other.score.total_cmp(&one.score).then(other.rung.cmp(&one.rung)).then(one.trial.cmp(&other.trial))
        };
        let first = self.first;
        let is_beginning = self.runners.iter().all(|runner| !runner.is_running || runner.rung == first);
        let mut runners: Vec<&mut Runner> = self.runners.iter_mut().collect();
        runners.sort_by(order);
        // The first seeds are few, and leave cores idle: they are given to several at once.
        let at = match runners.first()?.is_running {
            true if is_beginning => runners.iter().position(|runner| !runner.is_running && runner.rung == first)?,
            true => return None,
            false => 0,
        };
        let runner = &mut runners[at];
        if runner.rung == self.last || runner.score == f64::NEG_INFINITY {
            return None;
        }
        runner.is_running = true;
        Some(Step { trial: runner.trial, rung: runner.rung + 1 })
    }

    /// A trial was held against the seeds of a rung. One that failed has the score of minus infinity.
    pub fn report(&mut self, step: Step, score: f64) {
        let runner = self.runners.iter_mut().find(|runner| runner.trial == step.trial).expect("it is in the race");
        (runner.rung, runner.score, runner.is_running) = (step.rung, score, false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All of a race between trials with these scores by rung, one at a time.
    fn steps(scores: &[[f64; 4]]) -> Vec<(usize, usize)> {
        let mut whole: Vec<(usize, f64)> = scores.iter().map(|of| of[0]).enumerate().collect();
        whole.sort_by(|one, other| other.1.total_cmp(&one.1));
        let mut race = Race::new(&whole, (2, 5));
        let mut steps = Vec::new();
        while let Some(step) = race.next() {
            steps.push((step.trial, step.rung));
            race.report(step, scores[step.trial][step.rung - 2]);
        }
        steps
    }

    #[test]
    fn whoever_leads_gets_the_next_seeds_and_whoever_falls_behind_gets_none() {
        let holds = [9.0, 9.0, 8.5, 8.5];
        let fails = [9.5, 4.0, 9.9, 9.9];
        let late = [8.9, 8.8, 8.6, 3.0];
        // The first fails at once; the second holds, until the third leads; that fails with the most seeds.
        assert_eq!(steps(&[fails, holds, late]), [(0, 3), (1, 3), (1, 4), (2, 3), (2, 4), (2, 5), (1, 5)]);
        assert_eq!(steps(&[holds]), [(0, 3), (0, 4), (0, 5)]);
        assert_eq!(steps(&[]), []);
    }

    #[test]
    fn of_equals_the_one_with_more_seeds_goes_on() {
        assert_eq!(steps(&[[5.0; 4], [5.0; 4]]), [(0, 3), (0, 4), (0, 5)]);
    }

    #[test]
    fn who_fails_with_more_seeds_is_out_and_where_all_do_nobody_goes_on() {
        let out = [9.0, f64::NEG_INFINITY, 0.0, 0.0];
        assert_eq!(steps(&[out, [1.0; 4]]), [(0, 3), (1, 3), (1, 4), (1, 5)]);
        assert_eq!(steps(&[out, [f64::NEG_INFINITY; 4]]), [(0, 3)]);
    }

    #[test]
    fn the_first_seeds_are_given_to_several_at_once_and_more_to_one_alone() {
        let whole: Vec<(usize, f64)> = (0..20).map(|trial| (trial, -(trial as f64))).collect();
        let mut race = Race::new(&whole, (2, 5));
        let begun: Vec<Step> = std::iter::from_fn(|| race.next()).collect();
        assert_eq!(begun.len(), MOST_RUNNERS);
        begun[1..].iter().for_each(|step| race.report(*step, -50.0));
        race.report(begun[0], 0.0);
        assert_eq!(race.next(), Some(Step { trial: 0, rung: 4 }));
        assert_eq!(race.next(), None, "the others wait for it");
    }

    #[test]
    fn one_that_comes_to_lead_while_another_has_won_goes_on() {
        let mut race = Race::new(&[(0, 9.0), (1, 8.0)], (2, 3));
        let begun = [race.next().unwrap(), race.next().unwrap()];
        race.report(begun[0], 9.0);
        assert_eq!(race.next(), None, "it leads with all seeds");
        race.report(begun[1], 9.5);
        assert_eq!(race.next(), None, "so does the other");
    }
}
