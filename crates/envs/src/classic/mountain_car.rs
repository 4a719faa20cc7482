//! [`MountainCar`], `MountainCar-v0`.

use crate::entry::{Entry, MadeEnv};
use crate::options::{OptionSpec, Options};
use crate::{
    Action, Color, DType, Dynamics, EnvSpec, GymRng, Point, Scene, Shape, Simulation, Space, StateError, StateReader,
    StateWriter, Step, View, math,
};

const MIN_POSITION: f64 = -1.2;
const MAX_POSITION: f64 = 0.6;
const MAX_SPEED: f64 = 0.07; // per step
const GOAL: f64 = 0.5;
const FORCE: f64 = 0.001;
const GRAVITY: f64 = 0.0025;

pub(crate) const ENVS: &[Entry] = &[Entry {
    id: "MountainCar-v0",
    max_episode_steps: Some(200),
    reward_threshold: Some(-110.0),
    reward_range: Some((-1.0, -1.0)),
    frames_per_second: 30.0,
    action_names: &["accelerate left", "coast", "accelerate right"],
    observation_names: &["position", "velocity"],
    metrics: &[],
    options: &[OptionSpec::float(
        "goal_velocity",
        0.0,
        "minimum velocity at which reaching the goal counts, −0.07 to \
                                                        0.07",
    )],
    build,
}];

fn build(spec: EnvSpec, options: &Options<'_>) -> MadeEnv {
    let goal_velocity = options.float("goal_velocity", -MAX_SPEED..=MAX_SPEED)?;
    let (low, high) = ([MIN_POSITION, -MAX_SPEED], [MAX_POSITION, MAX_SPEED]);
    let bounds = |numbers: [f64; 2]| numbers.map(|number| number as f32).to_vec();
    let space = Space::Box { low: bounds(low), high: bounds(high), shape: vec![2], dtype: DType::F32 };
    let car = MountainCar { position: 0.0, velocity: 0.0, goal_velocity };
    Ok(Box::new(Simulation::new(spec, space, Space::Discrete { n: 3 }, car)))
}

/// A car in a valley, too weak to drive straight up: it has to swing back and forth to reach the flag on the right.
///
/// **Actions**: `Discrete(3)`: 0 accelerates to the left, 1 not at all, 2 to the right.
///
/// **Observation**: `Box(2)`: position, −1.2 to 0.6, and velocity per step, ±0.07.
///
/// **Reward**: −1 for each step.
///
/// **Start**: position uniform in −0.6 to −0.4, at rest.
///
/// **End**: terminated at position 0.5 or beyond with at least `goal_velocity` (0); truncated after 200 steps. Solved at
/// a mean return of −110 over 100 episodes.
///
/// **Source**: A. W. Moore, *Efficient Memory-Based Learning for Robot Control* (1990); constants and order of operations
/// of Gymnasium 1.4.
#[derive(Clone, Debug)]
pub struct MountainCar {
    position: f64,
    velocity: f64,
    goal_velocity: f64,
}

impl MountainCar {
    fn is_at_goal(&self) -> bool {
        self.position >= GOAL && self.velocity >= self.goal_velocity
    }
}

impl Dynamics for MountainCar {
    fn reset(&mut self, rng: &mut GymRng) {
        self.position = rng.uniform(-0.6, -0.4);
        self.velocity = 0.0;
    }

    fn step(&mut self, action: Action<'_>, _: &mut GymRng) -> Step {
        let push = match action {
            Action::Discrete(0) => -1.0,
            Action::Discrete(2) => 1.0,
            _ => 0.0,
        };
        let (_, slope) = math::sin_cos(3.0 * self.position);
        let velocity = (self.velocity + (push * FORCE + slope * -GRAVITY)).clamp(-MAX_SPEED, MAX_SPEED);
        self.position = (self.position + velocity).clamp(MIN_POSITION, MAX_POSITION);
        let hits_wall = self.position == MIN_POSITION && velocity < 0.0;
        self.velocity = if hits_wall { 0.0 } else { velocity };
        let terminated = self.is_at_goal();
        Step { reward: -1.0, terminated, truncated: false }
    }

    fn observe(&self, observation: &mut [f32]) {
        observation.copy_from_slice(&[self.position as f32, self.velocity as f32]);
    }

    fn save(&self, writer: &mut StateWriter) {
        writer.f64(self.position);
        writer.f64(self.velocity);
    }

    fn restore(&mut self, reader: &mut StateReader<'_>) -> Result<(), StateError> {
        self.position = reader.f64_in(MIN_POSITION..=MAX_POSITION)?;
        self.velocity = reader.f64_in(-MAX_SPEED..=MAX_SPEED)?;
        Ok(())
    }

    fn can_go_on(&self) -> bool {
        !self.is_at_goal()
    }

    fn scene(&self) -> Option<Scene> {
        const STEPS: i32 = 60;
        let (left, right) = (MIN_POSITION as f32, MAX_POSITION as f32);
        let ridge = (0..=STEPS).map(|i| on_hill(left + (right - left) * i as f32 / STEPS as f32));
        let hill = [(left, 0.0)].into_iter().chain(ridge).chain([(right, 0.0)]).collect();

        let foot = on_hill(GOAL as f32);
        let top = (foot.0, foot.1 + 0.2);
        let pennant = vec![top, (top.0, top.1 - 0.08), (top.0 + 0.09, top.1 - 0.04)];

        // The car stands along the slope; across and up are its own axes.
        let x = self.position as f32;
        let angle = libm::atanf(0.45 * 3.0 * libm::cosf(3.0 * x));
        let (sin, cos) = (libm::sinf(angle), libm::cosf(angle));
        let ground = on_hill(x);
        let place = |across: f32, up: f32| (ground.0 + across * cos - up * sin, ground.1 + across * sin + up * cos);
        let wheel = |across| Shape::Circle { center: place(across, 0.022), radius: 0.022, color: Color(90, 96, 110) };
        let body = [(-0.065, 0.03), (0.065, 0.03), (0.065, 0.065), (0.03, 0.095), (-0.035, 0.095), (-0.065, 0.065)];
        Some(Scene {
            view: View { left, right, bottom: 0.0, top: 1.25 },
            background: Color(226, 238, 248),
            shapes: vec![
                Shape::Polygon { points: hill, color: Color(122, 150, 106) },
                Shape::Line { from: foot, to: top, width: 0.012, color: Color(90, 96, 110) },
                Shape::Polygon { points: pennant, color: Color(213, 94, 0) },
                Shape::Polygon {
                    points: body.map(|(across, up)| place(across, up)).to_vec(),
                    color: Color(38, 50, 72),
                },
                wheel(-0.04),
                wheel(0.04),
            ],
        })
    }
}

/// The point of the hill at `x`.
fn on_hill(x: f32) -> Point {
    (x, libm::sinf(3.0 * x) * 0.45 + 0.55)
}
