//! [`Chain`], `Toy/Chain-v0`.

use crate::entry::{Entry, MadeEnv};
use crate::options::{OptionSpec, Options};
use crate::{
    Action, Color, DType, Dynamics, EnvSpec, GymRng, Scene, Shape, Simulation, Space, StateError, StateReader,
    StateWriter, Step, View,
};

pub(crate) const ENVS: &[Entry] = &[Entry {
    id: "Toy/Chain-v0",
    max_episode_steps: None,
    reward_threshold: Some(1.0),
    reward_range: Some((-1.0, 1.0)),
    frames_per_second: 5.0,
    action_names: &[],
    observation_names: &[],
    metrics: &[],
    options: &[OptionSpec::int("length", 12, "how many links the chain has, 2 to 256")],
    build,
}];

fn build(spec: EnvSpec, options: &Options<'_>) -> MadeEnv {
    let length = options.int("length", 2..=256)? as usize;
    let space = Space::Box { low: vec![0.0; length], high: vec![1.0; length], shape: vec![length], dtype: DType::F32 };
    let chain = Chain { length, position: 0, choice: false };
    Ok(Box::new(Simulation::new(spec, space, Space::Discrete { n: 2 }, chain)))
}

/// The first of many steps decides, and only the last one reveals the result.
///
/// **Actions**: `Discrete(2)`. Only the one taken on the first link matters.
///
/// **Observation**: `Box(length)`, 12 unless an option says otherwise: 1 at the link that is reached, 0 elsewhere. It
/// does not show which action was taken first.
///
/// **Reward**: on arrival at the last link 1 if the first action was 1, else −1; 0 before.
///
/// **Start**: on the first link.
///
/// **End**: terminated at the last link, after `length − 1` steps. One-step bootstrapping has to propagate the reward back link by link and
/// averages over both choices on the way, so that their values stay equal; a return over the whole chain distinguishes them at once.
///
/// **Source**: this project; the idea is that of the "umbrella" and "discounting chain" experiments of Osband et al.,
/// *Behaviour Suite for Reinforcement Learning* (2020).
#[derive(Clone, Debug)]
pub struct Chain {
    length: usize,
    position: usize,
    /// Whether the first action was 1.
    choice: bool,
}

impl Dynamics for Chain {
    fn reset(&mut self, _: &mut GymRng) {
        self.position = 0;
        self.choice = false;
    }

    fn step(&mut self, action: Action<'_>, _: &mut GymRng) -> Step {
        if self.position == 0 {
            self.choice = action == Action::Discrete(1);
        }
        self.position = (self.position + 1).min(self.length - 1);
        let terminated = self.position == self.length - 1;
        let reward = match (terminated, self.choice) {
            (false, _) => 0.0,
            (true, true) => 1.0,
            (true, false) => -1.0,
        };
        Step { reward, terminated, truncated: false }
    }

    fn observe(&self, observation: &mut [f32]) {
        observation.fill(0.0);
        observation[self.position] = 1.0;
    }

    fn save(&self, writer: &mut StateWriter) {
        writer.index(self.position);
        writer.bool(self.choice);
    }

    fn restore(&mut self, reader: &mut StateReader<'_>) -> Result<(), StateError> {
        self.position = reader.index(self.length)?;
        self.choice = reader.bool()?;
        Ok(())
    }

    fn can_go_on(&self) -> bool {
        self.position + 1 < self.length
    }

    fn scene(&self) -> Option<Scene> {
        let center = |index: usize| (index as f32 + 0.5, 0.5);
        let chosen = if self.choice { Color(0, 158, 115) } else { Color(213, 94, 0) };
        let link = |index: usize| Shape::Circle {
            center: center(index),
            radius: 0.3,
            color: if index == self.position { chosen } else { Color(214, 218, 226) },
        };
        let rope =
            Shape::Line { from: center(0), to: center(self.length - 1), width: 0.08, color: Color(160, 166, 178) };
        Some(Scene {
            view: View { left: 0.0, right: self.length as f32, bottom: 0.0, top: 1.0 },
            background: Color(255, 255, 255),
            shapes: std::iter::once(rope).chain((0..self.length).map(link)).collect(),
        })
    }
}
