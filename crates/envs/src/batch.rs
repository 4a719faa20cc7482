//! [`BatchEnv`], environments of one kind that are stepped at once, and [`SimulationBatch`], that of any [`Dynamics`].

use std::any::Any;

use crate::simulation::{read_state, write_state};
use crate::{Dynamics, EnvError, GymRng, Scene, Simulation, Step};

/// Several environments of one kind, the slots, in a form that is stepped faster than one environment after the other.
///
/// There are two ways to one. An environment makes a batch of itself, [`Env::batch`](crate::Env::batch), and
/// [`BatchEnv::join`] puts such batches together. Or a batch is there as a whole, such as a simulator that steps thousands of
/// environments at once: then [`VectorEnv::from_batch`](crate::VectorEnv::from_batch) takes it, and it need not join.
///
/// A slot behaves as its environment would, bit for bit, saved states included. It is reset by whoever calls, not by itself.
/// Whoever calls sees to it that slots exist, actions are in the action space, and slices have one entry (or one row, for
/// observations) per slot.
pub trait BatchEnv: Any + Send {
    /// How many slots there are.
    fn slots(&self) -> usize;

    /// Takes over the slots of `other` behind its own; false if they are of another kind, and nothing has changed.
    fn join(&mut self, other: Box<dyn BatchEnv>) -> bool {
        drop(other);
        false
    }

    /// Starts an episode in one slot; see [`Env::reset`](crate::Env::reset).
    ///
    /// # Errors
    /// What the slot's environment refuses to start with; the slot is then in no episode.
    fn reset(&mut self, slot: usize, seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError>;

    /// Takes one action in each slot and writes the observations that follow, for a slot that ended its true last one.
    ///
    /// # Errors
    /// [`EnvError::ResetNeeded`] if a slot has no episode going on; no slot has then moved.
    fn step(&mut self, actions: &[usize], steps: &mut [Step], observations: &mut [f32]) -> Result<(), EnvError>;

    /// Which actions a slot allows; see [`Env::action_mask`](crate::Env::action_mask).
    fn action_mask(&self, slot: usize) -> Option<&[bool]> {
        _ = slot;
        None
    }

    /// Writes what there is to report of a slot's last step; see [`Env::metrics`](crate::Env::metrics).
    fn metrics(&self, slot: usize, numbers: &mut [f64]) {
        _ = (slot, numbers);
    }

    /// A slot's environment as it is now, drawn; see [`Env::scene`](crate::Env::scene).
    fn scene(&self, slot: usize) -> Option<Scene> {
        _ = slot;
        None
    }

    /// Whether the last step of a slot was none: it only began the episode that [`BatchEnv::reset`] was asked for. So it is with
    /// simulators that cannot reset one slot alone and do so in the place of its next step, whatever the action (Gymnasium's
    /// vector environments in the mode `NEXT_STEP`); `reset` leaves the slot's observation as it is then.
    fn began(&self, slot: usize) -> bool {
        _ = slot;
        false
    }

    /// Whether [`BatchEnv::began`] is ever true.
    fn resets_in_next_step(&self) -> bool {
        false
    }

    /// The bytes that the slot's environment would save; see [`Env::save`](crate::Env::save).
    ///
    /// # Errors
    /// [`EnvError::CannotSave`] if environments of this kind never can.
    fn save(&self, slot: usize) -> Result<Vec<u8>, EnvError>;

    /// Takes over a state of one slot.
    ///
    /// # Errors
    /// [`EnvError::InvalidState`] if the bytes are not such a state; the slot is then unchanged.
    fn restore(&mut self, slot: usize, state: &[u8]) -> Result<(), EnvError>;
}

/// The batch of [`Simulation`]s of one type: their rules side by side, so that [`Dynamics::step_all`] has them all.
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
