//! [`StateWriter`] and [`StateReader`], the compact binary format of environment states.
//!
//! Numbers are little-endian and carry no tags; they must be read in the order they were written. A reader never reads past the end, and
//! [`StateReader::finish`] refuses left-over bytes.

use std::ops::RangeInclusive;

/// Why bytes are not a saved state.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0}")]
pub struct StateError(pub String);

/// Collects an environment's state as bytes.
///
/// ```
/// use requel_envs::{StateReader, StateWriter};
///
/// let mut writer = StateWriter::new();
/// writer.u32(7);
/// writer.f64(0.5);
/// let bytes = writer.into_bytes();
///
/// let mut reader = StateReader::new(&bytes);
/// assert_eq!((reader.u32()?, reader.f64()?), (7, 0.5));
/// reader.finish()?;
/// # Ok::<(), requel_envs::StateError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct StateWriter {
    bytes: Vec<u8>,
}

impl StateWriter {
    /// An empty state.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends one byte.
    pub fn u8(&mut self, value: u8) {
        self.bytes.push(value);
    }

    /// Appends a flag, as 0 or 1.
    pub fn bool(&mut self, value: bool) {
        self.u8(value.into());
    }

    /// Appends four bytes.
    pub fn u32(&mut self, value: u32) {
        self.bytes.extend(value.to_le_bytes());
    }

    /// Appends eight bytes.
    pub fn u64(&mut self, value: u64) {
        self.bytes.extend(value.to_le_bytes());
    }

    /// Appends a size or an index, as eight bytes.
    pub fn index(&mut self, value: usize) {
        self.u64(value as u64);
    }

    /// Appends eight bytes of two's complement.
    pub fn i64(&mut self, value: i64) {
        self.bytes.extend(value.to_le_bytes());
    }

    /// Appends the four bytes of a single-precision number; NaN and −0 are preserved.
    pub fn f32(&mut self, value: f32) {
        self.u32(value.to_bits());
    }

    /// Appends the eight bytes of a double-precision number; NaN and −0 are preserved.
    pub fn f64(&mut self, value: f64) {
        self.u64(value.to_bits());
    }

    /// Appends a length and that many bytes; [`StateReader::bytes`] reads them.
    pub fn bytes(&mut self, value: &[u8]) {
        self.index(value.len());
        self.bytes.extend(value);
    }

    /// The state.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

/// Reads back what a [`StateWriter`] wrote.
#[derive(Clone, Debug)]
pub struct StateReader<'a> {
    rest: &'a [u8],
}

impl<'a> StateReader<'a> {
    /// A reader of `bytes` from their start.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Reads one byte.
    ///
    /// # Errors
    /// [`StateError`] at the end of the bytes; the same holds for all read methods.
    pub fn u8(&mut self) -> Result<u8, StateError> {
        Ok(self.array::<1>()?[0])
    }

