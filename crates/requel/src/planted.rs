//! [`PlantedBug`]: the mistakes of this field, to be made on purpose, so that tests can be seen to catch them.
//!
//! They exist with the feature `planted-bugs` alone, where the environment variable `REQUEL_PLANTED_BUG` names the one to make;
//! without it [`PlantedBug::is_made`] is a constant and nothing is left of them. `cargo xtask planted` goes through them all, and
//! `crates/requel/tests/PLANTED.md` says which test catches which.

/// A mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PlantedBug {
    /// The target network stays what it was at first.
    TargetNeverUpdated,
    /// The gradient of the TD error goes up, not down.
    TdErrorSign,
    /// A truncated episode is taken for a terminated one.
    TruncationTerminates,
    /// A terminated episode is taken for one that goes on.
    TerminalBootstraps,
    /// Importance weights are worked out and not used.
    WeightsIgnored,
    /// Priorities stay what they were when the transition came.
    PrioritiesFrozen,
    /// After n steps the value is discounted as after one.
    NStepDiscount,
    /// The action next to the one taken is stored.
    ActionShifted,
    /// Probability goes to the atoms above the right ones.
    ProjectionShifted,
    /// ε stays what it was at first.
    EpsilonConstant,
}

impl PlantedBug {
    /// Whether this mistake is to be made.
    #[cfg(not(feature = "planted-bugs"))]
    #[inline(always)]
    pub(crate) const fn is_made(self) -> bool {
        false
    }

    /// Whether this mistake is to be made.
    #[cfg(feature = "planted-bugs")]
    pub(crate) fn is_made(self) -> bool {
        static CHOSEN: std::sync::OnceLock<Option<PlantedBug>> = std::sync::OnceLock::new();
        let choose = || {
            let name = std::env::var("REQUEL_PLANTED_BUG").ok()?;
            let found = PlantedBug::ALL.iter().find(|bug| bug.name() == name);
            Some(*found.unwrap_or_else(|| panic!("no planted bug is called `{name}`")))
        };
        *CHOSEN.get_or_init(choose) == Some(self)
    }
}

#[cfg(any(test, feature = "planted-bugs"))]
impl PlantedBug {
    /// All of them.
    const ALL: [PlantedBug; 10] = [
        PlantedBug::TargetNeverUpdated,
        PlantedBug::TdErrorSign,
        PlantedBug::TruncationTerminates,
        PlantedBug::TerminalBootstraps,
        PlantedBug::WeightsIgnored,
        PlantedBug::PrioritiesFrozen,
        PlantedBug::NStepDiscount,
        PlantedBug::ActionShifted,
        PlantedBug::ProjectionShifted,
        PlantedBug::EpsilonConstant,
    ];

    /// What the environment variable calls it.
    const fn name(self) -> &'static str {
        match self {
            PlantedBug::TargetNeverUpdated => "target-never-updated",
            PlantedBug::TdErrorSign => "td-error-sign",
            PlantedBug::TruncationTerminates => "truncation-terminates",
            PlantedBug::TerminalBootstraps => "terminal-bootstraps",
            PlantedBug::WeightsIgnored => "weights-ignored",
            PlantedBug::PrioritiesFrozen => "priorities-frozen",
            PlantedBug::NStepDiscount => "n-step-discount",
            PlantedBug::ActionShifted => "action-shifted",
            PlantedBug::ProjectionShifted => "projection-shifted",
            PlantedBug::EpsilonConstant => "epsilon-constant",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_those_that_are_caught_is_whole() {
        let list = include_str!("../tests/PLANTED.md");
        for bug in PlantedBug::ALL {
            assert!(list.contains(&format!("| `{}` |", bug.name())), "{bug:?} is not in PLANTED.md");
        }
        assert_eq!(list.lines().filter(|line| line.starts_with("| `")).count(), PlantedBug::ALL.len());
    }
}
