//! [`Space`], the set that observations or actions come from.

/// The number type of a space's values in the environment itself; in this crate's interface all are passed as `f32`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DType {
    /// Single-precision numbers.
    F32,
    /// Whole numbers from 0 to 255, the values of a pixel.
    U8,
    /// Truth values, 0 or 1.
    Bool,
}

impl DType {
    /// Its name in NumPy.
    pub fn name(self) -> &'static str {
        match self {
            DType::F32 => "float32",
            DType::U8 => "uint8",
            DType::Bool => "bool",
        }
    }

    /// The type with this name, if there is one.
    pub fn of_name(name: &str) -> Option<Self> {
        [DType::F32, DType::U8, DType::Bool].into_iter().find(|dtype| dtype.name() == name)
    }

    /// The smallest and the largest value of the type.
    fn range(self) -> (f32, f32) {
        match self {
            DType::F32 => (f32::NEG_INFINITY, f32::INFINITY),
            DType::U8 => (0.0, 255.0),
            DType::Bool => (0.0, 1.0),
        }
    }
}

/// The set that observations or actions come from.
#[derive(Clone, Debug, PartialEq)]
pub enum Space {
    /// The whole numbers from 0 to `n - 1`.
    Discrete {
        /// How many there are.
        n: usize,
    },
    /// One whole number per entry, each from 0 to its `n - 1`.
    MultiDiscrete {
        /// How many values each entry has.
        n: Vec<usize>,
    },
    /// An array of numbers between bounds.
    Box {
        /// The lower bound of each element, row-major; −∞ if unbounded.
        low: Vec<f32>,
        /// The upper bound of each element, row-major; ∞ if unbounded.
        high: Vec<f32>,
        /// Length of each axis; images are height, width, channel.
        shape: Vec<usize>,
        /// The type of the elements.
        dtype: DType,
    },
}

/// 2²⁴: a single-precision number, in which discrete values are passed, can represent all whole numbers up to here.
const MOST_VALUES: usize = 1 << 24;

impl Space {
    /// Checks that values of this space can exist: it has numbers and each has values, bounds are in order and as many as the shape says,
    /// those of bytes are within 0 to 255 and those of flags within 0 to 1, and no entry has more discrete values than the 16 777 216 that
    /// single precision can distinguish.
    ///
    /// ```
    /// use requel_envs::Space;
    ///
    /// assert_eq!(Space::Discrete { n: 4 }.check(), Ok(()));
    /// assert_eq!(Space::Discrete { n: 0 }.check(), Err("has no values".to_string()));
    /// ```
    ///
    /// # Errors
    /// What is wrong, as the rest of a sentence that starts with the space.
    pub fn check(&self) -> Result<(), String> {
        match self {
            Space::Discrete { n } => check_count(*n),
            Space::MultiDiscrete { n } if n.is_empty() => Err("has no numbers".into()),
            Space::MultiDiscrete { n } => n.iter().try_for_each(|n| check_count(*n)),
            Space::Box { low, high, shape, dtype } => {
                let len = shape.iter().try_fold(1usize, |len, axis| len.checked_mul(*axis));
                if len != Some(low.len()) || low.len() != high.len() {
                    let (low, high) = (low.len(), high.len());
                    return Err(format!("has the shape {shape:?} with {low} lower and {high} upper bounds"));
                }
                if low.is_empty() {
                    return Err("has no numbers".into());
                }
                let (least, most) = dtype.range();
                // NaN is not a bound.
                let in_order = |low: f32, high: f32| least <= low && low <= high && high <= most;
                match low.iter().zip(high).position(|(low, high)| !in_order(*low, *high)) {
                    None => Ok(()),
                    Some(at) => {
                        let (low, high) = (low[at], high[at]);
                        Err(format!("has the bounds {low} and {high} at number {at}, of the type {dtype:?}"))
                    }
                }
            }
        }
    }

