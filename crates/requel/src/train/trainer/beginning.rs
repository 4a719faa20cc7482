//! Starting from what was learned elsewhere, instead of random weights.

use requel_nn::NetworkSpec;
use serde::Serialize;

use super::Trainer;
use super::saving::{BEGUN_ANEW, UPDATES_KEY};
use crate::agent::{ValueNetwork, ValueSpec};
use crate::config::EnvConfig;
use crate::policy_file::PolicyFile;
use crate::state::{State, StateError};
use crate::train::TrainError;

impl Trainer {
    /// Starts from the weights of a policy; the optimiser, the target network and everything else stay new. Only before the first step.
    ///
    /// # Errors
    /// [`TrainError::Beginning`] if training has started, or the policy is for another environment, network or head, or its weights are not
    /// finite.
    pub fn begin_from(&mut self, policy: &PolicyFile) -> Result<(), TrainError> {
        self.check_is_new()?;
        if policy.env_id != self.identity.id {
            let reason = format!("the policy is for {}, but this run trains in {}", policy.env_id, self.identity.id);
            return Err(TrainError::Beginning { reason });
        }
        // If settings of the environment differ on purpose, the environment is expected to be different.
        let is_made_alike = policy.env == EnvConfig { id: policy.env_id.clone(), ..self.config.env.clone() };
        let checked = match is_made_alike {
            true => policy.check_identity(&self.identity),
            false => policy.check_actions(&self.identity),
        };
        checked.map_err(|error| TrainError::Beginning { reason: error.to_string() })?;
        let Some(ValueNetwork { spec: ValueSpec { network, head }, .. }) = self.agent.value_network() else {
            return Err(TrainError::Beginning { reason: "the agent has no value network".into() });
        };
        if policy.head != *head {
            let reason = format!("the policy's outputs are {} for each action, but `head` needs {head}", policy.head);
            return Err(TrainError::Beginning { reason });
        }
        if let Some(difference) = difference(&policy.network, network) {
            return Err(TrainError::Beginning {
                reason: format!(
                    "the policy's network differs from the one in the \
                settings: {difference}"
                ),
            });
        }
        if let Some(value) = policy.parameters.iter().find(|value| !value.is_finite()) {
            return Err(TrainError::Beginning { reason: format!("a weight of the policy is {value}") });
        }
        Ok(self.agent.begin_from(&policy.parameters)?)
    }

    /// Starts with the transitions in the replay buffer of a saved state. Only before the first step.
    ///
    /// # Errors
    /// [`TrainError::Beginning`] if training has started, [`TrainError::State`] if the state has no buffer of this kind and capacity.
    pub fn begin_with_replay(&mut self, state: &State<'_>) -> Result<(), TrainError> {
        self.check_is_new()?;
        Ok(self.agent.begin_with_replay(state)?)
    }

    /// The transitions in the replay buffer, for [`Trainer::begin_with_replay`].
    ///
    /// # Errors
    /// If the agent has no replay buffer, or its state can no longer be read.
    pub fn save_replay(&self) -> Result<State<'_>, TrainError> {
        if self.agent.stored().is_none() {
            return Err(StateError::new("replay", "is not used: the agent has no replay buffer").into());
        }
        self.agent.prepare_save()?;
        let mut state = State::default();
        self.agent.save(&mut state);
        let is_of_it = |name: &String| name.starts_with("replay/");
        state.tensors.retain(|name, _| is_of_it(name));
        state.values.retain(|name, _| is_of_it(name));
        Ok(state)
    }

    /// What the agent has learned, including its optimiser's averages and its target network, for [`Trainer::begin_with_learned`]:
    /// everything except stored transitions and environments.
    ///
    /// # Errors
    /// If it can no longer be read, for example from a device that was lost.
    pub fn save_learned(&self) -> Result<State<'_>, TrainError> {
        self.agent.prepare_save()?;
        let mut state = State::default();
        self.agent.save_learned(&mut state);
        if !state.values.contains_key(UPDATES_KEY) {
            state.put(UPDATES_KEY, self.updates);
        }
        state.put(BEGUN_ANEW, self.begun_anew);
        Ok(state)
    }

    /// Starts with what an agent with the same settings has learned, and its count of updates; the episodes differ from those it learned
    /// from. Only before the first step.
    ///
    /// # Errors
    /// [`TrainError::Beginning`] if training has started, [`TrainError::State`] if the state does not fit the settings: the trainer must
    /// then not be used any more. Or if the environments cannot be reset.
    pub fn begin_with_learned(&mut self, state: &State<'_>) -> Result<(), TrainError> {
        self.check_is_new()?;
        self.agent.begin_with_learned(state)?;
        self.updates = state.read(UPDATES_KEY)?;
        self.begin_other_episodes(state.read(BEGUN_ANEW)?)
    }

    /// Starts the episodes that follow this many restarts.
    pub(super) fn begin_other_episodes(&mut self, begun_anew: u64) -> Result<(), TrainError> {
        self.begun_anew = begun_anew + 1;
        self.envs.reset(self.env_seed(), &mut self.observations)?;
        self.check_first_observations()
    }

    /// Counts env steps from this number on, as if that many had been made: schedules and budgets depend on it. What the agent has learned
    /// and stored does not change.
    pub fn count_from(&mut self, env_steps: u64) {
        self.env_steps = env_steps;
    }

    pub(super) fn check_is_new(&self) -> Result<(), TrainError> {
        match self.env_steps {
            0 => Ok(()),
            steps => Err(TrainError::Beginning {
                reason: format!(
                    "{steps} env steps of training have already been \
                made"
                ),
            }),
        }
    }
}

/// How a network differs from the one in the settings.
fn difference(theirs: &NetworkSpec, ours: &NetworkSpec) -> Option<String> {
    if theirs.input_shape != ours.input_shape {
        return Some(format!("it reads {:?} numbers instead of {:?}", theirs.input_shape, ours.input_shape));
    }
    if theirs.layers.len() != ours.layers.len() {
        return Some(format!("it has {} layers instead of {}", theirs.layers.len(), ours.layers.len()));
    }
    let layers = theirs.layers.iter().zip(&ours.layers).zip(1..);
    let layer = layers.map(|((theirs, ours), number)| (number, theirs, ours)).find(|(_, theirs, ours)| theirs != ours);
    let scale = || format!("it multiplies its inputs by {} instead of {}", theirs.input_scale, ours.input_scale);
    layer
        .map(|(number, theirs, ours)| format!("its layer {number} is {} instead of {}", json(theirs), json(ours)))
        .or_else(|| (theirs != ours).then(scale))
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
