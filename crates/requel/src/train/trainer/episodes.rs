//! The episodes that are in progress when training is saved: if environments cannot save their state, these are lost.

use requel_envs::EnvError;

use super::Trainer;
use crate::config::Config;
use crate::finite::first_not_finite;
use crate::rng::{Stream, StreamRng};
use crate::state::State;
use crate::train::TrainError;

/// Where a checkpoint keeps the states of the environments: the word of the first format, so that old runs can be resumed.
const STATES: &str = "trainer/worlds";
/// Set instead if the environments cannot save their states.
const NOT_SAVED: &str = "trainer/envs_not_saved";
const INEXACT_RESUMES: &str = "trainer/inexact_resumes";

/// What happened to the episodes in progress when training was resumed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ResumedEpisodes {
    /// The last restored state did not contain them, and no step has been made since.
    lost: bool,
    /// How often new ones were started in their place.
    pub inexactly: u64,
}

impl Trainer {
    /// Whether the next step starts new episodes because the restored state does not contain those of the environments. The result then
    /// differs from that of uninterrupted training.
    pub fn begins_new_episodes(&self) -> bool {
        self.resumed.lost && self.env_steps > 0 && self.termination().is_none()
    }

    /// Whether a state contains the environments, so that a trainer which restores it continues their episodes.
    pub(crate) fn state_has_envs(state: &State<'_>) -> bool {
        !state.values.contains_key(NOT_SAVED)
    }

    /// Adds the environments and their observations.
    pub(super) fn save_envs<'a>(&'a self, state: &mut State<'a>) -> Result<(), TrainError> {
        match self.envs.save() {
            Ok(states) => state.put_bytes(STATES, states),
            Err(EnvError::CannotSave { .. }) => state.put(NOT_SAVED, true),
            Err(error) => return Err(error.into()),
        }
        if self.resumed.inexactly > 0 {
            state.put(INEXACT_RESUMES, self.resumed.inexactly);
        }
        state.put_f32("trainer/observations", vec![self.observations.len()], &self.observations);
        Ok(())
    }

    /// Restores what [`Trainer::save_envs`] added.
    pub(super) fn restore_envs(&mut self, state: &State<'_>) -> Result<(), TrainError> {
        let lost = state.values.contains_key(NOT_SAVED) && state.read(NOT_SAVED)?;
        if !lost {
            self.envs.restore(state.read_bytes(STATES)?)?;
        }
        let counted = state.values.contains_key(INEXACT_RESUMES);
        let inexactly = if counted { state.read(INEXACT_RESUMES)? } else { 0 };
        self.resumed = ResumedEpisodes { lost, inexactly };
        Ok(state.read_f32("trainer/observations", &mut self.observations)?)
    }

    /// Starts new episodes if those in progress were lost: these are neither finished nor counted, and no transition spans both.
    pub(super) fn replace_lost_episodes(&mut self) -> Result<(), TrainError> {
        if !self.resumed.lost {
            return Ok(());
        }
        // Before the first step nothing is lost: the same episodes start again.
        let lost = u64::from(self.env_steps > 0);
        self.resumed = ResumedEpisodes { lost: false, inexactly: self.resumed.inexactly + lost };
        self.envs.reset(self.env_seed(), &mut self.observations)?;
        for slot in 0..self.envs.len() {
            self.agent.interrupt(slot);
            self.returns.abandon(slot);
            self.env_metrics.abandon(slot);
        }
        self.check_first_observations()
    }

    /// The seed of the episodes that start now: a different one for each restart.
    pub(super) fn env_seed(&self) -> u64 {
        seed(&self.config, self.resumed.inexactly + self.begun_anew)
    }

    /// Without a first observation training cannot continue, whatever `train.on_nan` says.
    pub(super) fn check_first_observations(&self) -> Result<(), TrainError> {
        let Some((at, value)) = first_not_finite(&self.observations) else { return Ok(()) };
        let (site, value) = ("observation", f64::from(value));
        let env = Some(at / self.envs.observation_len().max(1));
        Err(TrainError::NotFinite { site, value, env_steps: self.env_steps, env, action: None })
    }
}

/// The seed of the training environments: at first, and a different one for each restart of episodes.
pub(in crate::train) fn seed(config: &Config, begun_before: u64) -> u64 {
    let mut draws = StreamRng::new(config.train.seed, Stream::Envs);
    draws.set_position(begun_before);
    u64::from(draws.next_u32())
}
