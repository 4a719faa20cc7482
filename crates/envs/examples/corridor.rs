//! An environment that implements [`Env`] by hand, held against the contract: `cargo run --example corridor -p requel-envs`.

use requel_envs::{Action, DType, Env, EnvError, EnvSpec, Space, Step};

struct Corridor {
    spec: EnvSpec,
    observations: Space,
    actions: Space,
    /// The place in the corridor, 0 to 10; `None` before the first reset and after the end of an episode.
    place: Option<i32>,
}

impl Corridor {
    fn new() -> Self {
        Corridor {
            spec: EnvSpec { reward_range: Some((-0.1, 1.0)), ..EnvSpec::new("Corridor-v0") },
            observations: Space::Box { low: vec![0.0], high: vec![1.0], shape: vec![1], dtype: DType::F32 },
            actions: Space::Discrete { n: 2 },
            place: None,
        }
    }
}

impl Env for Corridor {
    fn spec(&self) -> &EnvSpec {
        &self.spec
    }
    fn observation_space(&self) -> &Space {
        &self.observations
    }
    fn action_space(&self) -> &Space {
        &self.actions
    }

    fn reset(&mut self, _seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        check(observation)?;
        self.place = Some(0);
        observation[0] = 0.0;
        Ok(())
    }

    fn step(&mut self, action: Action<'_>, observation: &mut [f32]) -> Result<Step, EnvError> {
        // Whatever is refused is refused before anything changes.
        let action = action.discrete(2)?;
        check(observation)?;
        let Some(place) = self.place else { return Err(EnvError::ResetNeeded { id: self.spec.id.clone() }) };
        let place = (place + if action == 1 { 1 } else { -1 }).max(0);
        observation[0] = place as f32 / 10.0;
        let terminated = place == 10;
        self.place = (!terminated).then_some(place);
        Ok(Step { reward: if terminated { 1.0 } else { -0.1 }, terminated, truncated: false })
    }
}

fn check(observation: &[f32]) -> Result<(), EnvError> {
    match observation.len() {
        1 => Ok(()),
        found => Err(EnvError::ObservationLength { expected: 1, found }),
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    requel_envs::conformance::check(|| Box::new(Corridor::new()))?;
    println!("Corridor-v0 keeps the contract of an environment");
    Ok(())
}
