//! [`Pace`], how fast a session may run, and the gate that holds it back.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How fast training may run. It changes no result.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Pace {
    /// As fast as possible.
    #[default]
    Full,
    /// This many steps of the environments per second.
    Limited(f32),
    /// Only individually allowed steps, see [`Control::allow_step`](super::Control::allow_step).
    Paused,
}

/// How often training that is held back checks for other requests.
const PATIENCE: Duration = Duration::from_millis(50);

/// Holds the training thread back before a step.
#[derive(Debug, Default)]
pub(super) struct Gate {
    /// Whether the pace is limited: checked before every step.
    holds: AtomicBool,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Clone, Copy, Debug, Default)]
struct State {
    pace: Pace,
    /// Steps that are allowed while paused.
    allowed: u32,
}

impl Gate {
    pub fn pace(&self) -> Pace {
        self.lock().pace
    }

    /// Sets the pace; previously allowed steps are cancelled.
    pub fn set_pace(&self, pace: Pace) {
        let mut state = self.lock();
        *state = State { pace, allowed: 0 };
        self.holds.store(pace != Pace::Full, Ordering::Relaxed);
        drop(state);
        self.changed.notify_all();
    }

    /// Allows one step while paused.
    pub fn allow_step(&self) {
        self.lock().allowed += 1;
        self.changed.notify_all();
    }

    /// Whether the next step may be made, given that the previous one started at `last_step`. Waits for that, but not long: then the answer
    /// is no, and the caller checks for other requests.
    pub fn may_step(&self, last_step: Instant) -> bool {
        if !self.holds.load(Ordering::Relaxed) {
            return true;
        }
        let given_up = Instant::now() + PATIENCE;
        let mut state = self.lock();
        loop {
            let now = Instant::now();
            let due = match state.pace {
                Pace::Full => return true,
                Pace::Limited(steps_per_second) => {
                    last_step + Duration::from_secs_f32(1.0 / steps_per_second.max(0.01))
                }
                Pace::Paused if state.allowed > 0 => {
                    state.allowed -= 1;
                    return true;
                }
                Pace::Paused => given_up,
            };
            if due <= now {
                return state.pace != Pace::Paused;
            }
            if given_up <= now {
                return false;
            }
            let wait = due.min(given_up) - now;
            state = self.changed.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// If a thread panics, the value behind this lock is still consistent: it is changed in one step.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_allowed_passes_a_paused_gate() {
        let gate = Gate::default();
        assert!(gate.may_step(Instant::now()));
        gate.set_pace(Pace::Paused);
        gate.allow_step();
        gate.allow_step();
        assert_eq!([0; 3].map(|_| gate.may_step(Instant::now())), [true, true, false]);
        gate.allow_step();
        gate.set_pace(Pace::Paused);
        assert!(!gate.may_step(Instant::now()), "what was allowed before the pause is forgotten");
        gate.set_pace(Pace::Full);
        assert!(gate.may_step(Instant::now()));
    }

    #[test]
    fn a_limited_pace_lets_a_step_pass_once_it_is_due() {
        let gate = Gate::default();
        let begun = Instant::now();
        gate.set_pace(Pace::Limited(100.0));
        assert!(gate.may_step(begun) && begun.elapsed() >= Duration::from_millis(10));
        gate.set_pace(Pace::Limited(0.1));
        assert!(!gate.may_step(Instant::now()));
        assert!(gate.may_step(begun - Duration::from_secs(10)));
    }

    #[test]
    fn a_gate_that_is_opened_wakes_whoever_waits() {
        let gate = Gate::default();
        gate.set_pace(Pace::Paused);
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| while !gate.may_step(Instant::now()) {});
            gate.set_pace(Pace::Full);
            waiting.join().unwrap();
        });
    }
}
