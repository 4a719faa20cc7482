//! [`Pendulum`], `Pendulum-v1`.

use std::f64::consts::PI;

use crate::entry::{Entry, MadeEnv};
use crate::options::{DISCRETIZE, OptionDefault, OptionSpec, Options};
use crate::wrappers::Discretize;
use crate::{
    Action, Color, DType, Dynamics, EnvSpec, GymRng, Scene, Shape, Simulation, Space, StateError, StateReader,
    StateWriter, Step, View, math,
};

const STEP_SECONDS: f64 = 0.05;
const MAX_SPEED: f64 = 8.0; // rad/s
const MAX_TORQUE: f32 = 2.0; // N m
const MASS: f64 = 1.0; // kg
const LENGTH: f64 = 1.0; // m

/// Of the angle π, the highest speed and the highest torque, rounded away from 0.
const LEAST_REWARD: f64 = -16.2736045;

pub(crate) const ENVS: &[Entry] = &[Entry {
    id: "Pendulum-v1",
    max_episode_steps: Some(200),
    reward_threshold: None,
    reward_range: Some((LEAST_REWARD, 0.0)),
    frames_per_second: 30.0,
    action_names: &[],
    observation_names: &["cos angle", "sin angle", "angular velocity"],
    metrics: &[],
    options: &[
        OptionSpec::float("g", 10.0, "acceleration of gravity, m/s², 0 to 1000"),
        OptionSpec::new(
            DISCRETIZE,
            OptionDefault::OptionalInt,
            "number of evenly spaced torques to choose from, 2 to 65536, for agents with discrete actions",
        ),
    ],
    build,
}];

fn build(spec: EnvSpec, options: &Options<'_>) -> MadeEnv {
    let symmetric = |high: &[f32]| Space::Box {
        low: high.iter().map(|bound| -bound).collect(),
        high: high.to_vec(),
        shape: vec![high.len()],
        dtype: DType::F32,
    };
    let pendulum = Pendulum { theta: PI, speed: 0.0, torque: 0.0, gravity: options.float("g", 0.0..=1000.0)? };
    let observation_space = symmetric(&[1.0, 1.0, MAX_SPEED as f32]);
    let values = options.optional_int_in(DISCRETIZE, 2..=65_536)?;
    let env = Simulation::new(spec, observation_space, symmetric(&[MAX_TORQUE]), pendulum);
    Ok(match values {
        Some(values) => Box::new(Discretize::new(env, values as usize)?),
        None => Box::new(env),
    })
}

/// A rod that turns about one end; torque, too weak to lift it at once, has to swing it up and hold it there.
///
/// **Actions**: `Box(1)`: torque, ±2 N m, for 0.05 s. With the option `discretize` = n, `Discrete(n)`: n evenly spaced torques, 0 being the
/// lowest, by [`Discretize`].
///
/// **Observation**: `Box(3)`: cosine and sine of the angle (0 upright), angular velocity within ±8 rad/s.
///
/// **Reward**: −(θ² + 0.1 θ̇² + 0.001 torque²) of the state before the step, θ within ±π: at least −16.27, at most 0. It equals Gymnasium's
/// up to the last bit, because the original squares with the C library's `pow`.
///
/// **Start**: angle uniform in ±π, velocity uniform in ±1 rad/s.
///
/// **End**: truncated after 200 steps.
///
/// **Source**: K. Furuta et al., *Swing up control of inverted pendulum* (1991); constants and order of operations of
/// Gymnasium 1.4.
#[derive(Clone, Debug)]
pub struct Pendulum {
    /// Angle from upright, rad, counterclockwise; it counts whole turns.
    theta: f64,
    /// rad/s.
    speed: f64,
    /// The last torque, N m.
    torque: f32,
    gravity: f64,
}

impl Dynamics for Pendulum {
    fn reset(&mut self, rng: &mut GymRng) {
        self.theta = rng.uniform(-PI, PI);
        self.speed = rng.uniform(-1.0, 1.0);
        self.torque = 0.0;
    }

    fn step(&mut self, action: Action<'_>, _: &mut GymRng) -> Step {
        let torque = match action {
            Action::Continuous([torque, ..]) => torque.clamp(-MAX_TORQUE, MAX_TORQUE),
            _ => 0.0,
        };
        let angle = (self.theta + PI).rem_euclid(2.0 * PI) - PI;
        // What the original computes from the torque alone has single precision, like the torque.
        let effort = f64::from(0.001 * (torque * torque));
        let push = f64::from((3.0 / (MASS * (LENGTH * LENGTH))) as f32 * torque);
        let cost = angle * angle + 0.1 * (self.speed * self.speed) + effort;

        let (sin, _) = math::sin_cos(self.theta);
        let speed = self.speed + (3.0 * self.gravity / (2.0 * LENGTH) * sin + push) * STEP_SECONDS;
        self.speed = speed.clamp(-MAX_SPEED, MAX_SPEED);
        self.theta += self.speed * STEP_SECONDS;
        self.torque = torque;
        Step { reward: -cost, terminated: false, truncated: false }
    }

    fn observe(&self, observation: &mut [f32]) {
        let (sin, cos) = math::sin_cos(self.theta);
        observation.copy_from_slice(&[cos as f32, sin as f32, self.speed as f32]);
    }

    fn save(&self, writer: &mut StateWriter) {
        writer.f64(self.theta);
        writer.f64(self.speed);
        writer.f64(self.torque.into());
    }

    fn restore(&mut self, reader: &mut StateReader<'_>) -> Result<(), StateError> {
        self.theta = reader.finite_f64()?;
        self.speed = reader.f64_in(-MAX_SPEED..=MAX_SPEED)?;
        let bound = f64::from(MAX_TORQUE);
        self.torque = reader.f64_in(-bound..=bound)? as f32;
        Ok(())
    }

    fn scene(&self) -> Option<Scene> {
        let (sin, cos) = math::sin_cos(self.theta);
        let tip = (-(LENGTH * sin) as f32, (LENGTH * cos) as f32);
        // The torque as a bar along the lower edge, from the middle towards the side it turns to.
        let force = (-self.torque / MAX_TORQUE, -1.25);
        Some(Scene {
            view: View { left: -1.4, right: 1.4, bottom: -1.4, top: 1.4 },
            background: Color(255, 255, 255),
            shapes: vec![
                Shape::Line { from: (0.0, -1.25), to: force, width: 0.08, color: Color(86, 180, 233) },
                Shape::Line { from: (0.0, 0.0), to: tip, width: 0.2, color: Color(204, 77, 77) },
                Shape::Circle { center: (0.0, 0.0), radius: 0.05, color: Color(38, 50, 72) },
            ],
        })
    }
}
