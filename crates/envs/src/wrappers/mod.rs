//! Environments around environments: each changes one thing and passes on the rest.
//!
//! A wrapper is itself an [`Env`](crate::Env), saves its own state together with the environment inside, and can be wrapped again.
//! [`TimeLimit`](crate::TimeLimit) is one of them.
//!
//! ```
//! use requel_envs::{Env, make, wrappers::{ClipReward, Discretize, FrameStack}};
//!
//! let env = Discretize::new(make("Pendulum-v1")?, 5)?;
//! let env = FrameStack::new(ClipReward::new(env, -10.0, 0.0)?, 4)?;
//! assert_eq!(env.observation_len(), 4 * 3);
//! # Ok::<(), requel_envs::EnvError>(())
//! ```

mod action_repeat;
mod channel_stack;
mod discretize;
pub(crate) mod forward;
mod frame_stack;
mod normalize;
mod one_hot;
mod reward;
mod sticky_actions;

pub use action_repeat::ActionRepeat;
pub use channel_stack::ChannelStack;
pub use discretize::Discretize;
pub use frame_stack::FrameStack;
pub use normalize::{NormalizeObservation, ObservationStatistics};
pub use one_hot::OneHot;
pub use reward::{ClipReward, ScaleReward};
pub use sticky_actions::StickyActions;
