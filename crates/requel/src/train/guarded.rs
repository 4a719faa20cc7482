//! [`Guarded`], a world of somebody's own, whose breaches of the contract become errors that name them.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use requel_envs::{Action, DType, Env, EnvError, EnvSpec, Scene, Space, Step};

use super::EnvFactory;

/// A factory whose worlds are guarded; that it panics is an error as well.
pub(super) fn guarded(factory: EnvFactory) -> EnvFactory {
    Box::new(move || {
        let made = catch_unwind(AssertUnwindSafe(&factory));
        let env = made.map_err(|cause| panicked("its factory", "making it", &*cause))??;
        Guarded::new(env).map(|guarded| Box::new(guarded) as Box<dyn Env>)
    })
}

/// A world that is watched over. It adds nothing to what a sound world does.
struct Guarded {
    inner: Box<dyn Env>,
    /// What a reset wrote last, to compare with.
    again: Vec<f32>,
    seed_checked: bool,
    /// What it panicked with: a world that panicked is in no known state, and is not touched again.
    broken: RefCell<Option<EnvError>>,
    actions: Option<usize>,
    /// Observations are kept as bytes.
    is_bytes: bool,
}

/// Told from all numbers that a world could mean by its bits.
const UNWRITTEN: u32 = 0x7fc0_dead;

impl Guarded {
    fn new(inner: Box<dyn Env>) -> Result<Self, EnvError> {
        let id = inner.spec().id.clone();
        check_spaces(&id, inner.observation_space(), inner.action_space())?;
        let is_bytes = matches!(inner.observation_space(), Space::Box { dtype: DType::U8 | DType::Bool, .. });
        let again = vec![0.0; inner.observation_len()];
        let actions = inner.action_space().discrete_n();
        Ok(Guarded { inner, again, seed_checked: false, broken: RefCell::new(None), actions, is_bytes })
    }

    /// Calls the world, unless it panicked before.
    fn call<T>(&mut self, during: &str, call: impl FnOnce(&mut dyn Env) -> Result<T, EnvError>) -> Result<T, EnvError> {
        if let Some(error) = self.broken.get_mut() {
            return Err(error.clone());
        }
        let inner = &mut self.inner;
        catch_unwind(AssertUnwindSafe(|| call(&mut **inner))).unwrap_or_else(|cause| {
            let error = panicked(&self.inner.spec().id, during, &*cause);
            *self.broken.get_mut() = Some(error.clone());
            Err(error)
        })
    }

    /// Whatever is wrong with what the world shows now.
    fn check_shown(&self, observation: &[f32], ended: bool) -> Result<(), EnvError> {
        if let Some(at) = observation.iter().position(|value| value.to_bits() == UNWRITTEN) {
            return Err(self.breach(format!("number {at} of {} of an observation was not written", observation.len())));
        }
        // A fraction or a larger number would be another one in the replay buffer. What is not finite is found by itself.
        let fits = |value: &f32| !value.is_finite() || ((0.0..=255.0).contains(value) && value.fract() == 0.0);
        if let Some(at) = observation.iter().position(|value| self.is_bytes && !fits(value)) {
            let value = observation[at];
            return Err(
                self.breach(format!("number {at} of an observation of bytes is {value}, not 0 to 255 and whole"))
            );
        }
        match (self.inner.action_mask(), self.actions) {
            (Some(mask), Some(actions)) if mask.len() != actions => {
                Err(self.breach(format!("its action mask has {} flags for {actions} actions", mask.len())))
            }
            (Some(mask), _) if !ended && !mask.contains(&true) => {
                Err(self.breach("its action mask allows no action and the episode has not ended".into()))
            }
            _ => Ok(()),
        }
    }

    fn breach(&self, what: String) -> EnvError {
        breach(&self.inner.spec().id, what)
    }
}

