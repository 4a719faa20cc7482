//! What the network's outputs mean.

use crate::config::declare::Condition::{Is, IsNot};
use crate::config::declare::Range::{UpTo, Whole, ZeroOr};
use crate::config::declare::{LARGE, SMALL, Tuning, choice, section};
use crate::config::{Auto, SupportEnd};

choice! {
    /// What the network outputs for each action.
    pub enum HeadKind {
        /// The expected return.
        "scalar" => Scalar,
        /// The probabilities of `atoms` returns from `v_min` to `v_max` (Bellemare 2017).
        "categorical" => Categorical,
        /// `quantiles` quantiles of the return (Dabney 2018a).
        "quantile" => Quantile,
        /// The quantile of the return at any fraction that is asked for (Dabney 2018b).
        "implicit-quantile" => ImplicitQuantile,
    }
}

section! {
    /// What the network outputs for each action, and what it is read as.
    pub struct HeadConfig = "head" {
        /// Network output for each action.
        kind: HeadKind = HeadKind::Scalar,
            tune Tuning::one_of(&[r#""scalar""#, r#""categorical""#]).when(&[
                Is("agent.kind", "dqn"),
                Is("agent.munchausen", "false"),
                Is("agent.bellman_gradient", "semi"),
                IsNot("head.kind", "quantile"),
                IsNot("head.kind", "implicit-quantile"),
            ]);
        /// Name of a head of your own, registered by the program, in place of `kind` (empty: none).
        #[serde(skip_serializing_if = "String::is_empty")]
        name: String = String::new();
        /// Categorical: number of atoms.
        atoms: usize = 51, in Whole(2, 10_000);
        /// Categorical: lowest return of the support (auto: lowest that the rewards allow).
        v_min: SupportEnd = SupportEnd::Auto(Auto::Auto), in UpTo(LARGE), unit "units of return";
        /// Categorical: highest return of the support (auto: highest that the rewards allow).
        v_max: SupportEnd = SupportEnd::Auto(Auto::Auto), in UpTo(LARGE), unit "units of return";
        /// Quantile: number of quantiles.
        quantiles: usize = 51, in Whole(1, 10_000);
        /// Quantile, implicit-quantile: Huber threshold (0: plain quantile regression).
        kappa: f64 = 1.0, in ZeroOr(SMALL, LARGE), unit "units of return", may change;
        /// Implicit-quantile: fractions sampled for the current state (N).
        fractions: usize = 8, in Whole(1, 10_000), unit "per transition";
        /// Implicit-quantile: fractions sampled for the next state (N').
        target_fractions: usize = 8, in Whole(1, 10_000), unit "per transition";
        /// Implicit-quantile: fractions averaged to choose an action (K).
        ///
        /// They are the midpoints of as many equal parts of 0 to 1.
        acting_fractions: usize = 32, in Whole(1, 10_000), unit "per state";
        /// Implicit-quantile: number of cosines in the embedding of a fraction.
        cosines: usize = 64, in Whole(1, 10_000);
    }
}

impl HeadConfig {
    /// Whether what the network says of an action lies on the support from `v_min` to `v_max`.
    pub fn uses_support(&self) -> bool {
        self.kind == HeadKind::Categorical
    }
}
