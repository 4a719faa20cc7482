//! [`StickyActions`], an environment that sometimes repeats an action.

use super::forward::forward;
use crate::{Action, Env, EnvError, GymRng, StateError, StateReader, StateWriter, Step};

/// With a given probability, repeats the last executed action instead of the requested one.
///
/// It makes deterministic environments stochastic, so that no fixed sequence of actions solves them. The first action of an episode is
/// always the requested one. The generator is the wrapper's own, derived from the seed of the reset.
///
/// **Source**: M. C. Machado et al., *Revisiting the Arcade Learning Environment* (2018).
#[derive(Clone, Debug)]
pub struct StickyActions<E> {
    env: E,
    actions: usize,
    probability: f64,
    rng: GymRng,
    /// The last executed action in this episode.
    last: Option<usize>,
}

impl<E: Env> StickyActions<E> {
    /// `env`, which repeats an action with `probability`, 0.25 in the paper.
    ///
    /// # Errors
    /// [`EnvError::Other`] if `probability` is not within 0 to 1 or the actions are not discrete.
    pub fn new(env: E, probability: f64) -> Result<Self, EnvError> {
        let id = &env.spec().id;
        if !(0.0..=1.0).contains(&probability) {
            return Err(EnvError::Other(format!(
                "{id}: {probability} is not a probability: give a number from 0 to 1"
            )));
        }
        let Some(actions) = env.action_space().discrete_n() else {
            return Err(EnvError::Other(format!("{id}: only discrete actions can be sticky: discretise them first")));
        };
        Ok(Self { env, actions, probability, rng: stream(0), last: None })
    }

    fn parse(&self, state: &[u8]) -> Result<(GymRng, Option<usize>, Vec<u8>), StateError> {
        let mut reader = StateReader::new(state);
        let rng = GymRng::restore(&mut reader)?;
        let has_last = reader.bool()?;
        let last = reader.index(self.actions)?;
        let inner = reader.bytes()?.to_vec();
        reader.finish()?;
        Ok((rng, has_last.then_some(last), inner))
    }
}

/// The wrapper's generator for a seed, separate from the environment's own.
fn stream(seed: u64) -> GymRng {
    GymRng::from_seed(seed.wrapping_add(0x9E37_79B9_7F4A_7C15))
}

impl<E: Env> Env for StickyActions<E> {
    forward!(spec, observation_space, action_space, scene, action_mask, metrics);

    fn reset(&mut self, seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        self.env.reset(seed, observation)?;
        if let Some(seed) = seed {
            self.rng = stream(seed);
        }
        self.last = None;
        Ok(())
    }

    fn step(&mut self, action: Action<'_>, observation: &mut [f32]) -> Result<Step, EnvError> {
        let asked = action.discrete(self.actions)?;
        let mut rng = self.rng.clone();
        let sticks = self.last.filter(|_| rng.random() < self.probability);
        let executed = sticks.unwrap_or(asked);
        // Only a step that the environment accepts may advance the generator.
        let step = self.env.step(Action::Discrete(executed), observation)?;
        self.rng = rng;
        self.last = Some(executed);
        Ok(step)
    }

    fn save(&self) -> Result<Vec<u8>, EnvError> {
        let mut writer = StateWriter::new();
        self.rng.save(&mut writer);
        writer.bool(self.last.is_some());
        writer.index(self.last.unwrap_or(0));
        writer.bytes(&self.env.save()?);
        Ok(writer.into_bytes())
    }

    fn restore(&mut self, state: &[u8]) -> Result<(), EnvError> {
        let invalid = |e: StateError| EnvError::InvalidState { id: self.env.spec().id.clone(), reason: e.0 };
        let (rng, last, inner) = self.parse(state).map_err(invalid)?;
        self.env.restore(&inner)?;
        (self.rng, self.last) = (rng, last);
        Ok(())
    }
}