impl Env for Guarded {
    fn spec(&self) -> &EnvSpec {
        self.inner.spec()
    }
    fn observation_space(&self) -> &Space {
        self.inner.observation_space()
    }
    fn action_space(&self) -> &Space {
        self.inner.action_space()
    }

    fn reset(&mut self, seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        if seed.is_some() && !self.seed_checked {
            let mut again = std::mem::take(&mut self.again);
            self.call("reset", |env| env.reset(seed, &mut again))?;
            self.again = again;
        }
        observation.fill(f32::from_bits(UNWRITTEN));
        self.call("reset", |env| env.reset(seed, observation))?;
        self.check_shown(observation, false)?;
        if seed.is_some() && !self.seed_checked {
            let same = observation.iter().zip(&self.again).all(|(a, b)| a.to_bits() == b.to_bits());
            if !same {
                let seed = seed.unwrap_or_default();
                return Err(self.breach(format!("two resets with the seed {seed} show different things")));
            }
            self.seed_checked = true;
        }
        Ok(())
    }

    fn step(&mut self, action: Action<'_>, observation: &mut [f32]) -> Result<Step, EnvError> {
        observation.fill(f32::from_bits(UNWRITTEN));
        let step = self.call("step", |env| env.step(action, observation))?;
        self.check_shown(observation, step.ended())?;
        Ok(step)
    }

    fn save(&self) -> Vec<u8> {
        // There is no error to return: it goes up as the cause of a panic, and `Trainer::try_save` makes an error of it again.
        let before = self.broken.borrow().clone();
        let saved = before.map_or_else(
            || {
                let saved = catch_unwind(AssertUnwindSafe(|| self.inner.save()));
                saved.map_err(|cause| panicked(&self.inner.spec().id, "save", &*cause))
            },
            Err,
        );
        saved.unwrap_or_else(|error| {
            *self.broken.borrow_mut() = Some(error.clone());
            resume_unwind(Box::new(error))
        })
    }

    fn restore(&mut self, state: &[u8]) -> Result<(), EnvError> {
        self.call("restore", |env| env.restore(state))
    }

    fn scene(&self) -> Scene {
        self.inner.scene()
    }
    fn action_mask(&self) -> Option<&[bool]> {
        self.inner.action_mask()
    }
    fn batch(&self) -> Option<Box<dyn requel_envs::BatchEnv>> {
        self.inner.batch()
    }
}

fn check_spaces(id: &str, observations: &Space, actions: &Space) -> Result<(), EnvError> {
    match observations {
        Space::Box { low, high, shape, .. } => {
            let len = shape.iter().try_fold(1usize, |n, axis| n.checked_mul(*axis));
            if len != Some(low.len()) || low.len() != high.len() {
                let found = format!("shape {shape:?} with {} lower and {} upper bounds", low.len(), high.len());
                return Err(breach(id, format!("its observation space has {found}")));
            }
            // NaN is no bound.
            if let Some(at) =
                low.iter().zip(high).position(|(low, high)| low.partial_cmp(high).is_none_or(|order| order.is_gt()))
            {
                let found = format!("{} and {}", low[at], high[at]);
                return Err(breach(id, format!("bounds {at} of its observation space are {found}")));
            }
        }
        Space::Discrete { n: 0 } => return Err(breach(id, "its observation space is empty".into())),
        _ => {}
    }
    if observations.is_empty() {
        return Err(breach(id, "its observations have no numbers".into()));
    }
    match actions.discrete_n() {
        Some(0) => Err(breach(id, "it has no actions".into())),
        _ => Ok(()),
    }
}

fn breach(id: &str, what: String) -> EnvError {
    EnvError::Contract { id: id.into(), breach: what }
}

fn panicked(id: &str, during: &str, cause: &(dyn std::any::Any + Send)) -> EnvError {
    let text = cause.downcast_ref::<&str>().map(ToString::to_string);
    let message = text.or_else(|| cause.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".into());
    EnvError::Panicked { id: id.into(), during: during.into(), message }
}
