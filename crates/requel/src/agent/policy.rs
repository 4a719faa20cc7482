//! [`GreedyPolicy`], what remains when learning is over.

use requel_nn::Network;

use super::{AgentError, Policy, PolicyInput, ValueSpec, Values};
use crate::td::argmax_allowed;

/// Acts by the greatest Q-value, and does nothing else. Small enough to ship.
///
/// Noisy layers take the means of their weights.
#[derive(Debug)]
pub struct GreedyPolicy {
    values: Values,
    parameters: Vec<f32>,
    /// Observations that were last looked at.
    rows: usize,
}

impl GreedyPolicy {
    /// A policy that can look at up to `max_rows` observations at once.
    ///
    /// # Errors
    /// If `spec` is no value function, or `parameters` has not as many numbers as the network has parameters.
    pub fn new(spec: &ValueSpec, parameters: Vec<f32>, max_rows: usize) -> Result<Self, AgentError> {
        let values = Values::new(spec, max_rows)?;
        check_count(&parameters, &values)?;
        Ok(GreedyPolicy { values, parameters, rows: 0 })
    }

    /// The action for one observation, among those that `mask` allows.
    ///
    /// # Errors
    /// If the observation has another length than the network's input, or the mask another than there are actions.
    pub fn act(&mut self, observation: &[f32], mask: Option<&[bool]>) -> Result<usize, AgentError> {
        let (found, expected) = (observation.len(), self.values.network().input_len());
        if found != expected {
            return Err(AgentError::ObservationLength { found, expected });
        }
        check_mask(mask, self.actions())?;
        Ok(argmax_allowed(self.q_values(observation)?, mask))
    }

    /// The value of each action, observations × actions.
    ///
    /// # Errors
    /// If `observations` is no whole number of observations, or of more than the policy was made for.
    pub fn q_values(&mut self, observations: &[f32]) -> Result<&[f32], AgentError> {
        let (found, expected) = (observations.len(), self.values.network().input_len());
        if !found.is_multiple_of(expected) {
            return Err(AgentError::ObservationLength { found, expected });
        }
        let (found, most) = (found / expected, self.values.max_rows());
        if found > most {
            return Err(AgentError::TooManyObservations { found, most });
        }
        self.rows = found;
        Ok(self.values.q_values(&self.parameters, observations))
    }

    /// The network.
    pub fn network(&self) -> &Network {
        self.values.network()
    }

    /// Its parameters.
    pub fn parameters(&self) -> &[f32] {
        &self.parameters
    }

    /// Takes other parameters, for the same network.
    ///
    /// # Errors
    /// If there are not as many as the network has.
    pub fn set_parameters(&mut self, parameters: &[f32]) -> Result<(), AgentError> {
        check_count(parameters, &self.values)?;
        self.parameters.copy_from_slice(parameters);
        Ok(())
    }

    /// How many actions it chooses from.
    pub fn actions(&self) -> usize {
        self.values.actions()
    }
}

impl Policy for GreedyPolicy {
    fn choose(&mut self, input: &PolicyInput<'_>, actions: &mut [usize]) -> Result<(), AgentError> {
        let (found, expected) = (input.observations.len(), actions.len() * self.values.network().input_len());
        if found != expected {
            return Err(AgentError::ObservationLength { found, expected });
        }
        let count = self.actions();
        let q = self.q_values(input.observations)?;
        for (row, (action, q)) in actions.iter_mut().zip(q.chunks_exact(count)).enumerate() {
            let mask = (input.mask)(row);
            check_mask(mask, count)?;
            *action = argmax_allowed(q, mask);
        }
        Ok(())
    }

    fn values(&self) -> Option<&[f32]> {
        Some(self.values.last(self.rows))
    }

    fn shape(&self) -> Option<(usize, usize)> {
        Some((self.values.network().input_len(), self.actions()))
    }

    fn parameters(&self) -> &[f32] {
        &self.parameters
    }

    fn set_parameters(&mut self, parameters: &[f32]) -> Result<(), AgentError> {
        GreedyPolicy::set_parameters(self, parameters)
    }
}

fn check_mask(mask: Option<&[bool]>, expected: usize) -> Result<(), AgentError> {
    match mask.map(<[bool]>::len).filter(|found| *found != expected) {
        Some(found) => Err(AgentError::MaskLength { found, expected }),
        None => Ok(()),
    }
}

fn check_count(parameters: &[f32], values: &Values) -> Result<(), AgentError> {
    let (found, expected) = (parameters.len(), values.network().parameter_count());
    if found == expected { Ok(()) } else { Err(AgentError::ParameterCount { found, expected }) }
}

#[cfg(test)]
mod tests {
    use requel_nn::{Activation, NetworkSpec};

    use super::*;
    use crate::agent::Readout;

    #[test]
    fn what_is_of_another_size_is_refused_and_nothing_panics() {
        let spec = ValueSpec { network: NetworkSpec::mlp(3, &[2], 2, Activation::Relu), head: Readout::Scalar };
        let count = 3 * 2 + 2 + 2 * 2 + 2;
        let error = GreedyPolicy::new(&spec, vec![0.0; count + 1], 2).unwrap_err();
        assert_eq!(error, AgentError::ParameterCount { found: count + 1, expected: count });
        let mut policy = GreedyPolicy::new(&spec, vec![0.0; count], 2).unwrap();
        assert_eq!(policy.act(&[0.0; 3], Some(&[false, true])), Ok(1));
        assert_eq!(policy.q_values(&[0.0; 6]).map(<[f32]>::len), Ok(4));
        for len in [0, 2, 4, 6] {
            let expected = AgentError::ObservationLength { found: len, expected: 3 };
            assert_eq!(policy.act(&vec![0.0; len], None), Err(expected));
        }
        let error = policy.q_values(&[0.0; 7]).map(drop).unwrap_err();
        assert_eq!(error, AgentError::ObservationLength { found: 7, expected: 3 });
        let error = policy.q_values(&[0.0; 9]).map(drop).unwrap_err();
        assert_eq!(error, AgentError::TooManyObservations { found: 3, most: 2 });
        assert_eq!(policy.act(&[0.0; 3], Some(&[true])), Err(AgentError::MaskLength { found: 1, expected: 2 }));
        let input =
            PolicyInput { observations: &[0.0; 6], slots: &[0, 1], mask: &|row| (row == 1).then_some(&[false, true]) };
        let mut actions = [9; 2];
        policy.choose(&input, &mut actions).unwrap();
        assert_eq!((actions, Policy::values(&policy).map(<[f32]>::len)), ([0, 1], Some(4)));
        let error = policy.choose(&PolicyInput { observations: &[0.0; 5], ..input }, &mut actions).unwrap_err();
        assert_eq!(error, AgentError::ObservationLength { found: 5, expected: 6 });
        let error = policy.choose(&PolicyInput { mask: &|_| Some(&[true]), ..input }, &mut actions).unwrap_err();
        assert_eq!(error, AgentError::MaskLength { found: 1, expected: 2 });
        assert!(policy.set_parameters(&[0.0]).is_err() && policy.set_parameters(&vec![1.0; count]).is_ok());
    }
}
