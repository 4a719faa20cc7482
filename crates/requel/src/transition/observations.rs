//! [`ObservationsMut`], where the observations of a batch are written.

use requel_envs::{DType, Space};

/// The type in which the numbers of an observation are passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ElementType {
    /// As `f32`.
    F32,
    /// As bytes: they are whole numbers from 0 to 255. An image then takes a quarter of the memory.
    U8,
}

impl ElementType {
    /// The type for observations in a space.
    pub fn of(space: &Space) -> Self {
        match space {
            Space::Box { dtype: DType::U8 | DType::Bool, .. } => ElementType::U8,
            _ => ElementType::F32,
        }
    }
}

/// Rows for both observations of each transition in a batch, as numbers or as bytes.
///
/// The writing code checks which, or leaves that to [`ObservationsMut::write`].
#[derive(Debug)]
pub enum ObservationsMut<'a> {
    /// Rows × observation length each.
    F32 {
        /// The observations before the actions.
        observations: &'a mut [f32],
        /// The observations after them.
        next_observations: &'a mut [f32],
    },
    /// The same as bytes.
    U8 {
        /// The observations before the actions.
        observations: &'a mut [u8],
        /// The observations after them.
        next_observations: &'a mut [u8],
    },
}

impl ObservationsMut<'_> {
    /// The type of the rows.
    pub fn element_type(&self) -> ElementType {
        match self {
            ObservationsMut::F32 { .. } => ElementType::F32,
            ObservationsMut::U8 { .. } => ElementType::U8,
        }
    }

    /// Total numbers in the rows of the observations and of the next observations.
    pub fn lengths(&self) -> (usize, usize) {
        match self {
            ObservationsMut::F32 { observations, next_observations } => (observations.len(), next_observations.len()),
            ObservationsMut::U8 { observations, next_observations } => (observations.len(), next_observations.len()),
        }
    }

    /// Writes both observations of the transition in `row`; they have the length of a row.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn write(&mut self, row: usize, observation: &[f32], next_observation: &[f32]) {
        let (here, there) = (row * observation.len(), row * next_observation.len());
        match self {
            ObservationsMut::F32 { observations, next_observations } => {
                observations[here..][..observation.len()].copy_from_slice(observation);
                next_observations[there..][..next_observation.len()].copy_from_slice(next_observation);
            }
            ObservationsMut::U8 { observations, next_observations } => {
                write_bytes(&mut observations[here..][..observation.len()], observation);
                write_bytes(&mut next_observations[there..][..next_observation.len()], next_observation);
            }
        }
    }
}

/// A type in which a stored observation can be read.
pub(crate) trait Element: Copy {
    /// The number of a stored byte.
    fn from_byte(byte: u8) -> Self;

    /// A stored number.
    fn from_number(number: f32) -> Self;

    /// Writes a row of stored numbers.
    fn copy_numbers(row: &mut [Self], numbers: &[f32]) {
        row.iter_mut().zip(numbers).for_each(|(to, number)| *to = Self::from_number(*number));
    }

    /// Writes a row of stored bytes.
    fn copy_bytes(row: &mut [Self], bytes: &[u8]) {
        row.iter_mut().zip(bytes).for_each(|(number, byte)| *number = Self::from_byte(*byte));
    }
}

impl Element for f32 {
    fn from_byte(byte: u8) -> f32 {
        f32::from(byte)
    }

    fn from_number(number: f32) -> f32 {
        number
    }

    fn copy_numbers(row: &mut [f32], numbers: &[f32]) {
        row.copy_from_slice(numbers);
    }
}

impl Element for u8 {
    fn from_byte(byte: u8) -> u8 {
        byte
    }

    fn from_number(number: f32) -> u8 {
        debug_assert!(is_byte(number), "{number} is no byte");
        number as u8
    }

    fn copy_bytes(row: &mut [u8], bytes: &[u8]) {
        row.copy_from_slice(&bytes[..row.len()]);
    }
}

/// Whether a number can be stored as a byte without loss.
pub(crate) fn is_byte(value: f32) -> bool {
    (0.0..=255.0).contains(&value) && value.fract() == 0.0
}

/// Writes numbers that are bytes as bytes.
pub(crate) fn write_bytes(bytes: &mut [u8], numbers: &[f32]) {
    u8::copy_numbers(bytes, numbers);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_written_as_what_the_batch_takes() {
        let (mut observations, mut next_observations) = ([9.0; 4], [9.0; 4]);
        let (observation, next_observation) = ([0.0, 255.0], [17.0, 1.0]);
        ObservationsMut::F32 { observations: &mut observations, next_observations: &mut next_observations }.write(
            1,
            &observation,
            &next_observation,
        );
        assert_eq!((observations, next_observations), ([9.0, 9.0, 0.0, 255.0], [9.0, 9.0, 17.0, 1.0]));
        let (mut observations, mut next_observations) = ([9; 4], [9; 4]);
        ObservationsMut::U8 { observations: &mut observations, next_observations: &mut next_observations }.write(
            0,
            &observation,
            &next_observation,
        );
        assert_eq!((observations, next_observations), ([0, 255, 9, 9], [17, 1, 9, 9]));
    }
}