    /// Reads a flag; any byte except 0 and 1 is refused.
    pub fn bool(&mut self) -> Result<bool, StateError> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(StateError(format!("{other} where a flag, 0 or 1, was expected"))),
        }
    }

    /// Reads four bytes.
    pub fn u32(&mut self) -> Result<u32, StateError> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    /// Reads eight bytes.
    pub fn u64(&mut self) -> Result<u64, StateError> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    /// Reads an index that must be below `limit`.
    pub fn index(&mut self, limit: usize) -> Result<usize, StateError> {
        let value = self.u64()?;
        match usize::try_from(value) {
            Ok(index) if index < limit => Ok(index),
            _ => Err(StateError(format!("{value} where a number below {limit} was expected"))),
        }
    }

    /// Reads one byte as an index that must be below `limit`.
    pub fn small(&mut self, limit: usize) -> Result<usize, StateError> {
        match usize::from(self.u8()?) {
            index if index < limit => Ok(index),
            other => Err(StateError(format!("{other} where a number below {limit} was expected"))),
        }
    }

    /// Reads four bytes as a number that must be at most `most`.
    pub fn u32_to(&mut self, most: u32) -> Result<u32, StateError> {
        match self.u32()? {
            number if number <= most => Ok(number),
            other => Err(StateError(format!("{other} where at most {most} was expected"))),
        }
    }

    /// Reads eight bytes of two's complement.
    pub fn i64(&mut self) -> Result<i64, StateError> {
        Ok(i64::from_le_bytes(self.array()?))
    }

    /// Reads a single-precision number.
    pub fn f32(&mut self) -> Result<f32, StateError> {
        Ok(f32::from_bits(self.u32()?))
    }

    /// Reads a double-precision number.
    pub fn f64(&mut self) -> Result<f64, StateError> {
        Ok(f64::from_bits(self.u64()?))
    }

    /// Reads a double-precision number that must be finite.
    pub fn finite_f64(&mut self) -> Result<f64, StateError> {
        let value = self.f64()?;
        if value.is_finite() { Ok(value) } else { Err(StateError(format!("{value} where a number was expected"))) }
    }

    /// Reads a double-precision number that must be within `range`.
    pub fn f64_in(&mut self, range: RangeInclusive<f64>) -> Result<f64, StateError> {
        let value = self.f64()?;
        let refused = || StateError(format!("{value} where {} to {} was expected", range.start(), range.end()));
        if range.contains(&value) { Ok(value) } else { Err(refused()) }
    }

    /// Reads a length and that many bytes.
    pub fn bytes(&mut self) -> Result<&'a [u8], StateError> {
        let length = self.u64()?;
        self.take(usize::try_from(length).unwrap_or(usize::MAX))
    }

    /// Finishes reading.
    ///
    /// # Errors
    /// [`StateError`] if bytes are left.
    pub fn finish(self) -> Result<(), StateError> {
        match self.rest.len() {
            0 => Ok(()),
            left => Err(StateError(format!("{left} bytes too many"))),
        }
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], StateError> {
        let Some((head, rest)) = self.rest.split_at_checked(length) else {
            return Err(StateError(format!("ends {} bytes early", length - self.rest.len())));
        };
        self.rest = rest;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], StateError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_comes_back() {
        let mut writer = StateWriter::new();
        writer.u8(250);
        writer.bool(true);
        writer.u32(u32::MAX - 1);
        writer.u64(u64::MAX - 2);
        writer.index(9);
        writer.i64(-3);
        writer.f32(-0.0);
        writer.f64(f64::NEG_INFINITY);
        writer.bytes(b"abc");
        let bytes = writer.into_bytes();

        let mut reader = StateReader::new(&bytes);
        assert_eq!(reader.u8(), Ok(250));
        assert_eq!(reader.bool(), Ok(true));
        assert_eq!(reader.u32(), Ok(u32::MAX - 1));
        assert_eq!(reader.u64(), Ok(u64::MAX - 2));
        assert_eq!(reader.index(10), Ok(9));
        assert_eq!(reader.i64(), Ok(-3));
        assert_eq!(reader.f32().map(f32::to_bits), Ok((-0.0f32).to_bits()));
        assert_eq!(reader.f64(), Ok(f64::NEG_INFINITY));
        assert_eq!(reader.bytes(), Ok(&b"abc"[..]));
        assert_eq!(reader.finish(), Ok(()));
    }

    #[test]
    fn bad_bytes_are_refused() {
        assert!(StateReader::new(&[1, 2, 3]).u32().is_err());
        assert!(StateReader::new(&[2]).bool().is_err());
        assert!(StateReader::new(&5u64.to_le_bytes()).index(5).is_err());
        assert!(StateReader::new(&f64::NAN.to_le_bytes()).finite_f64().is_err());
        // A length far beyond the bytes must not be believed.
        assert!(StateReader::new(&u64::MAX.to_le_bytes()).bytes().is_err());
        assert!(StateReader::new(&[0]).finish().is_err());
    }
}
