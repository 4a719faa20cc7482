//! [`Networks`], the seam between what an update means and the device that computes it.

use requel_nn::{Chosen, Network, OptimizerSpec};

use crate::agent::{AgentError, ValueSpec};
use crate::rng::StreamRng;
use crate::state::StateError;
use crate::transition::ElementType;

/// A network that looks at the observations of an update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// The online network, at the observations and where it looks ahead at the next ones below. It learns from this look.
    Online,
    /// The target network, at the next observations and where it looks back at the present ones below.
    Target,
    /// Whoever chooses the next action, where that takes draws of its own.
    Selector,
}

/// An online network and its slower copy, with what they learn by, on some device. It knows no reinforcement learning: what is looked
/// at, what outputs mean and what their gradients are, [`ValueExecutor`](super::ValueExecutor) says. `CpuNetworks` is that of this
/// crate; a device that computes the same sums in the same order gives the same bits.
pub trait Networks: Send {
    /// The network, which lays out parameters and outputs.
    fn network(&self) -> &Network;

    /// Where the observations of the next update are written, for each network that looks.
    fn inputs_mut(&mut self) -> Inputs<'_>;

    /// The standard normals that a look reads; empty where the network reads none, or nobody looks so.
    fn noise_mut(&mut self, look: Look) -> &mut [f32];

    /// The fractions that a look reads, all of row 0 first; empty as above.
    fn fractions_mut(&mut self, look: Look) -> &mut [f32];

    /// Computes the outputs of all looks. Of the first rows of the online one only these blocks are read, where that is said.
    ///
    /// # Errors
    /// If the device fails; so everywhere here.
    fn look(&mut self, chosen: Option<Chosen<'_>>) -> Result<(), AgentError>;

    /// The outputs of a look, as [`Network::forward`] lays them out; empty where nobody looks so.
    fn outputs(&self, look: Look) -> &[f32];

    /// One step of the optimiser, from the gradients of the outputs of the online look's first rows.
    ///
    /// # Errors
    /// [`AgentError::NotFinite`] where a gradient or a parameter is NaN or infinite.
    fn step(&mut self, d_outputs: &[f32], chosen: Option<Chosen<'_>>, how: &StepHow) -> Result<Step, AgentError>;

    /// Moves the slower copy by `tau` towards the parameters; `None` copies them.
    ///
    /// # Errors
    /// As [`Networks::look`].
    fn follow(&mut self, tau: Option<f32>) -> Result<(), AgentError>;

    /// The values of the actions at observations to act on, rows × actions, with noise that is drawn from `noise`.
    ///
    /// # Errors
    /// As [`Networks::look`].
    fn values(&mut self, observations: &[f32], noise: &mut StreamRng) -> Result<&[f32], AgentError>;

    /// What was learned.
    ///
    /// # Errors
    /// As [`Networks::look`].
    fn lists(&self) -> Result<Lists<'_>, AgentError>;

    /// Takes lists of parameters; what is `None` stays.
    ///
    /// # Errors
    /// If they are not those of a network and an optimiser like these, or the device fails.
    fn set_lists(&mut self, lists: &Lists<'_>) -> Result<(), StateError>;

    /// Lets what is large be computed by up to `threads` threads of the host from now on.
    fn set_threads(&mut self, _threads: usize) {}
}

/// What networks are made of: sizes, and what they begin with.
#[derive(Debug)]
pub struct NetworksPlan {
    /// The value function.
    pub values: ValueSpec,
    /// Its network, run by a kernel of the CPU.
    pub network: Network,
    /// The first parameters.
    pub parameters: Vec<f32>,
    /// What changes them.
    pub optimizer: OptimizerSpec,
    /// Gradients are scaled down to this global norm; 0: not.
    pub max_gradient_norm: f32,
    /// Environments that are acted in.
    pub envs: usize,
    /// What observations are handed on as.
    pub observations: ElementType,
    /// The online look.
    pub online: LookSize,
    /// Rows of it that the gradients of outputs are of.
    pub rows_back: usize,
    /// The target network's look; of 0 rows without a target network.
    pub target: LookSize,
    /// The look of who chooses the next action; of 0 rows where it sees what the others see.
    pub selector: LookSize,
    /// Whether it is the target network that chooses.
    pub target_selects: bool,
}

/// How much is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LookSize {
    /// Observations.
    pub rows: usize,
    /// Fractions of each; 1 where the network reads none.
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

/// A room for each look, rows × numbers of an observation.
#[derive(Debug)]
pub struct LookRooms<'a, T> {
    /// Of the online look.
    pub online: &'a mut [T],
    /// Of the target network.
    pub target: Option<&'a mut [T]>,
    /// Of who chooses the next action.
    pub selector: Option<&'a mut [T]>,
}

/// How a step is made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepHow {
    /// The step size from here on; `None`: as it was.
    pub learning_rate: Option<f64>,
    /// Whether what is costly to know is measured.
    pub measures: bool,
    /// The number of the update, from 0.
    pub update: u64,
}

/// What is known of a step.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Step {
    /// The global norm of the gradient, before it was clipped; `None` where it was neither clipped nor measured.
    pub gradient_norm: Option<f64>,
    /// ‖new − old‖ / ‖old‖ of all parameters, where it was measured and there is one.
    pub update_to_weight: Option<f64>,
    /// Share of the hidden units that were dormant, where it was measured and there are any.
    pub dormant_share: Option<f64>,
}

/// Lists with one number for each parameter.
#[derive(Clone, Debug, Default)]
pub struct Lists<'a> {
    /// The parameters.
    pub online: Option<&'a [f32]>,
    /// Those of the slower copy.
    pub target: Option<&'a [f32]>,
    /// Those of the optimiser.
    pub optimizer: Option<OptimizerLists<'a>>,
}

/// What an optimiser remembers.
#[derive(Clone, Debug)]
pub struct OptimizerLists<'a> {
    /// Steps made.
    pub steps: u64,
    /// Its running averages, by name and in its order.
    pub averages: Vec<(&'static str, &'a [f32])>,
}
