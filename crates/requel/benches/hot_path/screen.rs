//! An environment that shows what an Atari game shows a learner, and costs next to nothing: so that the learner is measured.

use requel_envs::{
    Action, Color, DType, Dynamics, Env, EnvSpec, GymRng, Scene, Simulation, Space, StateError, StateReader,
    StateWriter, Step, View,
};

/// Four grey frames of 84 × 84, one behind the other in the last dimension.
const SHAPE: [usize; 3] = [84, 84, 4];
const ACTIONS: usize = 6;
/// Env steps of an episode.
const EPISODE: u32 = 500;

/// The environment: the picture is a pattern that moves on with each step, and the reward says nothing.
pub fn screen() -> Box<dyn Env> {
    let len = SHAPE.iter().product();
    let shown = Space::Box { low: vec![0.0; len], high: vec![255.0; len], shape: SHAPE.to_vec(), dtype: DType::U8 };
    let spec = EnvSpec { frames_per_second: 60.0, ..EnvSpec::new("Screen") };
    Box::new(Simulation::new(spec, shown, Space::Discrete { n: ACTIONS }, Screen { step: 0 }))
}

#[derive(Clone)]
struct Screen {
    step: u32,
}

impl Dynamics for Screen {
    fn reset(&mut self, _: &mut GymRng) {
        self.step = 0;
    }

    fn step(&mut self, action: Action<'_>, _: &mut GymRng) -> Step {
        self.step += 1;
        let reward = if action == Action::Discrete(self.step as usize % ACTIONS) { 1.0 } else { 0.0 };
        Step { reward, terminated: self.step == EPISODE, truncated: false }
    }

    fn observe(&self, observation: &mut [f32]) {
        let offset = self.step.wrapping_mul(13) as u8;
        for (index, value) in observation.iter_mut().enumerate() {
            *value = f32::from((index as u8).wrapping_add(offset));
        }
    }

    fn save(&self, writer: &mut StateWriter) {
        writer.u32(self.step);
    }

    fn restore(&mut self, reader: &mut StateReader<'_>) -> Result<(), StateError> {
        self.step = reader.u32()?;
        Ok(())
    }

    fn scene(&self) -> Option<Scene> {
        let view = View { left: 0.0, right: 1.0, bottom: 0.0, top: 1.0 };
        Some(Scene { view, background: Color(0, 0, 0), shapes: Vec::new() })
    }
}
