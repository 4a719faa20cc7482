//! [`Altered`], an environment of which a test alters what it does: the one place where tests forward a whole `Env`.

use requel_envs::{Action, Env, EnvError, EnvSpec, Scene, Space, StateError, StateReader, StateWriter, Step};

/// What is altered. `life` is the number of steps that the environment has made since it was made, over all episodes.
pub trait Alteration: Send {
    /// Before a step.
    fn before_step(&mut self) {}

    /// What a reset shows.
    fn reset(&mut self, _life: u32, _observation: &mut [f32]) {}

    /// What a step gives, which is the `life`-th, counted from 1.
    fn step(&mut self, _life: u32, _step: &mut Step, _observation: &mut [f32]) -> Result<(), EnvError> {
        Ok(())
    }

    /// Before the state is saved.
    fn save(&self, _spec: &EnvSpec) -> Result<(), EnvError> {
        Ok(())
    }
}

/// Nothing is, but that the environment is stepped alone: it hides its batch.
impl Alteration for () {}

/// An environment and what is altered of it.
pub struct Altered<A> {
    env: Box<dyn Env>,
    alteration: A,
    life: u32,
}

impl<A: Alteration + 'static> Altered<A> {
    pub fn new(env: impl Env + 'static, alteration: A) -> Self {
        Altered { env: Box::new(env), alteration, life: 0 }
    }
}

impl<A: Alteration> Env for Altered<A> {
    fn spec(&self) -> &EnvSpec {
        self.env.spec()
    }
    fn observation_space(&self) -> &Space {
        self.env.observation_space()
    }
    fn action_space(&self) -> &Space {
        self.env.action_space()
    }
    fn reset(&mut self, seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        self.env.reset(seed, observation)?;
        self.alteration.reset(self.life, observation);
        Ok(())
    }
    fn step(&mut self, action: Action<'_>, observation: &mut [f32]) -> Result<Step, EnvError> {
        self.alteration.before_step();
        let mut step = self.env.step(action, observation)?;
        self.life += 1;
        self.alteration.step(self.life, &mut step, observation)?;
        Ok(step)
    }
    fn save(&self) -> Result<Vec<u8>, EnvError> {
        self.alteration.save(self.env.spec())?;
        let mut writer = StateWriter::new();
        writer.u32(self.life);
        writer.bytes(&self.env.save()?);
        Ok(writer.into_bytes())
    }
    fn restore(&mut self, state: &[u8]) -> Result<(), EnvError> {
        let invalid = |e: StateError| EnvError::InvalidState { id: "Altered".into(), reason: e.0 };
        let mut reader = StateReader::new(state);
        self.life = reader.u32().map_err(invalid)?;
        self.env.restore(reader.bytes().map_err(invalid)?)
    }
    fn scene(&self) -> Option<Scene> {
        self.env.scene()
    }
    fn action_mask(&self) -> Option<&[bool]> {
        self.env.action_mask()
    }
    fn metrics(&self, numbers: &mut [f64]) {
        self.env.metrics(numbers);
    }
}
