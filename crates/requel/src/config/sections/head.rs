//! What the network's outputs mean.

use serde::{Deserialize, Serialize};

use crate::config::{Auto, SupportEnd};

/// What the network says of each action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HeadKind {
    /// The expected return.
    Scalar,
    /// The probabilities of `atoms` returns between `v_min` and `v_max` (Bellemare 2017).
    Categorical,
    /// `quantiles` quantiles of the return (Dabney 2018a).
    Quantile,
    /// Any quantile of the return, asked for by its fraction (Dabney 2018b).
    ImplicitQuantile,
}

/// The head.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct HeadConfig {
    /// What the network says of each action.
    pub kind: HeadKind,
    /// Categorical: number of returns.
    pub atoms: usize,
    /// Categorical: the lowest return.
    pub v_min: SupportEnd,
    /// Categorical: the highest return.
    pub v_max: SupportEnd,
    /// Quantile: number of quantiles.
    pub quantiles: usize,
    /// Quantile and implicit quantile: the |error| at which Huber's quadratic becomes linear; 0 for plain quantile
    /// regression.
    pub kappa: f64,
    /// Implicit quantile: fractions drawn of the present state, per transition (N).
    pub fractions: usize,
    /// Implicit quantile: fractions drawn of the next state, per transition (N′).
    pub target_fractions: usize,
    /// Implicit quantile: fractions by which an action is chosen (K), the middles of as many equal parts.
    pub acting_fractions: usize,
    /// Implicit quantile: cosines that a fraction is embedded in.
    pub cosines: usize,
}

impl HeadConfig {
    /// Whether what the network says of an action lies on the support from `v_min` to `v_max`.
    pub fn uses_support(&self) -> bool {
        self.kind == HeadKind::Categorical
    }
}

impl Default for HeadConfig {
    fn default() -> Self {
        HeadConfig {
            kind: HeadKind::Scalar,
            atoms: 51,
            v_min: SupportEnd::Auto(Auto::Auto),
            v_max: SupportEnd::Auto(Auto::Auto),
            quantiles: 51,
            kappa: 1.0,
            fractions: 8,
            target_fractions: 8,
            acting_fractions: 32,
            cosines: 64,
        }
    }
}
