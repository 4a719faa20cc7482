//! [`CpuSpec`]: what is learned on the CPU, and how.

use std::sync::Arc;

use super::Bootstrap;
use crate::agent::{Actions, HeadSpec, LearnerSpec, Rule, TargetSpec, ValueSpec};
use crate::transition::ElementType;

/// What an executor on the CPU is made of.
#[derive(Clone, Debug)]
pub struct CpuSpec {
    /// The value function.
    pub values: ValueSpec,
    /// What its outputs are learned by.
    pub head: Arc<dyn HeadSpec>,
    /// How what comes next is valued.
    pub rule: Rule,
    /// Who values it.
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
