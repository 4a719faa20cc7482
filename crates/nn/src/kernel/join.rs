//! [`join`]: does two halves of a task, in parallel if the crate has threads.

#[cfg(feature = "threads")]
pub(super) use rayon::join;

/// Without the feature `threads`: one half after the other, for the same bits.
#[cfg(not(feature = "threads"))]
pub(super) fn join<A, B>(first: impl FnOnce() -> A, second: impl FnOnce() -> B) -> (A, B) {
    (first(), second())
}
