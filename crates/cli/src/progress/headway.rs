//! [`Headway`], how far training has come.

use std::time::{Duration, Instant};

use requel::train::Budget;

/// How far training has come, and how fast it is.
#[derive(Clone, Copy, Debug)]
pub struct Headway {
    /// When training stops.
    pub budget: Budget,
    /// Env steps so far.
    pub env_steps: u64,
    /// Episodes that have ended so far.
    pub episodes: u64,
    started: Instant,
    /// Where this session started.
    before: (u64, u64),
    /// How long training was paused, and since when it is paused now.
    held: (Duration, Option<Instant>),
    /// Where the current pace started: time in the session, and the fraction of the budget used.
    paced: (Duration, u64),
}

impl Headway {
    /// The start, now, of a session after others with this many env steps and episodes.
    pub fn new(budget: Budget, (env_steps, episodes): (u64, u64)) -> Self {
        let (started, before) = (Instant::now(), (env_steps, episodes));
        let (held, paced) = ((Duration::ZERO, None), (Duration::ZERO, 0));
        let mut headway = Headway { budget, env_steps, episodes, started, before, held, paced };
        headway.paced.1 = headway.used();
        headway
    }

    /// Records that training is paused from `now` on: time stands still.
    pub fn hold(&mut self, now: Instant) {
        self.held.1.get_or_insert(now);
    }

    /// Records that training continues at `now`, at a pace that is not known yet.
    pub fn go_on(&mut self, now: Instant) {
        if let Some(since) = self.held.1.take() {
            self.held.0 += now.duration_since(since);
        }
        self.paced = (self.elapsed_at(now), self.used());
    }

    /// Whether training is paused.
    pub fn is_held(&self) -> bool {
        self.held.1.is_some()
    }

    /// How much of the budget is used.
    pub fn used(&self) -> u64 {
        self.counted((self.env_steps, self.episodes))
    }

    /// The fraction of the budget used, 0 to 1.
    pub fn fraction(&self) -> f64 {
        (self.used() as f64 / self.budget.total().max(1) as f64).clamp(0.0, 1.0)
    }

    /// Time since this session started, without pauses.
    pub fn elapsed(&self) -> Duration {
        self.elapsed_at(Instant::now())
    }

    fn elapsed_at(&self, now: Instant) -> Duration {
        self.held.1.unwrap_or(now).saturating_duration_since(self.started).saturating_sub(self.held.0)
    }

    /// Env steps per second of this session.
    pub fn env_steps_per_second(&self) -> f64 {
        (self.env_steps - self.before.0) as f64 / self.elapsed().as_secs_f64().max(1e-9)
    }

    /// The remaining time at the current pace; `None` before one is known.
    pub fn time_left(&self) -> Option<Duration> {
        self.time_left_at(Instant::now())
    }

    fn time_left_at(&self, now: Instant) -> Option<Duration> {
        let done = self.used().saturating_sub(self.paced.1);
        let left = self.budget.total().saturating_sub(self.used());
        time_left(self.elapsed_at(now).saturating_sub(self.paced.0), done, left)
    }

    fn counted(&self, (env_steps, episodes): (u64, u64)) -> u64 {
        match self.budget {
            Budget::EnvSteps(_) => env_steps,
            Budget::Episodes(_) => episodes,
        }
    }
}

/// The time that `left` will take if `done` took `elapsed`; `None` if nothing is done yet.
pub fn time_left(elapsed: Duration, done: u64, left: u64) -> Option<Duration> {
    (done > 0).then(|| elapsed.mul_f64(left as f64 / done as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_stands_still_while_training_is_held_and_a_new_pace_begins_anew() {
        let mut headway = Headway::new(Budget::EnvSteps(50_000), (0, 0));
        let (started, seconds) = (headway.started, Duration::from_secs);
        let (two, hour, later) = (started + seconds(2), started + seconds(3602), started + seconds(3612));
        headway.env_steps = 2_000;
        assert_eq!(headway.time_left_at(two), Some(seconds(48)));
        headway.hold(two);
        for now in [two, hour] {
            let still = (headway.elapsed_at(now), headway.time_left_at(now), headway.is_held());
            assert_eq!(still, (seconds(2), Some(seconds(48)), true));
        }
        // At 50 env steps a second from there on, 47,500 take 950 s, however fast the first 2,000 were.
        headway.go_on(hour);
        assert_eq!((headway.time_left_at(hour), headway.is_held()), (None, false));
        headway.env_steps = 2_500;
        assert_eq!((headway.elapsed_at(later), headway.time_left_at(later)), (seconds(12), Some(seconds(950))));
    }

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