    /// How many numbers a value of this space has when an environment writes it: 1 for `Discrete`.
    pub fn len(&self) -> usize {
        match self {
            Space::Discrete { .. } => 1,
            Space::MultiDiscrete { n } => n.len(),
            Space::Box { low, .. } => low.len(),
        }
    }

    /// Whether values of this space have no numbers at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many inputs a network needs for this space if discrete values are one-hot: Gymnasium's `flatdim`.
    pub fn flat_dim(&self) -> usize {
        match self {
            Space::Discrete { n } => *n,
            Space::MultiDiscrete { n } => n.iter().sum(),
            Space::Box { low, .. } => low.len(),
        }
    }

    /// The number of actions, if this is `Discrete`.
    pub fn discrete_n(&self) -> Option<usize> {
        match self {
            Space::Discrete { n } => Some(*n),
            _ => None,
        }
    }

    /// Whether `value`, as an environment writes it, is in this space. NaN never is.
    pub fn contains(&self, value: &[f32]) -> bool {
        let whole = |v: f32, n: usize| v >= 0.0 && v.fract() == 0.0 && (v as usize) < n;
        match self {
            Space::Discrete { n } => matches!(value, [v] if whole(*v, *n)),
            Space::MultiDiscrete { n } => value.len() == n.len() && value.iter().zip(n).all(|(v, n)| whole(*v, *n)),
            Space::Box { low, high, dtype, .. } => {
                value.len() == low.len()
                    && value.iter().zip(low.iter().zip(high)).all(|(v, (l, h))| l <= v && v <= h)
                    && (*dtype == DType::F32 || value.iter().all(|v| v.fract() == 0.0))
            }
        }
    }
}

/// Refuses an entry without values, or with more than can be distinguished.
fn check_count(n: usize) -> Result<(), String> {
    match n {
        0 => Err("has no values".into()),
        1..=MOST_VALUES => Ok(()),
        _ => Err(format!("has {n} values: single-precision numbers tell {MOST_VALUES} apart")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_that_have_no_values_are_told_by_what_is_wrong() {
        let bounds = |low: &[f32], high: &[f32], dtype| Space::Box {
            low: low.to_vec(),
            high: high.to_vec(),
            shape: vec![low.len()],
            dtype,
        };
        let infinite = f32::INFINITY;
        for sound in [
            Space::Discrete { n: MOST_VALUES },
            Space::MultiDiscrete { n: vec![1, 7] },
            bounds(&[-infinite, 0.0], &[infinite, 0.0], DType::F32),
            bounds(&[0.0], &[255.0], DType::U8),
            Space::Box { low: vec![2.0], high: vec![3.0], shape: vec![], dtype: DType::F32 },
        ] {
            assert_eq!(sound.check(), Ok(()), "{sound:?}");
        }
        for (unsound, expected) in [
            (Space::Discrete { n: MOST_VALUES + 1 }, "has 16777217 values"),
            (Space::Discrete { n: 1_000_000_000_000 }, "has 1000000000000 values"),
            (Space::MultiDiscrete { n: vec![] }, "has no numbers"),
            (Space::MultiDiscrete { n: vec![4, 0] }, "has no values"),
            (bounds(&[], &[], DType::F32), "has no numbers"),
            (bounds(&[f32::NAN], &[1.0], DType::F32), "has the bounds NaN and 1 at number 0"),
            (bounds(&[0.0, 1.0], &[1.0, 0.0], DType::F32), "has the bounds 1 and 0 at number 1"),
            (bounds(&[0.0], &[256.0], DType::U8), "of the type U8"),
            (bounds(&[0.0], &[255.0], DType::Bool), "of the type Bool"),
            (bounds(&[0.0], &[1.0, 1.0], DType::F32), "the shape [1] with 1 lower and 2 upper bounds"),
            (Space::Box { low: vec![], high: vec![], shape: vec![usize::MAX, 2, 0], dtype: DType::F32 }, "the shape"),
        ] {
            let found = unsound.check().unwrap_err();
            assert!(found.contains(expected), "{unsound:?}: {found}");
        }
    }
}
