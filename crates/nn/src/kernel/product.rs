//! [`Product`]: the one matrix routine that every layer's passes are made of.

use super::simd::Simd;
use super::tile::{Tile, tile};

/// `c[i][j] = finish(start[i][j] + Σ_t a[i][t]·b[t][j])`, t increasing, as one chain of fused multiply-adds for each
/// element. Pointers rather than slices: the same numbers are walked with strides, by rows or by columns.
///
/// `a` is never copied. Both of its indices walk in two levels, which is how a convolution reads its patches in place.
#[derive(Clone, Copy)]
pub(super) struct Product {
    pub rows: usize,
    pub columns: usize,
    pub a: *const f32,
    /// How i moves in `a`.
    pub a_rows: Walk,
    /// How t moves in `a`; its length is the number of terms.
    pub a_terms: Walk,
    pub b: *const f32,
    /// Whether `b` lies as `[t][j]` or transposed.
    pub b_layout: Layout,
    /// Numbers from one row of `b`, as it lies, to the next.
    pub b_stride: usize,
    pub c: *mut f32,
    /// Numbers from one row of `c` to the next.
    pub c_stride: usize,
    pub start: Start,
    pub finish: Finish,
}

/// Offsets `(n / len) · outer + (n % len) · inner` for n = 0, 1, …
#[derive(Clone, Copy)]
pub(super) struct Walk {
    /// Groups.
    pub groups: usize,
    /// Steps of a group.
    pub len: usize,
    /// Numbers from a step to the next.
    pub inner: usize,
    /// Numbers from a group to the next.
    pub outer: usize,
}

/// How `b` lies in memory.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// `b[t][j]` is at `t · stride + j`.
    Terms,
    /// `b[t][j]` is at `j · stride + t`.
    Columns,
}

/// What a sum starts from.
#[derive(Clone, Copy)]
pub(super) enum Start {
    Zero,
    /// `start[j]`, the same for every row.
    Row(*const f32),
    /// What is in `c`.
    Continue,
}

/// What is done to a finished sum.
#[derive(Clone, Copy)]
pub(super) enum Finish {
    Keep,
    Relu,
    /// 0 where the number at the same place of this matrix, which lies as `c` does, is not positive.
    WherePositive(*const f32),
}

/// Terms that are packed at once, so that a panel stays in the first-level cache.
const PACKED_TERMS: usize = 256;

/// Columns of a panel: the widest tile of any instruction set.
const PANEL: usize = 32;

/// Rows of `b` further apart than this many numbers are packed, where enough rows of `a` use them again.
const FAR_APART: usize = 128;

/// A part of `b`, copied so that its rows are side by side.
#[repr(align(64))]
struct Panel {
    _numbers: [f32; PACKED_TERMS * PANEL],
}

impl Walk {
    /// `len` steps of `inner`.
    pub fn straight(len: usize, inner: usize) -> Walk {
        Walk { groups: 1, len, inner, outer: 0 }
    }

    pub fn total(&self) -> usize {
        self.groups * self.len
    }

    #[inline(always)]
    pub fn offset(&self, n: usize) -> usize {
        if self.groups == 1 { n * self.inner } else { n / self.len * self.outer + n % self.len * self.inner }
    }
}

/// Computes the product with registers of `S`.
///
/// # Safety
/// The instruction set is present; every element that the strides reach is valid, `c` does not overlap the rest.
#[inline(always)]
pub(super) unsafe fn multiply<S: Simd>(p: &Product) {
    let far = p.b_stride > FAR_APART && p.rows > 8;
    // SAFETY: handed on from the caller; the offsets stay within the sizes of the product.
    unsafe {
        if p.b_layout == Layout::Columns || (far && p.a_terms.groups == 1) {
            multiply_packed::<S>(p);
        } else {
            let width = S::LANES * tile_columns(p.rows);
            let mut column = 0;
            while column < p.columns {
                let used = width.min(p.columns - column);
                let part =
                    Tile { terms: p.a_terms, b: p.b.add(column), b_stride: p.b_stride, ..Tile::new(p, column, used) };
                rows::<S>(p, &part);
                column += used;
            }
        }
    }
}

