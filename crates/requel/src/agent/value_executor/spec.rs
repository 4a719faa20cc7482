//! [`ExecutorSpec`]: what is learned, and how; [`ExecutorShape`]: how large the work is.

use std::sync::Arc;

use super::Bootstrap;
use crate::agent::{Actions, HeadSpec, LearnerSpec, TargetSpec, ValueSpec};
use crate::td::RuleSpec;
use crate::transition::ElementType;

/// What an executor is made of, whatever device it computes on.
#[derive(Clone, Debug)]
pub struct ExecutorSpec {
    /// The value function.
    pub values: ValueSpec,
    /// What its outputs are learned by.
    pub head: Arc<dyn HeadSpec>,
    /// By which rule rewards and the values of the next states become targets.
    pub rule: Arc<dyn RuleSpec>,
    /// Which network values the next states.
    pub bootstrap: Bootstrap,
    /// The lowest and the highest return that a bootstrapped target may be; `None`: any.
    pub bounds: Option<(f32, f32)>,
    /// What changes the parameters.
    pub learner: LearnerSpec,
    /// How the target network follows, where `bootstrap` has one.
    pub target: TargetSpec,
}

/// The sizes of an executor's work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExecutorShape {
    /// Environments that are acted in.
    pub envs: usize,
    /// Transitions of an update.
    pub rows: usize,
    /// What a batch hands observations on as.
    pub observations: ElementType,
    /// Actions of the environments.
    pub actions: Actions,
}
