//! [`Guarded`], a guarded environment.

use std::panic::{AssertUnwindSafe, catch_unwind};

use requel_envs::{Action, BatchEnv, Env, EnvError, EnvSpec, Scene, Space, Step};

use super::batch::GuardedBatch;
use super::fuse::Fuse;
use super::watch::Watch;
use crate::train::EnvFactory;

/// A factory whose environments are guarded; a panic of the factory becomes an error too.
pub(in crate::train) fn guarded(factory: EnvFactory) -> EnvFactory {
    Box::new(move || {
        let env = EnvError::catching("its factory", "making it", &factory)?;
        Guarded::new(env).map(|guarded| Box::new(guarded) as Box<dyn Env>)
    })
}

/// A guarded environment. A correct environment behaves as it would without the guard.
struct Guarded {
    inner: Box<dyn Env>,
    /// Its initial specification, which it must keep to.
    spec: EnvSpec,
    observation_space: Space,
    action_space: Space,
    watch: Watch,
    fuse: Fuse,
}

impl Guarded {
    fn new(inner: Box<dyn Env>) -> Result<Self, EnvError> {
        let (spec, observation_space, action_space, watch) =
            EnvError::catching("an environment", "its description", || {
                let (observations, actions) = (inner.observation_space().clone(), inner.action_space().clone());
                Ok((inner.spec().clone(), observations, actions, Watch::of(&*inner)?))
            })?;
        let fuse = Fuse::new(watch.id().into());
        Ok(Guarded { inner, spec, observation_space, action_space, watch, fuse })
    }

    /// Reads the mask, once for all later uses.
    fn read_mask(&mut self) -> Result<(), EnvError> {
        let Guarded { inner, watch, fuse, .. } = self;
        fuse.call("action_mask", || {
            watch.take_mask(inner.action_mask());
            Ok(())
        })
    }

    /// Checks that the spaces are those that the agent was created for.
    fn check_spaces(&self) -> Result<(), EnvError> {
        self.fuse.look("its description", || {
            for (name, was, is) in [
                ("observation", &self.observation_space, self.inner.observation_space()),
                ("action", &self.action_space, self.inner.action_space()),
            ] {
                if was != is {
                    return Err(self.watch.breach(format!("its {name} space was {was:?} and is {is:?}")));
                }
            }
            Ok(())
        })
    }
}

impl Env for Guarded {
    fn spec(&self) -> &EnvSpec {
        &self.spec
    }

    fn observation_space(&self) -> &Space {
        &self.observation_space
    }

    fn action_space(&self) -> &Space {
        &self.action_space
    }

    fn reset(&mut self, seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        let Guarded { inner, watch, fuse, .. } = self;
        watch.reset(seed, observation, |observation| fuse.call("reset", || inner.reset(seed, observation)))?;
        self.check_spaces()?;
        self.read_mask()?;
        self.watch.check_mask(false)
    }

    fn step(&mut self, action: Action<'_>, observation: &mut [f32]) -> Result<Step, EnvError> {
        Watch::clear(observation);
        let step = self.fuse.call("step", || self.inner.step(action, observation))?;
        self.watch.check_observation(observation)?;
        self.read_mask()?;
        self.watch.check_mask(step.ended())?;
        let Guarded { inner, watch, fuse, .. } = self;
        fuse.metrics(watch, |numbers| inner.metrics(numbers))?;
        Ok(step)
    }

    fn save(&self) -> Result<Vec<u8>, EnvError> {
        self.fuse.look("save", || self.inner.save())
    }

    fn restore(&mut self, state: &[u8]) -> Result<(), EnvError> {
        self.fuse.call("restore", || self.inner.restore(state))?;
        self.read_mask()
    }

    fn scene(&self) -> Option<Scene> {
        self.fuse.scene(|| self.inner.scene())
    }

    fn action_mask(&self) -> Option<&[bool]> {
        self.watch.mask()
    }

    fn metrics(&self, numbers: &mut [f64]) {
        numbers.copy_from_slice(self.watch.metrics());
    }

    fn batch(&self) -> Option<Box<dyn BatchEnv>> {
        let inner = catch_unwind(AssertUnwindSafe(|| self.inner.batch())).ok()??;
        Some(Box::new(GuardedBatch::new(inner, &self.watch).ok()?))
    }
}
