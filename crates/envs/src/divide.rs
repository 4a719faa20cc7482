//! Stepping slots in parallel, on as many threads as are allowed.

use crate::{EnvError, Step};

/// The number of slots in a batch that are worth their own thread: at some tens of nanoseconds each, several microseconds.
pub(crate) const SLOTS_WORTH_A_THREAD: usize = 256;

/// What a step reads and writes, slot by slot.
pub(crate) struct Rows<'a> {
    pub actions: &'a [usize],
    pub steps: &'a mut [Step],
    /// One row of `width` numbers per slot.
    pub observations: &'a mut [f32],
    pub width: usize,
    /// Slots per environment: 1, or those of a batch.
    pub unit: usize,
}

impl<'a> Rows<'a> {
    /// The rows of the first `envs` environments, and those of the others.
    fn split(self, envs: usize) -> (Rows<'a>, Rows<'a>) {
        let Rows { actions, steps, observations, width, unit } = self;
        let slots = (envs * unit).min(actions.len());
        let (actions, other_actions) = actions.split_at(slots);
        let (steps, other_steps) = steps.split_at_mut(slots);
        let (observations, other_observations) = observations.split_at_mut(slots * width);
        (
            Rows { actions, steps, observations, width, unit },
            Rows { actions: other_actions, steps: other_steps, observations: other_observations, width, unit },
        )
    }
}

/// Calls `step` for each environment with its rows, neighbours on the same thread, on up to `threads` threads. The environments of a thread
/// are stepped in order until one fails; the error is that of the first environment that failed.
pub(crate) fn divide<W: Send>(
    envs: &mut [W],
    rows: Rows<'_>,
    threads: usize,
    step: &(impl Fn(&mut W, &[usize], &mut [Step], &mut [f32]) -> Result<(), EnvError> + Sync),
) -> Result<(), EnvError> {
    if threads > 1 && envs.len() > 1 {
        let (threads, other_threads) = (threads - threads / 2, threads / 2);
        let middle = envs.len() / 2;
        let (envs, others) = envs.split_at_mut(middle);
        let (rows, other_rows) = rows.split(middle);
        let (first, second) =
            join(|| divide(envs, rows, threads, step), || divide(others, other_rows, other_threads, step));
        return first.and(second);
    }
    let mut rows = rows;
    for env in envs {
        let (own, others) = rows.split(1);
        step(env, own.actions, own.steps, own.observations)?;
        rows = others;
    }
    Ok(())
}

#[cfg(feature = "threads")]
fn join<A: Send, B: Send>(a: impl FnOnce() -> A + Send, b: impl FnOnce() -> B + Send) -> (A, B) {
    rayon::join(a, b)
}

#[cfg(not(feature = "threads"))]
fn join<A, B>(a: impl FnOnce() -> A, b: impl FnOnce() -> B) -> (A, B) {
    (a(), b())
}
