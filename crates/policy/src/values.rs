//! [`Values`]: from observations to the value of each action.

use requel_nn::{Kernel, Network, Workspace};

use crate::{PolicyError, Reader, ValueSpec};

/// Computes the values of the actions with a value function.
#[derive(Debug)]
pub struct Values {
    network: Network,
    reader: Box<dyn Reader>,
    workspace: Workspace,
    actions: usize,
    q: Vec<f32>,
}

impl Values {
    /// For up to `max_rows` observations at once, with the fastest kernel of this machine.
    ///
    /// # Errors
    /// If the network is invalid, or does not have as many outputs per action as the head needs.
    pub fn new(spec: &ValueSpec, max_rows: usize) -> Result<Self, PolicyError> {
        Self::with_kernel(spec, max_rows, Kernel::fastest())
    }

    /// The same, with `kernel`: every kernel gives the same bits.
    ///
    /// # Errors
    /// As [`Values::new`].
    pub fn with_kernel(spec: &ValueSpec, max_rows: usize, kernel: Kernel) -> Result<Self, PolicyError> {
        let network = Network::with_kernel(&spec.network, kernel)?;
        let (atoms, outputs) = (spec.head.atoms(), network.output_len());
        let fits = atoms > 0 && outputs.is_multiple_of(atoms);
        if !fits || network.reads_fractions() != spec.head.reads_fractions() {
            return Err(PolicyError::HeadMismatch { outputs, head: spec.head.to_string() });
        }
        let (actions, fractions) = (outputs / atoms, spec.head.acting_fractions());
        Workspace::bytes_needed_with_fractions(&network, max_rows, fractions)?;
        let reader = spec.head.reader(max_rows, actions, network.kernel())?;
        let workspace = Workspace::with_fractions(&network, max_rows, fractions);
        Ok(Values { network, reader, workspace, actions, q: vec![0.0; max_rows * actions] })
    }

    /// The value of each action, observations × actions.
    ///
    /// # Panics
    /// If `observations` does not divide into observations, or there are more than this was created for.
    #[inline]
    pub fn q_values(&mut self, parameters: &[f32], observations: &[f32]) -> &[f32] {
        let rows = observations.len() / self.network.input_len();
        assert_eq!(rows * self.network.input_len(), observations.len(), "a whole number of observations");
        if rows == 0 {
            return &[];
        }
        self.workspace.input_mut(rows).copy_from_slice(observations);
        let outputs = self.network.forward(parameters, rows, &mut self.workspace);
        let q = &mut self.q[..rows * self.actions];
        self.reader.q_values(outputs, q);
        q
    }

    /// What [`Values::q_values`] last returned, for this many observations.
    pub(crate) fn last(&self, rows: usize) -> &[f32] {
        &self.q[..rows * self.actions]
    }

    /// The network.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The maximum number of observations at once.
    pub fn max_rows(&self) -> usize {
        self.q.len() / self.actions.max(1)
    }

    /// The number of actions.
    pub fn actions(&self) -> usize {
        self.actions
    }

    /// The standard normals that noisy layers read; 0 for the mean weights. Empty if no layer is noisy.
    pub fn noise_mut(&mut self) -> &mut [f32] {
        self.workspace.noise_mut()
    }
}
