//! [`GreedyPolicy`] as a [`Policy`].

use requel_policy::GreedyPolicy;

use super::{AgentError, Policy, PolicyInput};

impl Policy for GreedyPolicy {
    fn choose(&mut self, input: &PolicyInput<'_>, actions: &mut [usize]) -> Result<(), AgentError> {
        Ok(self.act_batch(input.observations, input.masks.flags(), actions)?)
    }

    fn values(&self) -> Option<&[f32]> {
        Some(self.last_values())
    }

    fn shape(&self) -> Option<(usize, usize)> {
        Some((self.observation_len(), self.actions()))
    }

    fn parameters(&self) -> &[f32] {
        GreedyPolicy::parameters(self)
    }

    fn set_parameters(&mut self, parameters: &[f32]) -> Result<(), AgentError> {
        Ok(GreedyPolicy::set_parameters(self, parameters)?)
    }
}

#[cfg(test)]
mod tests {
    use requel_nn::{Activation, NetworkSpec};
    use requel_policy::PolicyError;

    use super::*;
    use crate::agent::{Masks, Readout, ValueSpec};

    #[test]
    fn several_rows_are_acted_on_at_once_and_what_does_not_fit_is_refused() {
        let spec = ValueSpec { network: NetworkSpec::mlp(3, &[2], 2, Activation::Relu), head: Readout::Scalar };
        let count = 3 * 2 + 2 + 2 * 2 + 2;
        let mut policy = GreedyPolicy::new(&spec, vec![0.0; count], 2).unwrap();
        let masks = Masks::new(&[true, true, false, true], 2);
        let input = PolicyInput { observations: &[0.0; 6], slots: &[0, 1], masks };
        let mut actions = [9; 2];
        policy.choose(&input, &mut actions).unwrap();
        assert_eq!((actions, Policy::values(&policy).map(<[f32]>::len)), ([0, 1], Some(4)));
        let error = policy.choose(&PolicyInput { observations: &[0.0; 5], ..input }, &mut actions).unwrap_err();
        assert_eq!(error, PolicyError::ObservationLength { found: 5, expected: 6 }.into());
        let error =
            policy.choose(&PolicyInput { masks: Masks::new(&[true; 2], 1), ..input }, &mut actions).unwrap_err();
        assert_eq!(error, PolicyError::MaskLength { found: 2, expected: 4 }.into());
        assert!(Policy::set_parameters(&mut policy, &[0.0]).is_err());
        assert!(Policy::set_parameters(&mut policy, &vec![1.0; count]).is_ok());
    }
}
