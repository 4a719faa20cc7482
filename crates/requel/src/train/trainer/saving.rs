//! The complete state of a training run.

use super::Trainer;
use super::bad_numbers::Skipped;
use crate::agent::{Learned, Statistics};
use crate::state::{State, StateError};
use crate::train::TrainError;

/// The count of updates, which agents of this crate save themselves.
pub(super) const UPDATES_KEY: &str = "agent/updates";
/// How often episodes were restarted.
pub(super) const BEGUN_ANEW: &str = "trainer/begun_anew";

impl Trainer {
    /// The complete state: a trainer with the same config that restores it continues with the same bits. Environments that cannot save
    /// their state are left out; the trainer that restores it starts new episodes in them.
    ///
    /// # Errors
    /// [`TrainError::Env`] if an environment fails to save its state; [`TrainError::Agent`] if what was learned cannot be read, for example
    /// from a device that was lost.
    pub fn save(&self) -> Result<State<'_>, TrainError> {
        self.agent.prepare_save()?;
        let mut state = State::default();
        self.agent.save(&mut state);
        if !state.values.contains_key(UPDATES_KEY) {
            state.put(UPDATES_KEY, self.updates);
        }
        self.save_envs(&mut state)?;
        state.put("trainer/env_steps", self.env_steps);
        state.put("trainer/returns", &self.returns);
        self.env_metrics.save(&mut state);
        self.scoring.save(&mut state);
        state.put("trainer/learned_since_log", (self.learned.updates, self.learned.loss_sum, self.learned.q_sum));
        state.put("trainer/statistics_since_log", self.learned.statistics.saved());
        if self.progress_owed {
            state.put("trainer/progress_owed", true);
        }
        if self.asked_to_stop {
            state.put("trainer/asked_to_stop", true);
        }
        if self.begun_anew > 0 {
            state.put(BEGUN_ANEW, self.begun_anew);
        }
        if self.skipped.total > 0 {
            state.put("trainer/skipped", (self.skipped.total, self.skipped.in_a_row));
        }
        Ok(state)
    }

    /// Restores a state.
    ///
    /// # Errors
    /// If the state is not that of a trainer with this config; the trainer must then not be used any more.
    pub fn restore(&mut self, state: &State<'_>) -> Result<(), TrainError> {
        self.agent.restore(state)?;
        self.restore_envs(state)?;
        self.env_steps = state.read("trainer/env_steps")?;
        self.updates = state.read(UPDATES_KEY)?;
        self.returns = state.read("trainer/returns")?;
        if self.returns.num_envs() != self.config.train.num_envs {
            return Err(StateError::new("trainer/returns", "is from another number of environments").into());
        }
        self.env_metrics.restore(state)?;
        let parameters = self.parameters()?.len();
        self.scoring.restore(state, parameters)?;
        // In versions where aggregates did not wait for evaluations, none are pending.
        let owes = state.values.contains_key("trainer/progress_owed");
        self.progress_owed = owes && state.read("trainer/progress_owed")?;
        let (updates, loss_sum, q_sum) = state.read("trainer/learned_since_log")?;
        // Versions without statistics saved none.
        let known = state.values.contains_key("trainer/statistics_since_log");
        let statistics: Vec<(String, f64, u32)> =
            if known { state.read("trainer/statistics_since_log")? } else { Vec::new() };
        let statistics = Statistics::restored(&statistics)?;
        self.learned = Learned { updates, loss_sum, q_sum, statistics };
        self.asked_to_stop = state.values.contains_key("trainer/asked_to_stop");
        let begun_anew = state.values.contains_key(BEGUN_ANEW).then(|| state.read(BEGUN_ANEW));
        self.begun_anew = begun_anew.transpose()?.unwrap_or_default();
        let skipped = state.values.contains_key("trainer/skipped").then(|| state.read("trainer/skipped"));
        let (total, in_a_row) = skipped.transpose()?.unwrap_or_default();
        self.skipped = Skipped { total, in_a_row };
        Ok(())
    }
}
