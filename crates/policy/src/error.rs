//! [`PolicyError`], why a policy cannot be made or cannot act.

use std::error::Error;
use std::fmt;

use requel_nn::SpecError;

/// Why a policy cannot be made, or cannot act on what it is given.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum PolicyError {
    /// The network's description is no network.
    Network(SpecError),
    /// A constant of what the outputs mean is out of its range.
    OutOfRange(OutOfRange),
    /// The network's outputs do not go with what they are to mean.
    HeadMismatch {
        /// Outputs of the network.
        outputs: usize,
        /// What they were to mean.
        head: String,
    },
    /// Numbers that are not observations of this network.
    ObservationLength {
        /// How many numbers there are.
        found: usize,
        /// How many numbers an observation has.
        expected: usize,
    },
    /// More observations at once than a policy was made for.
    TooManyObservations {
        /// How many there are.
        found: usize,
        /// How many it can look at.
        most: usize,
    },
    /// Masks that are not of the policy's actions.
    MaskLength {
        /// How many flags there are.
        found: usize,
        /// How many actions, those of all observations together.
        expected: usize,
    },
    /// Parameters of another network.
    ParameterCount {
        /// How many there are.
        found: usize,
        /// How many the network has.
        expected: usize,
    },
}

/// A constant that is out of its range.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OutOfRange {
    /// Which.
    pub field: &'static str,
    /// What it was.
    pub value: f64,
    /// What it may be.
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
                write!(f, "a network of {outputs} outputs cannot be read as {head} for each action")
            }
            PolicyError::ObservationLength { found, expected } => {
                write!(f, "{found} numbers are not whole observations of {expected}")
            }
            PolicyError::TooManyObservations { found, most } => {
                write!(f, "{found} observations at once are more than the {most} that this policy was made for")
            }
            PolicyError::MaskLength { found, expected } => {
                write!(f, "an action mask of {found} flags does not go with {expected} actions")
            }
            PolicyError::ParameterCount { found, expected } => {
                write!(f, "{found} parameters are not those of a network that has {expected}")
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
