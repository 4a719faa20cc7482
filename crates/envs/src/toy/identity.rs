//! [`Identity`], `Toy/Identity-v0`.

use crate::entry::{Entry, MadeEnv};
use crate::options::{OptionSpec, Options};
use crate::{
    Action, Color, DType, Dynamics, EnvSpec, GymRng, Scene, Shape, Simulation, Space, StateError, StateReader,
    StateWriter, Step, View,
};

pub(crate) const ENVS: &[Entry] = &[Entry {
    id: "Toy/Identity-v0",
    max_episode_steps: Some(20),
    reward_threshold: Some(20.0),
    reward_range: Some((0.0, 1.0)),
    frames_per_second: 4.0,
    action_names: &[],
    observation_names: &[],
    metrics: &[],
    options: &[OptionSpec::int("symbols", 4, "how many symbols and actions there are, 2 to 64")],
    build,
}];

fn build(spec: EnvSpec, options: &Options<'_>) -> MadeEnv {
    let symbols = options.int("symbols", 2..=64)? as usize;
    let space =
        Space::Box { low: vec![0.0; symbols], high: vec![1.0; symbols], shape: vec![symbols], dtype: DType::F32 };
    Ok(Box::new(Simulation::new(spec, space, Space::Discrete { n: symbols }, Identity { symbols, shown: 0 })))
}

/// One of `k` symbols is shown; naming it is rewarded.
///
/// **Actions**: `Discrete(k)`, `k` = 4 unless the option `symbols` says otherwise.
///
/// **Observation**: `Box(k)`: 1 at the symbol that is shown, 0 elsewhere.
///
/// **Reward**: 1 if the action is the index of the symbol, else 0. The next symbol does not depend on the action, so an agent that cannot
/// solve this cannot learn anything.
///
/// **Start**: a random symbol, as in every step.
///
/// **End**: truncated after 20 steps.
///
/// **Source**: this project; the idea is that of the identity environments in the tests of OpenAI Baselines (2017).
#[derive(Clone, Debug)]
pub struct Identity {
    symbols: usize,
    shown: usize,
}

impl Dynamics for Identity {
    fn reset(&mut self, rng: &mut GymRng) {
        self.shown = rng.below(self.symbols);
    }

    fn step(&mut self, action: Action<'_>, rng: &mut GymRng) -> Step {
        let reward = if action == Action::Discrete(self.shown) { 1.0 } else { 0.0 };
        self.shown = rng.below(self.symbols);
        Step { reward, ..Step::default() }
    }

    fn observe(&self, observation: &mut [f32]) {
        observation.fill(0.0);
        observation[self.shown] = 1.0;
    }

    fn save(&self, writer: &mut StateWriter) {
        writer.index(self.shown);
    }

    fn restore(&mut self, reader: &mut StateReader<'_>) -> Result<(), StateError> {
        self.shown = reader.index(self.symbols)?;
        Ok(())
    }

    fn scene(&self) -> Option<Scene> {
        let cell = |index: usize| {
            let lit = index == self.shown;
            Shape::Rectangle {
                min: (index as f32 + 0.1, 0.1),
                max: (index as f32 + 0.9, 0.9),
                color: if lit { Color(230, 159, 0) } else { Color(214, 218, 226) },
            }
        };
        Some(Scene {
            view: View { left: 0.0, right: self.symbols as f32, bottom: 0.0, top: 1.0 },
            background: Color(255, 255, 255),
            shapes: (0..self.symbols).map(cell).collect(),
        })
    }
}
