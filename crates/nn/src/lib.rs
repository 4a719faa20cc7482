//! Small `f32` neural networks on the CPU: explicit forward and backward passes into preallocated buffers, and the same
//! bits at every SIMD width.
//!
//! [`NetworkSpec`] describes a network; [`Network`] computes it. All numbers are in buffers that the caller owns: parameters and gradients
//! are plain `f32` slices, what a pass writes is a [`Workspace`], the state of an optimiser is an [`Optimizer`]. Once these are created,
//! nothing here allocates.
//!
//! ```
//! use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
//! use requel_nn::{Activation, Init, Loss, Network, NetworkSpec, Optimizer, OptimizerSpec, Workspace};
//!
//! // Learn y = x0 − x1 from eight points.
//! let network = Network::new(&NetworkSpec::mlp(2, &[16], 1, Activation::Tanh))?;
//! let mut parameters = vec![0.0; network.parameter_count()];
//! network.initialize(&mut parameters, Init::PytorchLinear, &mut ChaCha8Rng::seed_from_u64(0));
//! let mut gradients = vec![0.0; parameters.len()];
//! let mut optimizer = Optimizer::new(&OptimizerSpec::adam(0.01), parameters.len());
//! let mut workspace = Workspace::new(&network, 8);
//!
//! let mut loss = f32::INFINITY;
//! for _ in 0..300 {
//!     for (i, x) in workspace.input_mut(8).chunks_exact_mut(2).enumerate() {
//!         x.copy_from_slice(&[i as f32 / 8.0, (i % 3) as f32 / 3.0]);
//!     }
//!     let outputs = network.forward(&parameters, 8, &mut workspace);
//!     let mut errors = [0.0; 8];
//!     for (i, error) in errors.iter_mut().enumerate() {
//!         *error = outputs[i] - (i as f32 / 8.0 - (i % 3) as f32 / 3.0);
//!     }
//!     let mut d_outputs = [0.0; 8];
//!     loss = Loss::Mse.mean(&errors, &mut d_outputs);
//!     network.backward(&parameters, &d_outputs, &mut workspace, &mut gradients);
//!     optimizer.step(&mut parameters, &gradients);
//! }
//! assert!(loss < 1e-3);
//! # Ok::<(), requel_nn::SpecError>(())
//! ```
//!
//! # The same bits everywhere
//!
//! Every sum has one order, which [`mod@reference`] spells out: an output starts from its bias and adds its inputs in increasing order, a
//! weight's gradient adds the rows of the batch in increasing order, an input's gradient adds the outputs in increasing order, each as one
//! chain of fused multiply-adds. The vector kernels compute neighbouring sums in parallel and never split one, so their width cannot affect
//! a result; see [`Kernel`].
//!
//! # What this crate does not do
//!
//! No reinforcement learning: it knows nothing of Q-values, targets or replay. No automatic differentiation, no general tensors, no files,
//! no clock, no threads unless requested ([`Network::with_threads`], with the feature `threads`). Without its features `threads` and
//! `serde` it needs two other crates, `libm` and `rand_core`.

#![deny(unsafe_code)]
#![deny(unsafe_op_in_unsafe_fn)]

mod clip;
mod init;
#[allow(unsafe_code)]
pub mod kernel;
pub mod lanes;
mod layer;
mod loss;
pub mod math;
mod network;
mod norm;
mod optimizer;
pub mod pytorch;
pub mod reference;
mod softmax;
mod spec;
mod workspace;

pub use clip::clip_global_norm;
pub use init::Init;
pub use kernel::{Kernel, KernelError};
pub use layer::Chosen;
pub use loss::Loss;
pub use network::{Network, ParameterSlice};
pub use norm::{distance, global_norm};
pub use optimizer::{Optimizer, OptimizerError, OptimizerSpec, RestoreError, StepFactors};
pub use softmax::SoftmaxRows;
pub use spec::{Activation, LayerSpec, NetworkSpec, SpecError};
pub use workspace::Workspace;
