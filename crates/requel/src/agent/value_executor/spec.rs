//! [`ExecutorSpec`]: what is learned, and how; [`ExecutorShape`]: the sizes of an update.

use std::sync::Arc;

use super::Bootstrap;
use crate::agent::{Actions, HeadSpec, LearnerSpec, TargetSpec, ValueSpec};
use crate::td::RuleSpec;
use crate::transition::ElementType;

/// What an executor is built from, on any device.
#[derive(Clone, Debug)]
pub struct ExecutorSpec {
    /// The value function.
    pub values: ValueSpec,
    /// The head that its outputs are learned by.
    pub head: Arc<dyn HeadSpec>,
    /// By which rule rewards and the values of the next states become targets.
    pub rule: Arc<dyn RuleSpec>,
    /// Which network values the next states.
    pub bootstrap: Bootstrap,
    /// Bootstrapped targets are clipped to this lowest and highest return; `None` for no clipping.
    pub bounds: Option<(f32, f32)>,
    /// The optimiser and the initial parameters.
    pub learner: LearnerSpec,
    /// How the target network is updated, if `bootstrap` has one.
    pub target: TargetSpec,
}

/// The sizes of an executor's work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExecutorShape {
    /// Number of environments that the agent acts in.
    pub envs: usize,
    /// Transitions of an update.
    pub rows: usize,
    /// The element type of the observations in a batch.
    pub observations: ElementType,
    /// Actions of the environments.
    pub actions: Actions,
}
