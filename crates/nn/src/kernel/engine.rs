//! [`Engine`]: a kernel and how many threads it may use.

use super::Kernel;
use super::join::join;
use super::product::{Layout, Product, Start};
use crate::reference::{AdamFactors, RmsPropFactors, RmsPropState};

/// Multiply-adds for which another thread is worthwhile: about fifty microseconds of a fast core, so that a core in use by others costs
/// less than it gains.
const WORTH_A_THREAD: usize = 6_000_000;

/// Numbers in an optimiser's step for which another thread is worthwhile.
const PARAMETERS_WORTH_A_THREAD: usize = 200_000;

/// Columns are distributed in blocks of this many, whole tiles of every kernel.
const COLUMN_BLOCK: usize = 64;

/// A kernel and the maximum number of threads it may use. Work is divided between outputs and never within a sum, so the number of threads
/// cannot affect a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Engine {
    pub kernel: Kernel,
    pub threads: usize,
}

impl Engine {
    /// One thread.
    pub fn single(kernel: Kernel) -> Engine {
        Engine { kernel, threads: 1 }
    }

    /// The number of parts into which to divide this many multiply-adds.
    pub(super) fn parts(self, multiply_adds: usize) -> usize {
        self.threads.min(multiply_adds / WORTH_A_THREAD).max(1)
    }

    /// Computes a product, divided between the threads if it is large.
    ///
    /// # Safety
    /// As for [`Kernel::product`].
    pub(super) unsafe fn product(self, p: &Product) {
        let parts = self.parts(p.rows * p.columns * p.a_terms.total());
        let (rows, columns, groups) = (p.rows, p.columns, p.a_rows.groups);
        let blocks = columns.div_ceil(COLUMN_BLOCK);
        let shared = Shared(p);
        // SAFETY: handed on from the caller; the parts write different columns, or different rows, of c.
        if parts == 1 {
            // SAFETY: handed on from the caller; the parts write different columns, or different rows, of c.
            unsafe { self.kernel.product(p) }
        } else if blocks >= parts {
            divide(parts, &|part| {
                let first = blocks * part / parts * COLUMN_BLOCK;
                let end = (blocks * (part + 1) / parts * COLUMN_BLOCK).min(columns);
                // SAFETY: handed on from the caller; the parts write different columns, or different rows, of c.
                unsafe { self.kernel.product(&shared.columns(first, end)) }
            });
        } else {
            let groups = if groups > 1 { groups } else { rows };
            divide(parts.min(groups), &|part| {
                let parts = parts.min(groups);
                // SAFETY: handed on from the caller; the parts write different columns, or different rows, of c.
                unsafe { self.kernel.product(&shared.row_groups(groups * part / parts, groups * (part + 1) / parts)) }
            });
        }
    }

    /// See [`crate::reference::adam`].
    pub fn adam(self, f: &AdamFactors<f32>, p: &mut [f32], g: &[f32], m: &mut [f32], v: &mut [f32]) {
        if self.threads == 1 || p.len() < 2 * PARAMETERS_WORTH_A_THREAD {
            return self.kernel.fused_adam(f, p, g, m, v);
        }
        let half = p.len() / 2;
        let ((p1, p2), (g1, g2)) = (p.split_at_mut(half), g.split_at(half));
        let ((m1, m2), (v1, v2)) = (m.split_at_mut(half), v.split_at_mut(half));
        let rest = Engine { threads: self.threads / 2, ..self };
        let first = Engine { threads: self.threads - self.threads / 2, ..self };
        join(|| first.adam(f, p1, g1, m1, v1), || rest.adam(f, p2, g2, m2, v2));
    }

    /// See [`crate::reference::rms_prop`].
    pub fn rms_prop(self, f: &RmsPropFactors<f32>, p: &mut [f32], g: &[f32], state: RmsPropState<'_, f32>) {
        if self.threads == 1 || p.len() < 2 * PARAMETERS_WORTH_A_THREAD {
            return self.kernel.fused_rms_prop(f, p, g, state);
        }
        let half = p.len() / 2;
        let ((p1, p2), (g1, g2)) = (p.split_at_mut(half), g.split_at(half));
        let (state1, state2) = split_state(state, half);
        let rest = Engine { threads: self.threads / 2, ..self };
        let first = Engine { threads: self.threads - self.threads / 2, ..self };
        join(|| first.rms_prop(f, p1, g1, state1), || rest.rms_prop(f, p2, g2, state2));
    }
}

/// The averages of the first `count` parameters and those of the others; an average that is not kept is empty in both.
fn split_state(state: RmsPropState<'_, f32>, count: usize) -> (RmsPropState<'_, f32>, RmsPropState<'_, f32>) {
    let RmsPropState { square, mean, velocity } = state;
    let (square1, square2) = square.split_at_mut(count);
    let (mean1, mean2) = mean.split_at_mut(count.min(mean.len()));
    let (velocity1, velocity2) = velocity.split_at_mut(count.min(velocity.len()));
    (
        RmsPropState { square: square1, mean: mean1, velocity: velocity1 },
        RmsPropState { square: square2, mean: mean2, velocity: velocity2 },
    )
}

/// Runs `f` for every part, possibly on separate threads. Allocates nothing.
pub(super) fn divide(parts: usize, f: &(impl Fn(usize) + Sync)) {
    fn between(first: usize, end: usize, f: &(impl Fn(usize) + Sync)) {
        match end - first {
            0 => {}
            1 => f(first),
            count => {
                let middle = first + count / 2;
                join(|| between(first, middle, f), || between(middle, end, f));
            }
        }
    }
    between(0, parts, f);
}

/// A product of which several threads compute parts.
struct Shared<'a>(&'a Product);

// SAFETY: the parts are computed from disjoint columns or rows of `c`; everything else is only read.
unsafe impl Sync for Shared<'_> {}

impl Shared<'_> {
    /// Columns `first` to `end`.
    fn columns(&self, first: usize, end: usize) -> Product {
        let p = self.0;
        let b = match p.b_layout {
            Layout::Terms => first,
            Layout::Columns => first * p.b_stride,
        };
        let start = match p.start {
            Start::Row(start) => Start::Row(start.wrapping_add(first)),
            other => other,
        };
        Product {
            columns: end - first,
            b: p.b.wrapping_add(b),
            c: p.c.wrapping_add(first),
            start,
            finish: p.finish.shifted(first),
            ..*p
        }
    }

    /// Rows of the groups `first` to `end`, where a matrix of one group has a group for each row.
    fn row_groups(&self, first: usize, end: usize) -> Product {
        let p = self.0;
        let is_grouped = p.a_rows.groups > 1;
        let row = if is_grouped { first * p.a_rows.len } else { first };
        let rows = if is_grouped { (end - first) * p.a_rows.len } else { end - first };
        let mut a_rows = p.a_rows;
        (a_rows.groups, a_rows.len) = if is_grouped { (end - first, p.a_rows.len) } else { (1, rows) };
        let start = match p.start {
            Start::Column(start) => Start::Column(start.wrapping_add(row)),
            other => other,
        };
        Product {
            rows,
            a: p.a.wrapping_add(p.a_rows.offset(row)),
            a_rows,
            c: p.c.wrapping_add(row * p.c_stride),
            start,
            finish: p.finish.shifted(row * p.c_stride),
            ..*p
        }
    }
}
