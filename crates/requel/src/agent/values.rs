//! [`ValueSpec`] and [`Values`]: from observations to the value of each action.

use requel_nn::{Loss, Network, NetworkSpec, Workspace};
use serde::{Deserialize, Serialize};

use super::{AgentError, FractionCounts, Head, HeadShape, HeadSpec, Rule};
use crate::td::Support;

/// What a value function is: a network, and what its outputs mean.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ValueSpec {
    /// The network.
    pub network: NetworkSpec,
    /// What it says of each action.
    pub head: ValueHead,
}

/// What a network says of each action.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum ValueHead {
    /// The expected return.
    #[default]
    Scalar,
    /// The logits of `atoms` returns spread evenly from `v_min` to `v_max`.
    Categorical {
        /// How many returns.
        atoms: usize,
        /// The lowest.
        v_min: f32,
        /// The highest.
        v_max: f32,
    },
    /// So many quantiles of the return, at the middles of as many equal parts.
    Quantile {
        /// How many.
        quantiles: usize,
    },
    /// The quantile of the return at a fraction that it is asked for.
    ImplicitQuantile {
        /// How many fractions it is asked for to act, the middles of as many equal parts.
        fractions: usize,
    },
}

impl ValueHead {
    /// Outputs of the network for each action.
    pub fn atoms(&self) -> usize {
        match self {
            ValueHead::Scalar | ValueHead::ImplicitQuantile { .. } => 1,
            ValueHead::Categorical { atoms, .. } => *atoms,
            ValueHead::Quantile { quantiles } => *quantiles,
        }
    }

    /// Fractions of each observation that a network reads to act; 1 where it reads none.
    pub fn acting_fractions(&self) -> usize {
        if let ValueHead::ImplicitQuantile { fractions } = self { *fractions } else { 1 }
    }

    /// A head that reads these outputs; what it learns by does not matter to that.
    fn reader(&self) -> HeadSpec {
        match *self {
            ValueHead::Scalar => HeadSpec::Scalar { loss: Loss::Mse },
            ValueHead::Categorical { atoms, v_min, v_max } => {
                HeadSpec::Categorical { support: Support { v_min, v_max, atoms } }
            }
            ValueHead::Quantile { quantiles } => HeadSpec::Quantile { count: quantiles, kappa: 1.0 },
            ValueHead::ImplicitQuantile { .. } => {
                HeadSpec::ImplicitQuantile { counts: FractionCounts { current: 1, next: 1 }, kappa: 1.0 }
            }
        }
    }
}

/// Computes the values that a value function gives to each action.
#[derive(Debug)]
pub struct Values {
    network: Network,
    head: Box<dyn Head>,
    workspace: Workspace,
    actions: usize,
    q: Vec<f32>,
}

impl Values {
    /// For up to `max_rows` observations at once.
    ///
    /// # Errors
    /// If the network is none, or has not as many outputs for each action as the head needs.
    pub fn new(spec: &ValueSpec, max_rows: usize) -> Result<Self, AgentError> {
        let network = Network::with_kernel(&spec.network, requel_nn::kernel::select()?)?;
        let (atoms, outputs) = (spec.head.atoms(), network.output_len());
        let fits = atoms > 0 && outputs.is_multiple_of(atoms);
        let reads_fractions = matches!(spec.head, ValueHead::ImplicitQuantile { fractions: 1.. });
        if !fits || network.reads_fractions() != reads_fractions {
            return Err(AgentError::HeadMismatch { outputs, head: format!("{:?}", spec.head) });
        }
        let actions = outputs / atoms;
        let workspace = Workspace::with_fractions(&network, max_rows, spec.head.acting_fractions());
        let shape = HeadShape { rows: max_rows, actions };
        let head = spec.head.reader().build(Rule::QLearning, shape, network.kernel())?;
        Ok(Values { network, head, workspace, actions, q: vec![0.0; max_rows * actions] })
    }

    /// The value of each action, observations × actions.
    ///
    /// # Panics
    /// If `observations` is no whole number of observations, or of more than this was made for.
    pub fn q_values(&mut self, parameters: &[f32], observations: &[f32]) -> &[f32] {
        let rows = observations.len() / self.network.input_len();
        assert_eq!(rows * self.network.input_len(), observations.len(), "a whole number of observations");
        self.workspace.input_mut(rows).copy_from_slice(observations);
        let outputs = self.network.forward(parameters, rows, &mut self.workspace);
        let q = &mut self.q[..rows * self.actions];
        self.head.q_values(outputs, q);
        q
    }

    /// What [`Values::q_values`] last gave for so many observations.
    pub(super) fn last(&self, rows: usize) -> &[f32] {
        &self.q[..rows * self.actions]
    }

    /// The network.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// How many observations can be looked at at once.
    pub fn max_rows(&self) -> usize {
        self.q.len() / self.actions.max(1)
    }

    /// How many actions are valued.
    pub fn actions(&self) -> usize {
        self.actions
    }

    /// The standard normals that noisy layers read; 0 for the mean weights. Empty where no layer is noisy.
    pub fn noise_mut(&mut self) -> &mut [f32] {
        self.workspace.noise_mut()
    }
}
