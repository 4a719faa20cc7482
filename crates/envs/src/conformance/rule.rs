//! The [`Rule`]s of the contract, and the result of checking them.

/// What a successful check covered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Steps taken in the runs that were compared.
    pub steps: usize,
    /// Episodes among them that terminated.
    pub terminated: usize,
    /// Episodes among them that were truncated without terminating.
    pub truncated: usize,
    /// Whether the environment saves its state. If it cannot, [`Rule::Restorable`] and [`Rule::StatesChecked`] are not tested.
    pub saves: bool,
}

/// A part of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rule {
    /// The spaces are valid, see [`Space::check`](crate::Space::check), and do not change; so is the spec, see
    /// [`EnvSpec::check`](crate::EnvSpec::check)(crate::EnvSpec).
    Described,
    /// Observations are in their space; rewards are finite in single precision, in which they are used for learning, and in the range that
    /// the environment declares.
    InSpace,
    /// The same seed and actions give the same bits, on the same instance and on another one.
    Deterministic,
    /// An environment that was never seeded behaves as if seeded with 0.
    SeededWithZero,
    /// A step before the first reset or after the end of an episode is refused with [`EnvError::ResetNeeded`](crate::EnvError::ResetNeeded).
    ResetFirst,
    /// An action outside the space is refused with [`EnvError::InvalidAction`](crate::EnvError::InvalidAction) and changes nothing.
    ActionsChecked,
    /// A slice of the wrong length is refused with [`EnvError::ObservationLength`](crate::EnvError::ObservationLength) and changes nothing.
    LengthsChecked,
    /// An episode is over after `max_episode_steps` steps.
    TimeLimit,
    /// A restored state continues with the same bits, on the same instance and on another one. An environment that cannot save its state
    /// always says so with [`EnvError::CannotSave`](crate::EnvError::CannotSave), and restores none.
    Restorable,
    /// Bytes that are not a saved state are refused with [`EnvError::InvalidState`](crate::EnvError::InvalidState) and change nothing.
    StatesChecked,
    /// A mask has one flag per action and allows at least one of them; from the first reset on, there is always a mask or never.
    Mask,
    /// A scene has shapes, finite numbers, and every shape at least partly in view; the view does not change. There is always a scene or
    /// never.
    Drawable,
    /// No call panics.
    NeverPanics,
}

/// A breach of the contract by an environment.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("{id}: {detail} (this breaks the rule {rule:?})")]
pub struct Violation {
    /// The environment.
    pub id: String,
    /// The part of the contract.
    pub rule: Rule,
    /// What happened.
    pub detail: String,
}

pub(super) struct Fault(pub(super) Rule, pub(super) String);

pub(super) fn fail<T>(rule: Rule, detail: impl Into<String>) -> Result<T, Fault> {
    Err(Fault(rule, detail.into()))
}

pub(super) fn ensure(holds: bool, rule: Rule, detail: impl FnOnce() -> String) -> Result<(), Fault> {
    if holds { Ok(()) } else { fail(rule, detail()) }
}
