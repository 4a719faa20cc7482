//! [`Space`], the set that observations or actions come from.

/// The number type that a space's values have at home; at this crate's boundary all travel as `f32`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DType {
    /// Single-precision numbers.
    F32,
    /// Whole numbers from 0 to 255, the values of a pixel.
    U8,
    /// Truth values, 0 or 1.
    Bool,
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
        /// The least value of each element, row-major; −∞ where unbounded.
        low: Vec<f32>,
        /// The greatest value of each element, row-major; ∞ where unbounded.
        high: Vec<f32>,
        /// Length of each axis; images are height, width, channel.
        shape: Vec<usize>,
        /// The type of the elements.
        dtype: DType,
    },
}

impl Space {
    /// How many numbers a value of this space has as a world writes it: 1 for `Discrete`.
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

    /// How many inputs a network needs for this space when discrete values are one-hot: Gymnasium's `flatdim`.
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

    /// Whether `value`, as a world writes it, is in this space. NaN never is.
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
