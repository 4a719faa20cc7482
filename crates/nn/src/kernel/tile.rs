//! The inner loop: a block of sums held in registers.

// An index here names a register; iterators over the arrays of registers hide that, and zipping four of them more so.
#![allow(clippy::needless_range_loop)]

use super::product::{Finish, Product, Start, Walk};
use super::simd::Simd;

/// A block of columns of a [`Product`] and the terms to add to it.
#[derive(Clone, Copy)]
pub(super) struct Tile {
    pub terms: Walk,
    /// Where the terms begin in each row of `a`.
    pub a_offset: usize,
    pub b: *const f32,
    pub b_stride: usize,
    /// First column in `c`, and how many.
    pub column: usize,
    pub columns: usize,
    pub start: Start,
    pub finish: Finish,
}

impl Tile {
    /// All terms of `columns` columns from `column`, with `b` where the product has it.
    #[inline(always)]
    pub fn new(p: &Product, column: usize, columns: usize) -> Tile {
        Tile {
            terms: p.a_terms,
            a_offset: 0,
            b: p.b,
            b_stride: p.b_stride,
            column,
            columns,
            start: p.start,
            finish: p.finish,
        }
    }
}

/// Computes `count` rows from `row` of the block `part`.
///
/// # Safety
/// As for [`super::product::multiply`]; the sums of `count` rows fit the registers.
#[inline(always)]
pub(super) unsafe fn tile<S: Simd>(p: &Product, part: &Tile, row: usize, count: usize) {
    let vectors = part.columns.div_ceil(S::LANES);
    let is_whole = part.columns.is_multiple_of(S::LANES);
    macro_rules! dispatch {
        ($($rows:literal: $($vectors:literal)*;)*) => {
            match (count, vectors, is_whole) {
                $($(
                    // SAFETY: handed on from the caller.
                    ($rows, $vectors, true) => unsafe { run::<S, $rows, $vectors, true>(p, part, row) },
                    // SAFETY: handed on from the caller.
                    ($rows, $vectors, false) => unsafe { run::<S, $rows, $vectors, false>(p, part, row) },
                )*)*
                _ => unreachable!("a tile of {count} rows and {vectors} registers"),
            }
        };
    }
    dispatch! {
        1: 1 2 3 4 5 6 7 8;
        2: 1 2 3 4;
        3: 1 2 3 4;
        4: 1 2;
        5: 1 2;
        6: 1 2;
    }
}

#[inline(always)]
unsafe fn run<S: Simd, const R: usize, const C: usize, const WHOLE: bool>(p: &Product, part: &Tile, row: usize) {
    let lanes = S::LANES;
    let last = part.columns - (C - 1) * lanes;
    // SAFETY: the caller vouches for every element within the product's sizes; `last` lanes of the last register are used
    // where the columns do not fill it.
    unsafe {
        let load = |from: *const f32, column: usize| {
            let from = from.add(column * lanes);
            if !WHOLE && column == C - 1 { S::load_first(from, last) } else { S::load(from) }
        };
        // Without terms these may lie outside of `a`, and nothing is read there.
        let mut a = [p.a; R];
        if p.a_rows.groups == 1 {
            for (r, a) in a.iter_mut().enumerate() {
                *a = p.a.wrapping_add((row + r) * p.a_rows.inner + part.a_offset);
            }
        } else {
            let Walk { len, inner, outer, .. } = p.a_rows;
            let (mut group, mut step) = (row / len, row % len);
            for a in &mut a {
                *a = p.a.wrapping_add(group * outer + step * inner + part.a_offset);
                step += 1;
                if step == len {
                    (group, step) = (group + 1, 0);
                }
            }
        }
        let at = row * p.c_stride + part.column;
        let mut sums = [[S::splat(0.0); C]; R];
        match part.start {
            Start::Zero => {}
            Start::Row(start) => {
                for c in 0..C {
                    let value = load(start.add(part.column), c);
                    for r in 0..R {
                        sums[r][c] = value;
                    }
                }
            }
            Start::Column(start) => {
                for r in 0..R {
                    sums[r] = [S::splat(*start.add(row + r)); C];
                }
            }
            Start::Continue => {
                for r in 0..R {
                    for c in 0..C {
                        sums[r][c] = load(p.c.add(at + r * p.c_stride), c);
                    }
                }
            }
        }

        let mut b = part.b;
        for _ in 0..part.terms.groups {
            let mut offset = 0;
            for _ in 0..part.terms.len {
                let mut factors = [S::splat(0.0); C];
                for c in 0..C {
                    factors[c] = load(b, c);
                }
                for r in 0..R {
                    let x = S::splat(*a[r].add(offset));
                    for c in 0..C {
                        sums[r][c] = S::fma(x, factors[c], sums[r][c]);
                    }
                }
                offset += part.terms.inner;
                // Beyond the last row this points out of the matrix, which `add` may not.
                b = b.wrapping_add(part.b_stride);
            }
            for a in &mut a {
                *a = a.wrapping_add(part.terms.outer);
            }
        }

        for r in 0..R {
            for c in 0..C {
                let at = at + r * p.c_stride + c * lanes;
                let value = match part.finish {
                    Finish::Keep => sums[r][c],
                    Finish::Relu => S::relu(sums[r][c]),
                    Finish::WherePositive(y) => S::where_positive(load(y.add(at - c * lanes), c), sums[r][c]),
                };
                if !WHOLE && c == C - 1 {
                    S::store_first(p.c.add(at), value, last);
                } else {
                    S::store(p.c.add(at), value);
                }
            }
        }
    }
}
