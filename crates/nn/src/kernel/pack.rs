//! Parts of a matrix copied together, so that what the inner loop reads lies side by side.

use super::product::{Finish, Layout, Product, Start, Walk};
use super::simd::Simd;

/// Terms that are packed at once, so that a panel stays in the first-level cache.
pub(super) const PACKED_TERMS: usize = 256;

/// Columns of a panel: the widest tile of any instruction set.
pub(super) const PANEL: usize = 32;

/// Room for a part of a matrix.
#[repr(align(64))]
pub(super) struct Panel {
    _numbers: [f32; PACKED_TERMS * PANEL],
}

/// Copies `count` terms from `term` of `used` columns from `column` to rows of `whole`, a multiple of the lanes; what is
/// beyond `used` is 0.
#[inline(always)]
pub(super) unsafe fn pack<S: Simd>(
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
                    // The panel to the right comes next, a line of each of many pages, which no processor foresees.
                    S::prefetch(from.wrapping_add(whole));
                }
            }
            Layout::Columns => {
                // Without terms this may lie outside of `b`, and nothing is read there.
                let from = p.b.wrapping_add(column * p.b_stride + term);
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

/// Copies `count` rows of `a` from `row` so that the rows of one term are side by side: what lies far apart in `a`, and
/// perhaps in one set of the cache, is fetched once.
///
/// # Safety
/// As for [`super::product::multiply`]; `to` holds `terms · count` numbers.
#[inline(always)]
pub(super) unsafe fn gather(p: &Product, row: usize, count: usize, to: *mut f32) {
    // SAFETY: handed on from the caller.
    unsafe {
        for t in 0..p.a_terms.len {
            let from = p.a.add(row + t * p.a_terms.inner);
            for r in 0..count {
                *to.add(t * count + r) = *from.add(r);
            }
        }
    }
}
