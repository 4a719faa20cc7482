//! What stands for an environment that a program does not know, where a run is only looked at.

use requel_envs::{Action, DType, Env, EnvError, EnvSpec, Space, Step};

use super::{Run, RunError};
use crate::config::EnvConfig;
use crate::identity::{EnvIdentity, SpaceIdentity};
use crate::registry::Registry;

impl Run {
    /// A registry for who only looks at this run, and steps no environment: where `registry` does not know the run's environment, one
    /// of the same spaces that has no steps is there in its place. Says whether it is.
    ///
    /// # Errors
    /// If what is known of the run cannot be read.
    pub fn registry_to_look(&self, registry: &Registry) -> Result<(Registry, bool), RunError> {
        let (config, known) = (self.config()?, self.environment()?);
        let mut looking = registry.clone();
        let unknown = known.filter(|known| !known.is_built_in() && registry.env_identity(&config.env).is_err());
        let Some(stand_in) = unknown.and_then(|known| StandIn::of(&known, &config.env)) else {
            return Ok((looking, false));
        };
        let is_there = looking.register_env(move || Ok(Box::new(stand_in.clone()))).is_ok();
        Ok((looking, is_there))
    }
}

/// An environment that shows and takes what another one does, and has no steps.
#[derive(Clone)]
struct StandIn {
    spec: EnvSpec,
    observations: Space,
    actions: Space,
}

impl StandIn {
    /// For an environment that is so known, before what `config` puts around it; `None` where that cannot be told.
    fn of(known: &EnvIdentity, config: &EnvConfig) -> Option<Self> {
        let mut spec = known.spec();
        // Repeated actions change these on their way out.
        if config.action_repeat > 1 {
            (spec.reward_range, spec.max_episode_steps) = (None, None);
        }
        let observations = unstacked(space_of(&known.observations)?, config.frame_stack)?;
        Some(StandIn { spec, observations, actions: space_of(&known.actions)? })
    }

    fn refused(&self) -> EnvError {
        let id = &self.spec.id;
        EnvError::Other(format!(
            "{id} is not known to this program, which cannot step it: call the verb where it is known, in Python by `Run.program`"
        ))
    }
}

fn space_of(known: &SpaceIdentity) -> Option<Space> {
    Some(match known {
        SpaceIdentity::Discrete { n } => Space::Discrete { n: *n },
        SpaceIdentity::MultiDiscrete { n } => Space::MultiDiscrete { n: n.clone() },
        SpaceIdentity::Box { shape, dtype, low, high } => {
            let len = shape.iter().product();
            let (low, high) = (low.each(len, f32::NEG_INFINITY), high.each(len, f32::INFINITY));
            Space::Box { low, high, shape: shape.clone(), dtype: DType::of_name(dtype)? }
        }
    })
}

/// What one of `n` stacked observations is.
fn unstacked(space: Space, n: usize) -> Option<Space> {
    let Space::Box { low, high, mut shape, dtype } = space else { return (n == 1).then_some(space) };
    if n == 1 {
        return Some(Space::Box { low, high, shape, dtype });
    }
    // Images are stacked along their channels, other numbers one after the other.
    let every = match shape[..] {
        [_, _, channels] if channels.is_multiple_of(n) => {
            shape[2] = channels / n;
            channels
        }
        [frames, ..] if frames == n => {
            shape.remove(0);
            low.len()
        }
        _ => return None,
    };
    let kept = every / n;
    let first = |bounds: &[f32]| bounds.chunks(every).flat_map(|chunk| chunk[..kept].to_vec()).collect::<Vec<_>>();
    Some(Space::Box { low: first(&low), high: first(&high), shape, dtype })
}

impl Env for StandIn {
    fn spec(&self) -> &EnvSpec {
        &self.spec
    }

    fn observation_space(&self) -> &Space {
        &self.observations
    }

    fn action_space(&self) -> &Space {
        &self.actions
    }

    fn reset(&mut self, _: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        observation.fill(0.0);
        Ok(())
    }

    fn step(&mut self, _: Action<'_>, _: &mut [f32]) -> Result<Step, EnvError> {
        Err(self.refused())
    }

    fn save(&self) -> Result<Vec<u8>, EnvError> {
        Err(EnvError::CannotSave { id: self.spec.id.clone() })
    }

    fn restore(&mut self, _: &[u8]) -> Result<(), EnvError> {
        Ok(())
    }
}
