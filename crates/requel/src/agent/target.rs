//! [`TargetSpec`], how the target network, the slower copy that values next states (Mnih et al. 2015), is updated.

use crate::schedule::crossings;

/// How a target network follows the online one.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TargetSpec {
    /// Rate of the moving average, 0 to 1; `None` for copies.
    pub tau: Option<f32>,
    /// Number of updates between two updates of the target network; 0 if env steps are counted.
    pub every_updates: u64,
    /// Number of env steps between two updates of the target network; 0 if updates are counted.
    pub every_env_steps: u64,
}

impl TargetSpec {
    /// How many times the target network is updated after the `updates`-th update.
    pub fn after_update(&self, updates: u64) -> u64 {
        u64::from(self.every_updates > 0 && updates.is_multiple_of(self.every_updates))
    }

    /// How many times the target network is updated now that the count of env steps has gone from `before` to `after`: possibly twice in
    /// one step of several environments, which makes no difference for a hard copy but does for a moving average.
    pub fn after_env_steps(&self, before: u64, after: u64) -> u64 {
        if self.every_env_steps > 0 { crossings(self.every_env_steps, before, after) } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_updates_or_by_env_steps() {
        let by_updates = TargetSpec { every_updates: 3, ..TargetSpec::default() };
        let course: Vec<u64> = (1..=7).map(|update| by_updates.after_update(update)).collect();
        assert_eq!(course, [0, 0, 1, 0, 0, 1, 0]);
        assert_eq!(by_updates.after_env_steps(2, 3), 0);
        let by_env_steps = TargetSpec { every_env_steps: 2, ..TargetSpec::default() };
        assert_eq!(by_env_steps.after_update(2), 0);
        // From 2 to 6 crosses 4 and 6.
        let course = [(0, 1), (1, 2), (2, 6)].map(|(before, after)| by_env_steps.after_env_steps(before, after));
        assert_eq!(course, [0, 1, 2]);
    }
}
