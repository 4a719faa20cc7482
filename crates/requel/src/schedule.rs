//! [`Schedule`], a number as a function of the env step.

use std::fmt;
use std::sync::Arc;

/// A number that depends on the count of env steps and nothing else: there is no state to save.
#[derive(Clone, Debug, PartialEq)]
pub enum Schedule {
    /// Constant.
    Constant(f64),
    /// Linear from `start` to `end` over `env_steps`, then `end`.
    Linear {
        /// Value at step 0.
        start: f64,
        /// Value from step `env_steps` on.
        end: f64,
        /// Length, env steps.
        env_steps: u64,
    },
    /// `end + (start − end)·exp(−t / env_steps)`; always `end` if `env_steps` is 0.
    Exponential {
        /// Value at step 0.
        start: f64,
        /// The limit.
        end: f64,
        /// Time constant, env steps.
        env_steps: u64,
    },
    /// A function given by a program: see [`Schedule::function`].
    Function(ScheduleFunction),
}

/// A function of the env step given by a program, with a name.
#[derive(Clone)]
pub struct ScheduleFunction {
    name: Arc<str>,
    function: Arc<dyn Fn(u64) -> f64 + Send + Sync>,
}

impl fmt::Debug for ScheduleFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ScheduleFunction").field(&self.name).finish()
    }
}

impl PartialEq for ScheduleFunction {
    /// Whether the names are equal, which is all that can be compared.
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Schedule {
    /// Your own schedule: `function` returns the number after this many env steps. It must depend on nothing else, otherwise resumed
    /// training would not continue with the same bits.
    ///
    /// A checkpoint stores the `name` and not the function. To resume, a program must give a function with the same name; without one, or
    /// with another name, the state is refused. If you change the function, change its name.
    ///
    /// ```
    /// use requel::Schedule;
    ///
    /// let cosine = Schedule::function("cosine over 1000", |t| 0.5 + 0.5 * (t.min(1000) as f64 * 0.001 * 3.14).cos());
    /// assert_eq!(cosine.at(0), 1.0);
    /// assert!(cosine.at(1000) < 1e-3);
    /// ```
    pub fn function(name: impl Into<String>, function: impl Fn(u64) -> f64 + Send + Sync + 'static) -> Self {
        Schedule::Function(ScheduleFunction { name: name.into().into(), function: Arc::new(function) })
    }

    /// The name of a function given by a program.
    pub fn name(&self) -> Option<&str> {
        match self {
            Schedule::Function(ScheduleFunction { name, .. }) => Some(name),
            _ => None,
        }
    }

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
            Schedule::Function(ScheduleFunction { ref function, .. }) => function(env_step),
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

/// How many multiples of `every` lie above `before` and not above `after`: how often something due every `every` env steps is due when
/// several environments step at once.
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
    fn a_function_is_followed_and_known_by_its_name() {
        let warm = |by: f64| Schedule::function("warm", move |t| t as f64 * by);
        assert_eq!((warm(0.5).at(7), warm(0.5).name()), (3.5, Some("warm")));
        assert_eq!(warm(0.5), warm(0.25));
        assert_ne!(warm(0.5), Schedule::function("cold", |_| 0.0));
        assert_eq!(Schedule::Constant(0.5).name(), None);
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
