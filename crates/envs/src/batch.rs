//! [`BatchEnv`], environments of one kind that are stepped at once, and [`SimulationBatch`], the batch for any [`Dynamics`].

use std::any::Any;

use crate::simulation::{read_state, write_state};
use crate::{Dynamics, EnvError, GymRng, Scene, Simulation, Step};

/// Several environments of one kind, the slots, in a form that can be stepped faster than one environment after the other.
///
/// There are two ways to get one. An environment turns itself into a batch, [`Env::batch`](crate::Env::batch), and [`BatchEnv::join`] joins
/// such batches. Or a batch exists as a whole, such as a simulator that steps thousands of environments at once: then pass it to
/// [`VectorEnv::from_batch`](crate::VectorEnv::from_batch); it need not support joining.
///
/// A slot behaves as its environment would, bit for bit, including saved states. The caller resets it; it does not reset itself. The caller
/// also makes sure that slots exist, actions are in the action space, and slices have one entry (or one row, for observations) per slot.
pub trait BatchEnv: Any + Send {
    /// How many slots there are.
    fn slots(&self) -> usize;

    /// Appends the slots of `other`; false if they are of another kind, and then nothing has changed.
    fn join(&mut self, other: Box<dyn BatchEnv>) -> bool {
        drop(other);
        false
    }

    /// Starts an episode in one slot; see [`Env::reset`](crate::Env::reset).
    ///
    /// # Errors
    /// The error of the slot's environment; the slot then has no episode.
    fn reset(&mut self, slot: usize, seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError>;

    /// Takes one action in each slot and writes the observations that follow; for a slot whose episode ended, its true last one.
    ///
    /// # Errors
    /// [`EnvError::ResetNeeded`] if a slot has no episode in progress; no slot has then moved.
    fn step(&mut self, actions: &[usize], steps: &mut [Step], observations: &mut [f32]) -> Result<(), EnvError>;

    /// Which actions a slot allows; see [`Env::action_mask`](crate::Env::action_mask).
    fn action_mask(&self, slot: usize) -> Option<&[bool]> {
        _ = slot;
        None
    }

    /// Writes the metrics of a slot's last step; see [`Env::metrics`](crate::Env::metrics).
    fn metrics(&self, slot: usize, numbers: &mut [f64]) {
        _ = (slot, numbers);
    }

    /// A slot's environment in its current state, drawn; see [`Env::scene`](crate::Env::scene).
    fn scene(&self, slot: usize) -> Option<Scene> {
        _ = slot;
        None
    }

    /// Whether the last step of a slot only started the episode that [`BatchEnv::reset`] requested. This is for simulators that cannot
    /// reset a single slot and do so in its next step instead, whatever the action (Gymnasium's vector environments in the mode
    /// `NEXT_STEP`); `reset` then leaves the slot's observation unchanged.
    fn began(&self, slot: usize) -> bool {
        _ = slot;
        false
    }

    /// Whether [`BatchEnv::began`] can ever be true.
    fn resets_in_next_step(&self) -> bool {
        false
    }

    /// The bytes that the slot's environment would save; see [`Env::save`](crate::Env::save).
    ///
    /// # Errors
    /// [`EnvError::CannotSave`] if environments of this kind never can.
    fn save(&self, slot: usize) -> Result<Vec<u8>, EnvError>;

    /// Restores a state of one slot.
    ///
    /// # Errors
    /// [`EnvError::InvalidState`] if the bytes are not such a state; the slot is then unchanged.
    fn restore(&mut self, slot: usize, state: &[u8]) -> Result<(), EnvError>;
}

/// The batch of [`Simulation`]s of one type: their rules stored together, so that [`Dynamics::step_all`] can process all of them.
pub(crate) struct SimulationBatch<D> {
    ids: Vec<String>,
    width: usize,
    dynamics: Vec<D>,
    rngs: Vec<GymRng>,
    running: Vec<bool>,
}

impl<D: Dynamics> SimulationBatch<D> {
    pub(crate) fn of(env: &Simulation<D>) -> Self {
        let (id, width) = (env.spec.id.clone(), env.observation_space.len());
        let (dynamics, rngs) = (vec![env.dynamics.clone()], vec![env.rng.clone()]);
        Self { ids: vec![id], width, dynamics, rngs, running: vec![env.running] }
    }
}

impl<D: Dynamics> BatchEnv for SimulationBatch<D> {
    fn slots(&self) -> usize {
        self.dynamics.len()
    }

    fn join(&mut self, other: Box<dyn BatchEnv>) -> bool {
        let Ok(other) = (other as Box<dyn Any>).downcast::<Self>() else { return false };
        if other.width != self.width {
            return false;
        }
        self.ids.extend(other.ids);
        self.dynamics.extend(other.dynamics);
        self.rngs.extend(other.rngs);
        self.running.extend(other.running);
        true
    }

    fn reset(&mut self, slot: usize, seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        if let Some(seed) = seed {
            self.rngs[slot] = GymRng::from_seed(seed);
        }
        self.dynamics[slot].reset(&mut self.rngs[slot]);
        self.dynamics[slot].observe(observation);
        self.running[slot] = true;
        Ok(())
    }

    fn step(&mut self, actions: &[usize], steps: &mut [Step], observations: &mut [f32]) -> Result<(), EnvError> {
        if let Some(slot) = self.running.iter().position(|running| !running) {
            return Err(EnvError::ResetNeeded { id: self.ids[slot].clone() });
        }
        D::step_all(&mut self.dynamics, actions, &mut self.rngs, steps);
        for (dynamics, observation) in self.dynamics.iter().zip(observations.chunks_exact_mut(self.width.max(1))) {
            dynamics.observe(observation);
        }
        for (running, step) in self.running.iter_mut().zip(steps) {
            *running = !step.ended();
        }
        Ok(())
    }

    fn action_mask(&self, slot: usize) -> Option<&[bool]> {
        self.dynamics[slot].action_mask()
    }

    fn metrics(&self, slot: usize, numbers: &mut [f64]) {
        self.dynamics[slot].metrics(numbers);
    }

    fn scene(&self, slot: usize) -> Option<Scene> {
        self.dynamics[slot].scene()
    }

    fn save(&self, slot: usize) -> Result<Vec<u8>, EnvError> {
        Ok(write_state(&self.rngs[slot], self.running[slot], &self.dynamics[slot]))
    }

    fn restore(&mut self, slot: usize, state: &[u8]) -> Result<(), EnvError> {
        let parsed = read_state(&self.dynamics[slot], state);
        let invalid = |reason| EnvError::InvalidState { id: self.ids[slot].clone(), reason };
        (self.rngs[slot], self.running[slot], self.dynamics[slot]) = parsed.map_err(|e| invalid(e.0))?;
        Ok(())
    }
}
