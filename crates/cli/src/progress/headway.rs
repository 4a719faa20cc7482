//! [`Headway`], how far a training is on its way.

use std::time::{Duration, Instant};

use requel::train::Budget;

/// How far a training is on its way, and how fast it goes.
#[derive(Clone, Copy, Debug)]
pub struct Headway {
    /// What training stops at.
    pub budget: Budget,
    /// Env steps so far.
    pub env_steps: u64,
    /// Episodes that ended so far.
    pub episodes: u64,
    started: Instant,
    /// Where this session began.
    before: (u64, u64),
}

impl Headway {
    /// The start, now, of a session after others that made so many env steps and episodes.
    pub fn new(budget: Budget, (env_steps, episodes): (u64, u64)) -> Self {
        Headway { budget, env_steps, episodes, started: Instant::now(), before: (env_steps, episodes) }
    }

    /// How much of the budget is used.
    pub fn used(&self) -> u64 {
        self.counted((self.env_steps, self.episodes))
    }

    /// The part of the budget that is used, 0 to 1.
    pub fn fraction(&self) -> f64 {
        (self.used() as f64 / self.budget.total().max(1) as f64).clamp(0.0, 1.0)
    }

    /// Time since this session began.
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Env steps per second of this session.
    pub fn env_steps_per_second(&self) -> f64 {
        (self.env_steps - self.before.0) as f64 / self.elapsed().as_secs_f64().max(1e-9)
    }

    /// The time that is left at this session's pace; `None` before there is one.
    pub fn time_left(&self) -> Option<Duration> {
        let done = self.used().saturating_sub(self.counted(self.before));
        let left = self.budget.total().saturating_sub(self.used());
        time_left(self.elapsed(), done, left)
    }

    fn counted(&self, (env_steps, episodes): (u64, u64)) -> u64 {
        match self.budget {
            Budget::EnvSteps(_) => env_steps,
            Budget::Episodes(_) => episodes,
        }
    }
}

/// The time that `left` will take if `done` took `elapsed`; `None` before anything is done.
pub fn time_left(elapsed: Duration, done: u64, left: u64) -> Option<Duration> {
    (done > 0).then(|| elapsed.mul_f64(left as f64 / done as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_earlier_sessions_made_tells_no_pace() {
        let mut headway = Headway::new(Budget::Episodes(10), (100, 4));
        assert_eq!((headway.used(), headway.fraction(), headway.time_left()), (4, 0.4, None));
        headway.episodes = 7;
        // Three done, three left: as long again as it took.
        let (before, left, after) = (headway.elapsed(), headway.time_left().unwrap(), headway.elapsed());
        assert!(before <= left && left <= after, "{before:?} {left:?} {after:?}");
        assert_eq!(headway.env_steps_per_second(), 0.0);
    }
}
