//! [`Experience`], one step of one environment.

mod owned;

use requel_envs::Step;

pub use owned::{ExperienceBatch, OwnedExperience};

/// One step of one environment, in the form that agents observe.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Experience<'a> {
    /// Which of the parallel environments.
    pub slot: usize,
    /// The observation before the action.
    pub observation: &'a [f32],
    /// Which actions the environment allowed then; `None`: all.
    pub mask: Option<&'a [bool]>,
    /// The index of the action.
    pub action: usize,
    /// The result of the step: reward, terminated, truncated.
    pub step: Step,
    /// The observation after it: at the end of an episode its true last observation.
    pub next_observation: &'a [f32],
    /// Which actions the environment allows there; `None`: all.
    pub next_mask: Option<&'a [bool]>,
}
