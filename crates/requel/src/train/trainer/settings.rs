//! The settings of a training, which may change on the way.

use requel_envs::{EnvSpec, Space};

use super::Trainer;
use crate::agent::{Actions, Agent, DqnAgent, PqnAgent};
use crate::config::{AgentKind, Config};
use crate::state::State;
use crate::train::{EnvOrigin, TrainError};

impl Trainer {
    /// Goes on with other settings from the present step on, those that [`Config::check_changes`] lets change on the way. What
    /// was learned and all that a checkpoint holds stays as it is. For a moment there are two agents, with a replay buffer
    /// each.
    ///
    /// # Errors
    /// If a setting cannot change on the way, a value is out of range, or the agent cannot be made; all is as before then.
    pub fn change_config(&mut self, mut config: Config) -> Result<(), TrainError> {
        if self.identity.origin == EnvOrigin::Given {
            config.env.id.clone_from(&self.identity.id);
        }
        self.config.check_changes(&config)?;
        let spec = self.envs.spec().clone();
        let count = self.envs.action_space().discrete_n().expect("it was there to begin with");
        let actions = Actions { count, masked: !self.masks.is_empty() };
        let mut agent = agent(&config, &spec, (self.envs.observation_space(), actions))?;
        let mut state = State::default();
        self.agent.save(&mut state);
        agent.restore(&state)?;
        drop(state);
        agent.set_threads(self.threads);
        self.scoring.change(&config.evaluation, &spec);
        (self.agent, self.config) = (agent, config);
        Ok(())
    }

    /// Whether an evaluation is to be made before the next step.
    pub fn owes_evaluation(&self) -> bool {
        self.scoring.is_owed()
    }

    /// Whether an evaluation is to be made before the next step of a trainer that takes `state` over.
    pub(crate) fn state_owes_evaluation(state: &State<'_>) -> bool {
        state.values.get("trainer/evaluation_owed").is_some_and(|owed| *owed == true)
    }
}

/// The agent of a config, for environments of which so much is known.
pub(super) fn agent(
    config: &Config,
    spec: &EnvSpec,
    (observations, actions): (&Space, Actions),
) -> Result<Box<dyn Agent>, TrainError> {
    let bounded = config.with_value_bounds(spec, actions.count)?;
    Ok(match config.agent.kind {
        AgentKind::Naive | AgentKind::Dqn => Box::new(DqnAgent::new(&bounded, observations, actions)?),
        AgentKind::Pqn => Box::new(PqnAgent::new(&bounded, observations, actions)?),
    })
}
