//! [`PolicyError`], why a policy cannot be created or cannot act.

use std::error::Error;
use std::fmt;

use requel_nn::SpecError;

/// Why a policy cannot be created, or cannot act on its input.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum PolicyError {
    /// The description of the network is invalid.
    Network(SpecError),
    /// A constant of the readout is out of range.
    OutOfRange(OutOfRange),
    /// The number of the network's outputs does not match the readout.
    HeadMismatch {
        /// Outputs of the network.
        outputs: usize,
        /// The readout, in words.
        head: String,
    },
    /// Numbers that do not divide into observations of this network.
    ObservationLength {
        /// How many numbers there are.
        found: usize,
        /// How many numbers an observation has.
        expected: usize,
    },
    /// More observations at once than the policy was created for.
    TooManyObservations {
        /// How many there are.
        found: usize,
        /// The maximum.
        most: usize,
    },
    /// Masks that do not match the policy's actions.
    MaskLength {
        /// How many flags there are.
        found: usize,
        /// The number of actions, for all observations together.
        expected: usize,
    },
    /// Parameters for another network.
    ParameterCount {
        /// How many there are.
        found: usize,
        /// How many the network has.
        expected: usize,
    },
}

/// A constant that is out of range.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OutOfRange {
    /// Which.
    pub field: &'static str,
    /// Its value.
    pub value: f64,
    /// The valid values.
    pub expected: &'static str,
}

impl OutOfRange {
    /// This error, unless the value is valid.
    pub(crate) fn unless(
        is_valid: bool,
        field: &'static str,
        value: f64,
        expected: &'static str,
    ) -> Result<(), OutOfRange> {
        if is_valid { Ok(()) } else { Err(OutOfRange { field, value, expected }) }
    }
}

impl fmt::Display for OutOfRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is {}, expected {}", self.field, self.value, self.expected)
    }
}

impl Error for OutOfRange {}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PolicyError::Network(error) => error.fmt(f),
            PolicyError::OutOfRange(error) => error.fmt(f),
            PolicyError::HeadMismatch { outputs, head } => {
                write!(f, "a network with {outputs} outputs cannot be read as {head} for each action")
            }
            PolicyError::ObservationLength { found, expected } => {
                write!(f, "{found} numbers do not divide into observations of {expected}")
            }
            PolicyError::TooManyObservations { found, most } => {
                write!(f, "{found} observations at once exceed the {most} that this policy was created for")
            }
            PolicyError::MaskLength { found, expected } => {
                write!(f, "an action mask with {found} flags does not match {expected} actions")
            }
            PolicyError::ParameterCount { found, expected } => {
                write!(f, "{found} parameters do not match a network that has {expected}")
            }
        }
    }
}

impl Error for PolicyError {}

impl From<SpecError> for PolicyError {
    fn from(error: SpecError) -> Self {
        PolicyError::Network(error)
    }
}

impl From<OutOfRange> for PolicyError {
    fn from(error: OutOfRange) -> Self {
        PolicyError::OutOfRange(error)
    }
}
