//! [`GreedyPolicy`], what remains when learning is over.

use requel_nn::Network;

use crate::{PolicyError, ValueSpec, Values, argmax_allowed};

/// Chooses the action with the largest Q-value, and does nothing else. Small enough to ship.
///
/// Noisy layers use the means of their weights.
#[derive(Debug)]
pub struct GreedyPolicy {
    values: Values,
    parameters: Vec<f32>,
    /// The number of observations in the last call.
    rows: usize,
}

impl GreedyPolicy {
    /// A policy for up to `max_rows` observations at once.
    ///
    /// # Errors
    /// If `spec` is not a valid value function, or the number of `parameters` differs from the network's.
    pub fn new(spec: &ValueSpec, parameters: Vec<f32>, max_rows: usize) -> Result<Self, PolicyError> {
        Self::of_values(Values::new(spec, max_rows)?, parameters)
    }

    /// A policy from existing [`Values`].
    ///
    /// # Errors
    /// If the number of `parameters` differs from the network's.
    pub fn of_values(values: Values, parameters: Vec<f32>) -> Result<Self, PolicyError> {
        check_count(&parameters, &values)?;
        Ok(GreedyPolicy { values, parameters, rows: 0 })
    }

    /// The action for one observation, among those that `mask` allows; if it allows none, all count as allowed.
    ///
    /// # Errors
    /// If the length of the observation differs from the network's input, or that of the mask from the number of actions.
    pub fn act(&mut self, observation: &[f32], mask: Option<&[bool]>) -> Result<usize, PolicyError> {
        let mut action = [0];
        if mask.is_some_and(<[bool]>::is_empty) {
            return Err(PolicyError::MaskLength { found: 0, expected: self.actions() });
        }
        self.act_batch(observation, mask.unwrap_or_default(), &mut action)?;
        Ok(action[0])
    }

    /// An action for each of several observations, one after the other in `observations`. `masks` says which actions are allowed,
    /// observations × actions; empty if all are.
    ///
    /// # Errors
    /// As [`GreedyPolicy::act`], and if there are more observations than the policy was created for.
    pub fn act_batch(
        &mut self,
        observations: &[f32],
        masks: &[bool],
        actions: &mut [usize],
    ) -> Result<(), PolicyError> {
        let (found, expected) = (observations.len(), actions.len().saturating_mul(self.observation_len()));
        if found != expected {
            return Err(PolicyError::ObservationLength { found, expected });
        }
        let count = self.actions();
        let (found, expected) = (masks.len(), actions.len() * count);
        if found > 0 && found != expected {
            return Err(PolicyError::MaskLength { found, expected });
        }
        let q = self.q_values(observations)?;
        for (row, (action, q)) in actions.iter_mut().zip(q.chunks_exact(count)).enumerate() {
            *action = argmax_allowed(q, masks.get(row * count..(row + 1) * count));
        }
        Ok(())
    }

    /// The value of each action, observations × actions.
    ///
    /// # Errors
    /// If `observations` does not divide into observations, or there are more than the policy was created for.
    pub fn q_values(&mut self, observations: &[f32]) -> Result<&[f32], PolicyError> {
        let (found, expected) = (observations.len(), self.observation_len());
        if !found.is_multiple_of(expected) {
            return Err(PolicyError::ObservationLength { found, expected });
        }
        let (found, most) = (found / expected, self.values.max_rows());
        if found > most {
            return Err(PolicyError::TooManyObservations { found, most });
        }
        self.rows = found;
        Ok(self.values.q_values(&self.parameters, observations))
    }

    /// The values that [`GreedyPolicy::q_values`] last returned, or by which an action was last chosen.
    pub fn last_values(&self) -> &[f32] {
        self.values.last(self.rows)
    }

    /// The network.
    pub fn network(&self) -> &Network {
        self.values.network()
    }

    /// Its parameters.
    pub fn parameters(&self) -> &[f32] {
        &self.parameters
    }

    /// Replaces the parameters, for the same network.
    ///
    /// # Errors
    /// If their number differs from the network's.
    pub fn set_parameters(&mut self, parameters: &[f32]) -> Result<(), PolicyError> {
        check_count(parameters, &self.values)?;
        self.parameters.copy_from_slice(parameters);
        Ok(())
    }

