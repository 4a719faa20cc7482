//! [`Networks`], the seam between the definition of an update and the device that computes it.

use requel_nn::{Chosen, Network, OptimizerSpec};

use crate::agent::{AgentError, ValueSpec};
use crate::rng::StreamRng;
use crate::state::StateError;
use crate::transition::ElementType;

/// A forward pass over the observations of an update (a look), named by the network that makes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// The online network, over the observations, and over the next ones below them if it looks ahead. The gradient flows through this
    /// pass.
    Online,
    /// The target network, over the next observations, and over the present ones below them if the rule reads their values.
    Target,
    /// The network that chooses the next action, if it does so with noise or fractions of its own.
    Selector,
}

/// An online network and its target copy, with their optimiser, on some device. It knows no reinforcement learning:
/// [`ValueExecutor`](super::ValueExecutor) decides what they read, what their outputs mean and what the gradients of the outputs are.
/// `CpuNetworks` is this crate's; a device that computes the same sums in the same order gives the same bits.
pub trait Networks: Send {
    /// The network, which defines the layout of parameters and outputs.
    fn network(&self) -> &Network;

    /// Where the observations of the next update are written, for each network that looks.
    fn inputs_mut(&mut self) -> Inputs<'_>;

    /// The standard normals that a look reads; empty if the network reads none or there is no such look.
    fn noise_mut(&mut self, look: Look) -> &mut [f32];

    /// The fractions that a look reads, all of row 0 first; empty as above.
    fn fractions_mut(&mut self, look: Look) -> &mut [f32];

    /// Computes the outputs of all looks. With `chosen`, only these blocks of the online look's first rows will be read.
    ///
    /// # Errors
    /// If the device fails, as for the other methods.
    fn look(&mut self, chosen: Option<Chosen<'_>>) -> Result<(), AgentError>;

    /// The outputs of a look, in the layout of [`Network::forward`]; empty if there is no such look.
    fn outputs(&self, look: Look) -> &[f32];

    /// One step of the optimiser, from the gradients of the outputs of the online look's first rows.
    ///
    /// # Errors
    /// [`AgentError::NotFinite`] if a gradient or a parameter is NaN or infinite.
    fn step(&mut self, d_outputs: &[f32], chosen: Option<Chosen<'_>>, how: &StepHow) -> Result<Step, AgentError>;

    /// Moves the target network by `tau` towards the online network; `None` copies it.
    ///
    /// # Errors
    /// As [`Networks::look`].
    fn follow(&mut self, tau: Option<f32>) -> Result<(), AgentError>;

    /// The action values to act on at these observations, rows × actions; a noisy network draws from `noise`.
    ///
    /// # Errors
    /// As [`Networks::look`].
    fn values(&mut self, observations: &[f32], noise: &mut StreamRng) -> Result<&[f32], AgentError>;

    /// The parameters of both networks and the state of the optimiser.
    ///
    /// # Errors
    /// As [`Networks::look`].
    fn lists(&self) -> Result<Lists<'_>, AgentError>;

    /// Replaces them; a list that is `None` stays as it is.
    ///
    /// # Errors
    /// If they do not match this network and optimiser, or the device fails.
    fn set_lists(&mut self, lists: &Lists<'_>) -> Result<(), StateError>;

    /// From now on, large computations use up to `threads` threads of the host.
    fn set_threads(&mut self, _threads: usize) {}
}

/// What networks are built from: sizes and initial parameters.
#[derive(Debug)]
pub struct NetworksPlan {
    /// The value function.
    pub values: ValueSpec,
    /// Its network, run by a kernel of the CPU.
    pub network: Network,
    /// The initial parameters.
    pub parameters: Vec<f32>,
    /// The optimiser that changes them.
    pub optimizer: OptimizerSpec,
    /// Gradients are scaled down to this global norm; 0 for no clipping.
    pub max_gradient_norm: f32,
    /// Number of environments that the agent acts in.
    pub envs: usize,
    /// The element type of the observations in a batch.
    pub observations: ElementType,
    /// The online look.
    pub online: LookSize,
    /// Number of its rows that gradients flow back through.
    pub rows_back: usize,
    /// The target network's look; 0 rows without a target network.
    pub target: LookSize,
    /// The look of the network that chooses the next action, if it has noise or fractions of its own; otherwise 0 rows.
    pub selector: LookSize,
    /// Whether it is the target network that chooses.
    pub target_selects: bool,
}

/// The size of a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LookSize {
    /// Observations.
    pub rows: usize,
    /// Fractions of each; 1 if the network reads none.
    pub fractions: usize,
}

/// Where the observations of an update are written: those of each look.
#[derive(Debug)]
pub enum Inputs<'a> {
    /// As numbers.
    F32(LookRooms<'a, f32>),
    /// As whole numbers from 0 to 255.
    U8(LookRooms<'a, u8>),
}

/// The input buffer of each look, rows × numbers of an observation.
#[derive(Debug)]
pub struct LookRooms<'a, T> {
    /// Of the online look.
    pub online: &'a mut [T],
    /// Of the target network.
    pub target: Option<&'a mut [T]>,
    /// Of the network that chooses the next action.
    pub selector: Option<&'a mut [T]>,
}

/// The options of an optimiser step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepHow {
    /// The learning rate from this step on; `None` to keep the last one.
    pub learning_rate: Option<f64>,
    /// Whether costly statistics are measured.
    pub measures: bool,
    /// The number of the update, from 0.
    pub update: u64,
}

/// The statistics of an optimiser step.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Step {
    /// The global norm of the gradient before clipping; `None` if it was neither clipped nor measured.
    pub gradient_norm: Option<f64>,
    /// ‖new − old‖ / ‖old‖ of all parameters, if it was measured and ‖old‖ is not 0.
    pub update_to_weight: Option<f64>,
    /// Share of hidden units that were dormant, if it was measured and there are hidden units.
    pub dormant_share: Option<f64>,
}

/// Lists with one number for each parameter.
#[derive(Clone, Debug, Default)]
pub struct Lists<'a> {
    /// The parameters.
    pub online: Option<&'a [f32]>,
    /// The parameters of the target network.
    pub target: Option<&'a [f32]>,
    /// The state of the optimiser.
    pub optimizer: Option<OptimizerLists<'a>>,
}

/// The state of an optimiser.
#[derive(Clone, Debug)]
pub struct OptimizerLists<'a> {
    /// Steps made.
    pub steps: u64,
    /// Its running averages, by name and in its order.
    pub averages: Vec<(&'static str, &'a [f32])>,
}
