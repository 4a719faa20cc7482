//! [`TargetNetwork`], the slower copy that values next states (Mnih et al. 2015).

use crate::schedule::crossings;

/// How a target network follows the online one.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TargetSpec {
    /// Rate of the moving average, 0 to 1; `None` for copies.
    pub tau: Option<f32>,
    /// Follows every so many updates; 0 where env steps are counted.
    pub every_updates: u64,
    /// Follows every so many env steps; 0 where updates are counted.
    pub every_env_steps: u64,
}

/// A copy of the online network's parameters that follows it now and then.
#[derive(Clone, Debug)]
pub struct TargetNetwork {
    parameters: Vec<f32>,
    spec: TargetSpec,
}

impl TargetNetwork {
    /// A copy of `online`.
    pub fn new(spec: TargetSpec, online: &[f32]) -> Self {
        TargetNetwork { parameters: online.to_vec(), spec }
    }

    /// The copy.
    pub fn parameters(&self) -> &[f32] {
        &self.parameters
    }

    /// The copy, to be overwritten with a saved one.
    pub fn parameters_mut(&mut self) -> &mut [f32] {
        &mut self.parameters
    }

    /// Follows `online` if that is due after the `updates`-th update.
    pub fn after_update(&mut self, updates: u64, online: &[f32]) {
        if self.spec.every_updates > 0 && updates.is_multiple_of(self.spec.every_updates) {
            self.follow(online);
        }
    }

    /// Follows `online` if that is due now that the count of env steps went from `before` to `after`.
    pub fn after_env_steps(&mut self, before: u64, after: u64, online: &[f32]) {
        if self.spec.every_env_steps > 0 {
            // Twice in one step of several environments: a hard copy shows no difference, a moving average does.
            (0..crossings(self.spec.every_env_steps, before, after)).for_each(|_| self.follow(online));
        }
    }

    fn follow(&mut self, online: &[f32]) {
        match self.spec.tau {
            None => self.parameters.copy_from_slice(online),
            Some(tau) => {
                for (target, online) in self.parameters.iter_mut().zip(online) {
                    *target += tau * (online - *target);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(tau: Option<f32>, every_updates: u64, every_env_steps: u64) -> TargetNetwork {
        TargetNetwork::new(TargetSpec { tau, every_updates, every_env_steps }, &[0.0])
    }

    #[test]
    fn hard_follows_every_n_updates() {
        let mut target = target(None, 3, 0);
        let course: Vec<f32> = (1..=7)
            .map(|update| {
                target.after_update(update, &[update as f32]);
                target.after_env_steps(update, update + 1, &[100.0]);
                target.parameters()[0]
            })
            .collect();
        assert_eq!(course, [0.0, 0.0, 3.0, 3.0, 3.0, 6.0, 6.0]);
    }

    #[test]
    fn soft_moves_by_tau() {
        let mut target = target(Some(0.25), 0, 2);
        target.after_update(2, &[8.0]);
        assert_eq!(target.parameters()[0], 0.0);
        target.after_env_steps(1, 2, &[8.0]);
        assert_eq!(target.parameters()[0], 2.0);
        // From 2 to 6 crosses 4 and 6: 2 → 3.5 → 4.625.
        target.after_env_steps(2, 6, &[8.0]);
        assert_eq!(target.parameters()[0], 4.625);
    }
}