    /// Numbers in an observation.
    pub fn observation_len(&self) -> usize {
        self.values.network().input_len()
    }

    /// The number of actions.
    pub fn actions(&self) -> usize {
        self.values.actions()
    }
}

fn check_count(parameters: &[f32], values: &Values) -> Result<(), PolicyError> {
    let (found, expected) = (parameters.len(), values.network().parameter_count());
    if found == expected { Ok(()) } else { Err(PolicyError::ParameterCount { found, expected }) }
}

#[cfg(test)]
mod tests {
    use requel_nn::{Activation, LayerSpec, NetworkSpec};

    use super::*;
    use crate::Readout;

    #[test]
    fn what_is_of_another_size_is_refused_and_nothing_panics() {
        let spec = ValueSpec { network: NetworkSpec::mlp(3, &[2], 2, Activation::Relu), head: Readout::Scalar };
        let count = 3 * 2 + 2 + 2 * 2 + 2;
        let error = GreedyPolicy::new(&spec, vec![0.0; count + 1], 2).unwrap_err();
        assert_eq!(error, PolicyError::ParameterCount { found: count + 1, expected: count });
        let mut policy = GreedyPolicy::new(&spec, vec![0.0; count], 2).unwrap();
        assert_eq!(policy.act(&[0.0; 3], Some(&[false, true])), Ok(1));
        assert_eq!(policy.q_values(&[0.0; 6]).map(<[f32]>::len), Ok(4));
        for len in [0, 2, 4, 6] {
            let expected = PolicyError::ObservationLength { found: len, expected: 3 };
            assert_eq!(policy.act(&vec![0.0; len], None), Err(expected));
        }
        let error = policy.q_values(&[0.0; 7]).map(drop).unwrap_err();
        assert_eq!(error, PolicyError::ObservationLength { found: 7, expected: 3 });
        let error = policy.q_values(&[0.0; 9]).map(drop).unwrap_err();
        assert_eq!(error, PolicyError::TooManyObservations { found: 3, most: 2 });
        assert_eq!(policy.act(&[0.0; 3], Some(&[true])), Err(PolicyError::MaskLength { found: 1, expected: 2 }));
        let (masks, mut actions) = ([true, true, false, true], [9; 2]);
        policy.act_batch(&[0.0; 6], &masks, &mut actions).unwrap();
        assert_eq!((actions, policy.last_values().len()), ([0, 1], 4));
        let error = policy.act_batch(&[0.0; 5], &masks, &mut actions).unwrap_err();
        assert_eq!(error, PolicyError::ObservationLength { found: 5, expected: 6 });
        let error = policy.act_batch(&[0.0; 6], &masks[..2], &mut actions).unwrap_err();
        assert_eq!(error, PolicyError::MaskLength { found: 2, expected: 4 });
        assert_eq!(policy.act(&[0.0; 3], Some(&[])), Err(PolicyError::MaskLength { found: 0, expected: 2 }));
        assert!(policy.set_parameters(&[0.0]).is_err() && policy.set_parameters(&vec![1.0; count]).is_ok());
    }

    /// Of every kind of head.
    #[test]
    fn of_no_observation_there_are_no_values() {
        let dense = |outputs| LayerSpec::Dense { outputs, activation: Activation::Identity };
        for (layers, head) in [
            (vec![dense(2)], Readout::Scalar),
            (vec![dense(6)], Readout::Categorical { atoms: 3, v_min: 0.0, v_max: 1.0 }),
            (vec![dense(6)], Readout::Quantile { quantiles: 3 }),
            (
                vec![dense(4), LayerSpec::FractionEmbedding { cosines: 2 }, dense(2)],
                Readout::ImplicitQuantile { fractions: 3 },
            ),
        ] {
            let spec = ValueSpec { network: NetworkSpec { input_shape: vec![3], input_scale: 1.0, layers }, head };
            let count = Network::new(&spec.network).unwrap().parameter_count();
            let mut policy = GreedyPolicy::new(&spec, vec![0.5; count], 2).unwrap();
            assert_eq!(policy.q_values(&[]).map(<[f32]>::len), Ok(0), "{:?}", spec.head);
            assert_eq!(policy.q_values(&[1.0; 6]).map(<[f32]>::len), Ok(4), "{:?}", spec.head);
        }
    }
}
