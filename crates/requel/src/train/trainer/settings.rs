//! The settings of a training run, which may change during training.

use super::Trainer;
use super::bad_numbers::Skipped;
use crate::agent::Learned;
use crate::config::{Change, Config, ConfigError};
use crate::state::State;
use crate::train::agents::AgentEnv;
use crate::train::env_metrics::EnvMetrics;
use crate::train::returns::Returns;
use crate::train::scoring::Scoring;
use crate::train::{EnvOrigin, TrainError};

impl Trainer {
    /// Continues with other settings from the current step on, those that [`Config::check_changes`] allows to change during training. What
    /// was learned and everything that a checkpoint contains stays unchanged. For a moment there are two agents, each with a replay buffer.
    ///
    /// # Errors
    /// If a setting cannot change during training, a value is out of range, or the agent cannot be created; nothing has changed then.
    pub fn change_config(&mut self, mut config: Config) -> Result<(), TrainError> {
        if self.identity.origin == EnvOrigin::Given {
            config.env.id.clone_from(&self.identity.id);
        }
        let changes = self.config.check_changes(&config)?;
        match &self.agents {
            Some(agents) => {
                let observations = self.envs.observation_space();
                let env = AgentEnv { spec: &self.spec, observations, actions: self.action_space };
                let mut agent = agents(&config, &env)?;
                self.agent.prepare_save()?;
                let mut state = State::default();
                self.agent.save(&mut state);
                agent.restore(&state)?;
                drop(state);
                agent.set_threads(self.threads);
                self.agent = agent;
            }
            None => check_are_of_the_plan(&changes)?,
        }
        self.scoring.change(&config.evaluation, &self.spec);
        self.config = config;
        Ok(())
    }

    /// Continues with other settings as [`Trainer::change_config`] does, and counts env steps and episodes from 0 again: schedules start
    /// again and so do the episodes, with seeds that were not used before. The agent keeps what it has learned and stored.
    ///
    /// # Errors
    /// As [`Trainer::change_config`], and if the environments cannot be reset.
    pub fn begin_anew(&mut self, config: Config) -> Result<(), TrainError> {
        self.change_config(config)?;
        self.begun_anew += 1;
        self.env_steps = 0;
        self.returns = Returns::new(self.envs.len());
        self.env_metrics = EnvMetrics::new(&self.spec, self.envs.len());
        self.scoring = Scoring::new(&self.config.evaluation, &self.spec);
        (self.progress_owed, self.asked_to_stop) = (false, false);
        (self.learned, self.skipped) = (Learned::default(), Skipped::default());
        (0..self.envs.len()).for_each(|slot| self.agent.interrupt(slot));
        self.envs.reset(self.env_seed(), &mut self.observations)?;
        self.check_first_observations()
    }
}

/// Refuses changes that would only affect an agent created from the config.
fn check_are_of_the_plan(changes: &[Change]) -> Result<(), ConfigError> {
    const PLAN: [&str; 6] = ["train.env_steps", "train.episodes", "train.on_nan", "evaluation.", "checkpoint.", "log."];
    match changes.iter().find(|change| !PLAN.iter().any(|start| change.key.starts_with(start))) {
        Some(Change { key, .. }) => {
            let reason = "has no effect on the agent that was passed to the trainer".into();
            Err(ConfigError::Fixed { key: key.clone(), reason })
        }
        None => Ok(()),
    }
}
