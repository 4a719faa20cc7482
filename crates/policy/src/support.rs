//! [`Support`]: the returns that a categorical distribution is over.

use crate::OutOfRange;

/// The atoms `z_i = v_min + i·Δ`, evenly spaced from `v_min` to `v_max`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Support {
    /// The smallest return that can be represented.
    pub v_min: f32,
    /// The largest, above `v_min`.
    pub v_max: f32,
    /// Number of atoms, at least 2.
    pub atoms: usize,
}

impl Support {
    /// Δ, the distance of two neighbours.
    ///
    /// # Panics
    /// If there are fewer than two atoms.
    pub fn step(&self) -> f32 {
        assert!(self.atoms > 1, "a support has at least two atoms");
        (self.v_max - self.v_min) / (self.atoms - 1) as f32
    }

    /// The return of atom `index`.
    pub fn atom(&self, index: usize) -> f32 {
        self.v_min + index as f32 * self.step()
    }

    /// Whether each return exceeds the previous one by enough to be divided by. Returns that are close to each other relative to their size
    /// are equal in single precision.
    pub fn tells_atoms_apart(&self) -> bool {
        const LEAST_STEP: f32 = 1e-30;
        let rising = (1..self.atoms).all(|index| self.atom(index - 1) < self.atom(index));
        rising && self.step() >= LEAST_STEP
    }
}

impl Support {
    /// Checks that the support is valid.
    ///
    /// # Errors
    /// [`OutOfRange`] for the first invalid constant.
    pub fn validate(&self) -> Result<(), OutOfRange> {
        let Support { v_min, v_max, atoms } = *self;
        let width = v_max - v_min;
        OutOfRange::unless(atoms >= 2, "atoms", atoms as f64, "at least 2")?;
        OutOfRange::unless(v_min.is_finite(), "v_min", v_min.into(), "a finite number")?;
        let is_wide = width > 0.0 && width.is_finite();
        OutOfRange::unless(is_wide, "v_max", v_max.into(), "a finite number above v_min")?;
        let expected = "so far from v_min that atoms are apart";
        OutOfRange::unless(self.tells_atoms_apart(), "v_max", v_max.into(), expected)
    }
}

impl Default for Support {
    /// The 51 atoms from −10 to 10 of the paper.
    fn default() -> Self {
        Support { v_min: -10.0, v_max: 10.0, atoms: 51 }
    }
}
