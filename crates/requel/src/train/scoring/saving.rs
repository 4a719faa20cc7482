//! The part of a checkpoint about scores.

use super::Scoring;
use crate::state::State;
use crate::train::{BestPolicy, TrainError};

impl Scoring {
    /// Adds it to a checkpoint.
    pub fn save<'a>(&'a self, state: &mut State<'a>) {
        state.put("trainer/evaluations", self.evaluations);
        state.put("trainer/solved_in_a_row", self.reached_in_a_row);
        state.put("trainer/evaluation", self.latest);
        if self.is_owed {
            state.put("trainer/evaluation_owed", true);
        }
        if self.confirmations > 0 {
            state.put("trainer/confirmations", self.confirmations);
            state.put("trainer/confirmation", self.confirmation);
        }
        if let Some(best) = &self.best {
            state.put_f32("best/parameters", vec![best.parameters.len()], &best.parameters);
            state.put("best/score", (best.mean_return, best.std_return, best.env_steps));
        }
    }

    /// Restores it; `parameters` is the number of a policy's parameters.
    ///
    /// # Errors
    /// If the state is not valid for this.
    pub fn restore(&mut self, state: &State<'_>, parameters: usize) -> Result<(), TrainError> {
        self.evaluations = state.read("trainer/evaluations")?;
        self.reached_in_a_row = state.read("trainer/solved_in_a_row")?;
        self.latest = state.read("trainer/evaluation")?;
        let holds = |name: &str| state.values.contains_key(name);
        self.is_owed = holds("trainer/evaluation_owed") && state.read("trainer/evaluation_owed")?;
        (self.confirmations, self.confirmation) = match holds("trainer/confirmations") {
            true => (state.read("trainer/confirmations")?, state.read("trainer/confirmation")?),
            false => (0, None),
        };
        self.best = None;
        if state.tensors.contains_key("best/parameters") {
            let mut parameters = vec![0.0; parameters];
            state.read_f32("best/parameters", &mut parameters)?;
            let (mean_return, std_return, env_steps) = state.read("best/score")?;
            self.best = Some(BestPolicy { parameters, mean_return, std_return, env_steps });
        }
        Ok(())
    }
}
