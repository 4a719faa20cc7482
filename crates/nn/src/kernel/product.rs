//! [`Product`]: the one matrix routine that every layer's passes are made of.

use super::pack::{PACKED_TERMS, PANEL, Panel, gather, pack};
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
    /// `start[i]`, the same for every column.
    Column(*const f32),
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

/// Rows of `b` further apart than this many numbers are packed, where enough rows of `a` use them again.
const FAR_APART: usize = 128;

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

impl Finish {
    /// For the part of `c` that begins `offset` numbers on.
    pub fn shifted(self, offset: usize) -> Finish {
        match self {
            Finish::WherePositive(y) => Finish::WherePositive(y.wrapping_add(offset)),
            other => other,
        }
    }
}

/// [`tiles`] as compiled for an instruction set. The tiles are most of the code of a kernel: called through this, they are
/// there once.
pub(super) type Tiles = unsafe fn(&Product, &Tile);

/// Computes the product with registers of `S`.
///
/// # Safety
/// The instruction set is present, and `tiles` is that of `S`; every element that the strides reach is valid, `c` does not
/// overlap the rest.
#[inline(always)]
pub(super) unsafe fn multiply<S: Simd>(p: &Product, tiles: Tiles) {
    let far = p.b_stride > FAR_APART && p.rows > 8;
    // SAFETY: handed on from the caller; the offsets stay within the sizes of the product.
    unsafe {
        if is_gathered(p) {
            multiply_gathered::<S>(p, tiles);
        } else if p.b_layout == Layout::Columns || (far && p.a_terms.groups == 1) {
            multiply_packed::<S>(p, tiles);
        } else {
            tiles(p, &Tile { b_stride: p.b_stride, ..Tile::new(p, 0, p.columns) });
        }
    }
}

/// As [`multiply`], each panel of `b` copied together first.
#[inline(always)]
unsafe fn multiply_packed<S: Simd>(p: &Product, tiles: Tiles) {
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
                tiles(p, &part);
            }
            term += count;
            if term == terms {
                break;
            }
        }
        column += used;
    }
}

/// Whether the terms of `a` are powers of two apart, which the cache keeps in few places, and `b` is small.
#[inline(always)]
fn is_gathered(p: &Product) -> bool {
    let few_sets = p.a_terms.inner >= 256 && p.a_terms.inner.is_multiple_of(256);
    let is_plain = p.a_rows.groups == 1 && p.a_rows.inner == 1 && p.a_terms.groups == 1;
    let is_b_near = p.b_layout == Layout::Terms && p.a_terms.len * p.columns <= 8192 && p.a_terms.len <= PACKED_TERMS;
    let keeps = matches!((p.start, p.finish), (Start::Zero, Finish::Keep));
    few_sets && is_plain && is_b_near && keeps && p.rows >= 4
}

/// As [`multiply`], a block of rows of `a` copied together before it meets every column.
#[inline(always)]
unsafe fn multiply_gathered<S: Simd>(p: &Product, tiles: Tiles) {
    let mut block = std::mem::MaybeUninit::<Panel>::uninit();
    let block: *mut f32 = block.as_mut_ptr().cast();
    let mut row = 0;
    while row < p.rows {
        let count = tile_rows(p.rows - row);
        // SAFETY: at most 6 rows of at most 256 terms fit the block; the rest is handed on from the caller.
        unsafe {
            gather(p, row, count, block);
            let block_product = Product {
                rows: count,
                a: block,
                a_rows: Walk::straight(count, 1),
                a_terms: Walk::straight(p.a_terms.len, count),
                c: p.c.add(row * p.c_stride),
                ..*p
            };
            tiles(&block_product, &Tile::new(&block_product, 0, p.columns));
        }
        row += count;
    }
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

/// Runs the tiles of `part`, which may have any number of columns: down the rows, one block of columns after the other.
///
/// # Safety
/// As for [`multiply`].
#[inline(always)]
pub(super) unsafe fn tiles<S: Simd>(p: &Product, part: &Tile) {
    let width = S::LANES * tile_columns(p.rows);
    let mut column = 0;
    while column < part.columns {
        let used = width.min(part.columns - column);
        let block = Tile { b: part.b.wrapping_add(column), column: part.column + column, columns: used, ..*part };
        let mut row = 0;
        while row < p.rows {
            let count = tile_rows(p.rows - row);
            // SAFETY: handed on from the caller; `row + count ≤ p.rows`, and the block is within the part.
            unsafe { tile::<S>(p, &block, row, count) };
            row += count;
        }
        column += used;
    }
}

/// Rows of the next tile where `left` are left.
#[inline(always)]
fn tile_rows(left: usize) -> usize {
    // 8 = 4 + 4 and 7 = 4 + 3 keep the multipliers busier than 6 + 2 and 6 + 1.
    match left {
        7 | 8 => 4,
        0..=5 => left,
        _ => 6,
    }
}
