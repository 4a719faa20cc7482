//! Replay: storing transitions and drawing batches of them.
//!
//! A [`ReplayStore`] stores transitions ([`RecordStore`]: each as a whole; [`FrameStore`]: each frame of stacked images once); a
//! [`ReplayBuffer`] draws from one ([`UniformReplay`], [`PrioritizedReplay`]). [`NStepAccumulator`] precedes them and makes n-step
//! transitions. [`AugmentedReplay`] changes images as they are copied into a batch ([`RandomShift`]).

mod augmented;
mod buffer;
mod frame_index;
mod frame_layout;
mod frame_pool;
mod frame_store;
#[cfg(test)]
mod frame_tests;
mod latest;
mod mask;
mod n_step;
mod power;
mod prioritized;
mod random_shift;
mod record;
mod record_store;
#[cfg(test)]
mod refusal_tests;
mod ring;
mod store;
mod sum_tree;
mod uniform;

pub use augmented::{Augmentation, AugmentedReplay};
pub use buffer::{ReplayBuffer, ReplayError, check_memory};
pub use frame_layout::FrameLayout;
pub use frame_store::FrameStore;
pub use latest::LatestReplay;
pub use n_step::NStepAccumulator;
pub use prioritized::{PrioritizedReplay, PrioritySpec};
pub use random_shift::{RandomShift, ShiftSpec};
pub use record::RecordLayout;
pub use record_store::RecordStore;
pub use store::ReplayStore;
pub use sum_tree::SumTree;
pub use uniform::{Sampling, UniformReplay};
