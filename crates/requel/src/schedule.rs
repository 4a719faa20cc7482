//! [`Schedule`], a number as a function of the env step.

/// A number that follows the count of env steps, and nothing else: there is no state to save.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Schedule {
    /// Always the same.
    Constant(f64),
    /// From `start` to `end` in a line over `env_steps`, then `end`.
    Linear {
        /// Value at step 0.
        start: f64,
        /// Value from step `env_steps` on.
        end: f64,
        /// Length, env steps.
        env_steps: u64,
    },
    /// `end + (start − end)·exp(−t / env_steps)`; `end` from the beginning where `env_steps` is 0.
    Exponential {
        /// Value at step 0.
        start: f64,
        /// What it tends to.
        end: f64,
        /// Time constant, env steps.
        env_steps: u64,
    },
}

impl Schedule {
    /// The value after `env_step` env steps.
    ///
    /// ```
    /// use requel::Schedule;
    /// let epsilon = Schedule::Linear { start: 1.0, end: 0.1, env_steps: 100 };
    /// assert_eq!(epsilon.at(0), 1.0);
    /// assert_eq!(epsilon.at(50), 0.55);
    /// assert_eq!(epsilon.at(1_000_000), 0.1);
    /// ```
    pub fn at(&self, env_step: u64) -> f64 {
        match *self {
            Schedule::Constant(value) => value,
            Schedule::Linear { end, env_steps, .. } if env_step >= env_steps => end,
            Schedule::Linear { start, end, env_steps } => start + (end - start) * (env_step as f64 / env_steps as f64),
            Schedule::Exponential { end, env_steps: 0, .. } => end,
            Schedule::Exponential { start, end, env_steps } => {
                // libm, not std: the same bits on every machine.
                end + (start - end) * libm::exp(-(env_step as f64) / env_steps as f64)
            }
        }
    }
}

/// How many multiples of `every` lie above `before` and not above `after`: how often something due every so many env
/// steps is due when several environments step at once.
///
/// # Panics
/// If `every` is 0, or `after` is before `before`.
pub fn crossings(every: u64, before: u64, after: u64) -> u64 {
    assert!(every > 0, "what is due every 0 env steps is never due");
    assert!(before <= after, "from env step {before} back to {after}");
    after / every - before / every
}

#[cfg(test)]
mod tests {
    use super::{Schedule, crossings};

    #[test]
    fn crossings_count_multiples() {
        let table = [(4, 0, 1, 0), (4, 3, 4, 1), (4, 4, 5, 0), (4, 3, 8, 2), (1, 7, 10, 3)];
        for (every, before, after, expected) in table {
            assert_eq!(crossings(every, before, after), expected);
        }
    }

    #[test]
    fn table() {
        let cases = [
            (Schedule::Constant(0.1), 5, 0.1),
            (Schedule::Linear { start: 1.0, end: 0.0, env_steps: 4 }, 0, 1.0),
            (Schedule::Linear { start: 1.0, end: 0.0, env_steps: 4 }, 1, 0.75),
            (Schedule::Linear { start: 1.0, end: 0.0, env_steps: 4 }, 4, 0.0),
            (Schedule::Linear { start: 1.0, end: 0.0, env_steps: 4 }, u64::MAX, 0.0),
            (Schedule::Exponential { start: 1.0, end: 0.0, env_steps: 10 }, 0, 1.0),
            (Schedule::Exponential { start: 1.0, end: 0.5, env_steps: 0 }, 0, 0.5),
            (Schedule::Linear { start: 1.0, end: 0.5, env_steps: 0 }, 0, 0.5),
            (Schedule::Exponential { start: 1.0, end: 0.5, env_steps: 10 }, 10, 0.683_939_720_585_721_2),
        ];
        for (schedule, step, expected) in cases {
            assert!((schedule.at(step) - expected).abs() < 1e-15, "{schedule:?} at {step}");
        }
    }
}
