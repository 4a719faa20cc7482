//! [`OptimizerSpec`]: which optimiser, with which constants.

use std::error::Error;
use std::fmt;

/// An optimiser with its constants; PyTorch's semantics and defaults.
///
/// ```
/// use requel_nn::OptimizerSpec;
///
/// let spec: OptimizerSpec = serde_json::from_str(r#"{"kind": "adam", "learning_rate": 0.001}"#)?;
/// assert_eq!(spec, OptimizerSpec::adam(1e-3));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields))]
#[non_exhaustive]
pub enum OptimizerSpec {
    /// Adam (Kingma and Ba 2015), with bias correction and ε outside the corrected root: `torch.optim.Adam`.
    Adam {
        /// Step size.
        #[cfg_attr(feature = "serde", serde(default = "default_learning_rate"))]
        learning_rate: f64,
        /// Decay of the gradient's average.
        #[cfg_attr(feature = "serde", serde(default = "default_beta1"))]
        beta1: f64,
        /// Decay of the squared gradient's average.
        #[cfg_attr(feature = "serde", serde(default = "default_beta2"))]
        beta2: f64,
        /// Added to the root, against division by zero.
        #[cfg_attr(feature = "serde", serde(default = "default_epsilon"))]
        epsilon: f64,
    },
    /// Rectified Adam (Liu et al. 2020): Adam with its step scaled by how uncertain the gradient's variance is, and without the variance
    /// while the length of its average is at most 5: `torch.optim.RAdam`. As there, ε is added to the root before the bias correction.
    #[cfg_attr(feature = "serde", serde(rename = "radam"))]
    RAdam {
        /// Step size.
        #[cfg_attr(feature = "serde", serde(default = "default_learning_rate"))]
        learning_rate: f64,
        /// Decay of the gradient's average.
        #[cfg_attr(feature = "serde", serde(default = "default_beta1"))]
        beta1: f64,
        /// Decay of the squared gradient's average.
        #[cfg_attr(feature = "serde", serde(default = "default_beta2"))]
        beta2: f64,
        /// Added to the root, against division by zero.
        #[cfg_attr(feature = "serde", serde(default = "default_epsilon"))]
        epsilon: f64,
    },
    /// RMSProp (Hinton 2012), the form centred on the gradient's mean by option (Graves 2013), ε outside the root:
    /// `torch.optim.RMSprop`.
    #[cfg_attr(feature = "serde", serde(rename = "rmsprop"))]
    RmsProp {
        /// Step size.
        #[cfg_attr(feature = "serde", serde(default = "default_rms_prop_learning_rate"))]
        learning_rate: f64,
        /// Decay of the averages.
        #[cfg_attr(feature = "serde", serde(default = "default_alpha"))]
        alpha: f64,
        /// Added to the root, against division by zero.
        #[cfg_attr(feature = "serde", serde(default = "default_epsilon"))]
        epsilon: f64,
        /// Whether the gradient's mean is subtracted, so that its variance and not its square scales the step.
        #[cfg_attr(feature = "serde", serde(default))]
        centered: bool,
        /// Fraction of the previous step that is kept; 0 for none.
        #[cfg_attr(feature = "serde", serde(default))]
        momentum: f64,
    },
}

/// Why an [`OptimizerSpec`] is invalid.
#[derive(Clone, Debug, PartialEq)]
pub struct OptimizerError {
    /// The field's name.
    pub field: &'static str,
    /// Its value.
    pub value: f64,
    /// The valid values.
    pub expected: &'static str,
}

impl fmt::Display for OptimizerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let OptimizerError { field, value, expected } = self;
        write!(f, "optimizer.{field} is {value}, expected {expected}")
    }
}

impl Error for OptimizerError {}

impl OptimizerSpec {
    /// Adam with β₁ = 0.9, β₂ = 0.999, ε = 1e-8.
    pub fn adam(learning_rate: f64) -> OptimizerSpec {
        OptimizerSpec::Adam {
            learning_rate,
            beta1: default_beta1(),
            beta2: default_beta2(),
            epsilon: default_epsilon(),
        }
    }

    /// Rectified Adam with β₁ = 0.9, β₂ = 0.999, ε = 1e-8.
    pub fn radam(learning_rate: f64) -> OptimizerSpec {
        OptimizerSpec::RAdam {
            learning_rate,
            beta1: default_beta1(),
            beta2: default_beta2(),
            epsilon: default_epsilon(),
        }
    }

    /// The learning rate.
    pub fn learning_rate(&self) -> f64 {
        match *self {
            OptimizerSpec::Adam { learning_rate, .. }
            | OptimizerSpec::RAdam { learning_rate, .. }
            | OptimizerSpec::RmsProp { learning_rate, .. } => learning_rate,
        }
    }

    /// Checks every constant.
    ///
    /// # Errors
    /// [`OptimizerError`] for the first that is out of range.
    pub fn validate(&self) -> Result<(), OptimizerError> {
        const SHARE: &str = "a number of at least 0 and below 1";
        const POSITIVE: &str = "a finite number of at least 0";
        // Checked as rounded to single precision, in which the steps are computed: 1e-50 is 0 there, 1e39 infinite, 0.99999999999 is 1.
        let is_share = |x: f64| (0.0..1.0).contains(&(x as f32));
        let is_positive = |x: f64| (x as f32).is_finite() && x >= 0.0 && (x as f32 > 0.0) == (x > 0.0);
        let check = |field, value, is_valid: &dyn Fn(f64) -> bool, expected| {
            if is_valid(value) { Ok(()) } else { Err(OptimizerError { field, value, expected }) }
        };
        match *self {
            OptimizerSpec::Adam { learning_rate, beta1, beta2, epsilon }
            | OptimizerSpec::RAdam { learning_rate, beta1, beta2, epsilon } => {
                check("learning_rate", learning_rate, &is_positive, POSITIVE)?;
                check("beta1", beta1, &is_share, SHARE)?;
                check("beta2", beta2, &is_share, SHARE)?;
                check("epsilon", epsilon, &is_positive, POSITIVE)
            }
            OptimizerSpec::RmsProp { learning_rate, alpha, epsilon, momentum, .. } => {
                check("learning_rate", learning_rate, &is_positive, POSITIVE)?;
                check("alpha", alpha, &is_share, SHARE)?;
                check("epsilon", epsilon, &is_positive, POSITIVE)?;
                check("momentum", momentum, &is_share, SHARE)
            }
        }
    }
}

impl Default for OptimizerSpec {
    /// Adam with PyTorch's constants.
    fn default() -> OptimizerSpec {
        OptimizerSpec::adam(default_learning_rate())
    }
}

fn default_learning_rate() -> f64 {
    1e-3
}

#[cfg(feature = "serde")]
fn default_rms_prop_learning_rate() -> f64 {
    1e-2
}

fn default_beta1() -> f64 {
    0.9
}

fn default_beta2() -> f64 {
    0.999
}

#[cfg(feature = "serde")]
fn default_alpha() -> f64 {
    0.99
}

fn default_epsilon() -> f64 {
    1e-8
}