/// As [`multiply`], each panel of `b` copied together first.
#[inline(always)]
unsafe fn multiply_packed<S: Simd>(p: &Product) {
    debug_assert_eq!(p.a_terms.groups, 1);
    let mut panel = std::mem::MaybeUninit::<Panel>::uninit();
    let panel: *mut f32 = panel.as_mut_ptr().cast();
    let terms = p.a_terms.total();
    let width = S::LANES * tile_columns(p.rows).min(PANEL / S::LANES);
    let mut column = 0;
    while column < p.columns {
        let used = width.min(p.columns - column);
        let whole = used.next_multiple_of(S::LANES);
        let mut term = 0;
        loop {
            let count = PACKED_TERMS.min(terms - term);
            // SAFETY: `count · whole` numbers fit the panel; the rest is handed on from the caller.
            unsafe {
                pack::<S>(p, (term, count), (column, used), panel, whole);
                let base = Tile::new(p, column, used);
                let part = Tile {
                    terms: Walk::straight(count, p.a_terms.inner),
                    a_offset: term * p.a_terms.inner,
                    b: panel,
                    b_stride: whole,
                    start: if term == 0 { base.start } else { Start::Continue },
                    finish: if term + count == terms { base.finish } else { Finish::Keep },
                    ..base
                };
                rows::<S>(p, &part);
            }
            term += count;
            if term == terms {
                break;
            }
        }
        column += used;
    }
}

/// Copies `count` terms from `term` of `used` columns from `column` to rows of `whole`, a multiple of the lanes; what is
/// beyond `used` is 0.
#[inline(always)]
unsafe fn pack<S: Simd>(
    p: &Product,
    (term, count): (usize, usize),
    (column, used): (usize, usize),
    panel: *mut f32,
    whole: usize,
) {
    let lanes = S::LANES;
    // SAFETY: reads stay within `count` terms and `used` columns of `b`, writes within `count · whole` numbers.
    unsafe {
        match p.b_layout {
            Layout::Terms => {
                for t in 0..count {
                    let (from, to) = (p.b.add((term + t) * p.b_stride + column), panel.add(t * whole));
                    let mut j = 0;
                    while j + lanes <= used {
                        S::store(to.add(j), S::load(from.add(j)));
                        j += lanes;
                    }
                    if j < used {
                        S::store(to.add(j), S::load_first(from.add(j), used - j));
                    }
                }
            }
            Layout::Columns => {
                let from = p.b.add(column * p.b_stride + term);
                let mut j = 0;
                while j + lanes <= used {
                    let mut t = 0;
                    while t + lanes <= count {
                        S::transpose(from.add(j * p.b_stride + t), p.b_stride, panel.add(t * whole + j), whole);
                        t += lanes;
                    }
                    for t in t..count {
                        for l in 0..lanes {
                            *panel.add(t * whole + j + l) = *from.add((j + l) * p.b_stride + t);
                        }
                    }
                    j += lanes;
                }
                for j in j..whole {
                    for t in 0..count {
                        *panel.add(t * whole + j) = if j < used { *from.add(j * p.b_stride + t) } else { 0.0 };
                    }
                }
            }
        }
    }
}

/// Copies the transpose of `from`, whose rows are `terms` long, to rows of `width`; columns that `from` has no row for
/// are 0.
///
/// # Safety
/// The instruction set is present; `from` is a whole number of rows, at most `width`, which is a multiple of the lanes;
/// `to` is `terms · width` long.
#[inline(always)]
pub(super) unsafe fn pack_transposed<S: Simd>(from: &[f32], (terms, width): (usize, usize), to: &mut [f32]) {
    let used = from.len() / terms;
    let product = Product {
        rows: 0,
        columns: used,
        a: from.as_ptr(),
        a_rows: Walk::straight(0, 0),
        a_terms: Walk::straight(terms, 0),
        b: from.as_ptr(),
        b_layout: Layout::Columns,
        b_stride: terms,
        c: to.as_mut_ptr(),
        c_stride: 0,
        start: Start::Zero,
        finish: Finish::Keep,
    };
    // SAFETY: the caller vouches for the lengths.
    unsafe { pack::<S>(&product, (0, terms), (0, used), to.as_mut_ptr(), width) };
}

/// Registers side by side in a tile: few rows leave registers for more columns.
#[inline(always)]
fn tile_columns(rows: usize) -> usize {
    match rows {
        1 => 8,
        2 | 3 => 4,
        _ => 2,
    }
}

/// Runs the tiles of one block of columns down the rows.
#[inline(always)]
unsafe fn rows<S: Simd>(p: &Product, part: &Tile) {
    let mut row = 0;
    while row < p.rows {
        let left = p.rows - row;
        // 8 = 4 + 4 and 7 = 4 + 3 keep the multipliers busier than 6 + 2 and 6 + 1.
        let count = match left {
            7 | 8 => 4,
            0..=5 => left,
            _ => 6,
        };
        // SAFETY: handed on from the caller; `row + count ≤ p.rows`.
        unsafe { tile::<S>(p, part, row, count) };
        row += count;
    }
}
