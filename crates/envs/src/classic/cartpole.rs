//! [`CartPole`], `CartPole-v0` and `CartPole-v1`.

use crate::entry::{Entry, MadeEnv};
use crate::options::{OptionSpec, Options};
use crate::{
    Action, Color, DType, Dynamics, EnvSpec, GymRng, Scene, Shape, Simulation, Space, StateError, StateReader,
    StateWriter, Step, View, math,
};

const GRAVITY: f64 = 9.8; // m/s²
const CART_MASS: f64 = 1.0; // kg
const POLE_MASS: f64 = 0.1; // kg
const TOTAL_MASS: f64 = POLE_MASS + CART_MASS;
const HALF_LENGTH: f64 = 0.5; // m, from the axle to the middle of the pole
const POLE_MASS_LENGTH: f64 = POLE_MASS * HALF_LENGTH;
const FORCE: f64 = 10.0; // N
const STEP_SECONDS: f64 = 0.02;
/// Beyond ±12° the pole has fallen, rad. The order of operations is the original's.
const ANGLE_LIMIT: f64 = 12.0 * 2.0 * std::f64::consts::PI / 360.0;
/// Beyond ±2.4 m the cart has left the track.
const POSITION_LIMIT: f64 = 2.4;
/// Each number of a starting state is drawn from ± this.
const START_BOUND: f64 = 0.05;

pub(crate) const ENVS: &[Entry] = &[
    Entry {
        id: "CartPole-v0",
        max_episode_steps: Some(200),
        reward_threshold: Some(195.0),
        reward_range: Some((1.0, 1.0)),
        frames_per_second: 50.0,
        action_names: &["push left", "push right"],
        observation_names: &["cart position", "cart velocity", "pole angle", "pole angular velocity"],
        metrics: &[],
        options: OPTIONS,
        build,
    },
    Entry {
        id: "CartPole-v1",
        max_episode_steps: Some(500),
        reward_threshold: Some(475.0),
        reward_range: Some((1.0, 1.0)),
        frames_per_second: 50.0,
        action_names: &["push left", "push right"],
        observation_names: &["cart position", "cart velocity", "pole angle", "pole angular velocity"],
        metrics: &[],
        options: OPTIONS,
        build,
    },
];

const OPTIONS: &[OptionSpec] = &[OptionSpec::bool(
    "sutton_barto_reward",
    false,
    "reward 0 per step and −1 for the terminating one, in place of 1 per step",
)];

fn build(spec: EnvSpec, options: &Options<'_>) -> MadeEnv {
    let cartpole = CartPole { sutton_barto_reward: options.bool("sutton_barto_reward")?, ..CartPole::default() };
    // With other rewards, the sum has nothing to do with that goal.
    let reward_threshold = spec.reward_threshold.filter(|_| !cartpole.sutton_barto_reward);
    let reward_range = Some(cartpole.reward_range());
    Ok(Box::new(cartpole.into_env_of(EnvSpec { reward_threshold, reward_range, ..spec })))
}

/// A pole stands on a cart, attached by a hinge; the cart is pushed to the left or to the right to keep the pole from falling.
///
/// **Actions**: `Discrete(2)`: 0 pushes to the left, 1 to the right, with 10 N for 0.02 s.
///
/// **Observation**: `Box(4)`: position of the cart (m), its velocity (m/s), angle of the pole (rad, 0 upright, positive
/// to the right), its angular velocity (rad/s).
///
/// **Reward**: 1 for each step, including the last. With `sutton_barto_reward`, 0 for each step and −1 for the terminating one.
///
/// **Start**: each of the four numbers uniform in ±0.05.
///
/// **End**: terminated beyond ±12° or ±2.4 m; truncated after 200 (v0) or 500 (v1) steps. Solved at a mean return of 195
/// or 475 over 100 episodes.
///
/// **Source**: Barto, Sutton and Anderson, *Neuronlike Adaptive Elements That Can Solve Difficult Learning Control
/// Problems* (1983); equations of motion by Florian, *Correct equations for the dynamics of the cart-pole system* (2007);
/// constants and order of operations of Gymnasium 1.4, so that the same seed and actions give the same numbers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CartPole {
    /// The state of the cart and the pole.
    pub state: CartPoleState,
    /// Whether the only reward is −1 for falling.
    pub sutton_barto_reward: bool,
}

/// Positions and velocities of the cart and the pole.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CartPoleState {
    /// Position of the cart, m.
    pub x: f64,
    /// Its velocity, m/s.
    pub x_dot: f64,
    /// Angle of the pole from upright, rad, positive to the right.
    pub theta: f64,
    /// Its angular velocity, rad/s.
    pub theta_dot: f64,
}

impl CartPoleState {
    /// The state after `force` (N) has pushed the cart for one step of 0.02 s, by Euler's method.
    pub fn pushed(self, force: f64) -> Self {
        self.pushed_at(force, math::sin_cos(self.theta))
    }

    /// The same, given sine and cosine of the pole's angle.
    #[inline(always)]
    fn pushed_at(self, force: f64, (sin, cos): (f64, f64)) -> Self {
        let Self { x, x_dot, theta, theta_dot } = self;
        let push = (force + POLE_MASS_LENGTH * (theta_dot * theta_dot) * sin) / TOTAL_MASS;
        let theta_acc =
            (GRAVITY * sin - cos * push) / (HALF_LENGTH * (4.0 / 3.0 - POLE_MASS * (cos * cos) / TOTAL_MASS));
        let x_acc = push - POLE_MASS_LENGTH * theta_acc * cos / TOTAL_MASS;
        Self {
            x: x + STEP_SECONDS * x_dot,
            x_dot: x_dot + STEP_SECONDS * x_acc,
            theta: theta + STEP_SECONDS * theta_dot,
            theta_dot: theta_dot + STEP_SECONDS * theta_acc,
        }
    }

    /// Whether the pole has fallen or the cart has left the track.
    pub fn is_terminal(&self) -> bool {
        self.x < -POSITION_LIMIT || self.x > POSITION_LIMIT || self.theta < -ANGLE_LIMIT || self.theta > ANGLE_LIMIT
    }
}

impl CartPole {
    /// The lowest and the highest reward of a step.
    fn reward_range(&self) -> (f64, f64) {
        if self.sutton_barto_reward { (-1.0, 0.0) } else { (1.0, 1.0) }
    }

    /// The environment without a time limit.
    pub fn into_env(self) -> Simulation<Self> {
        let reward_range = Some(self.reward_range());
        self.into_env_of(EnvSpec { reward_range, frames_per_second: 50.0, ..EnvSpec::new("CartPole") })
    }

    fn into_env_of(self, spec: EnvSpec) -> Simulation<Self> {
        let high = vec![(POSITION_LIMIT * 2.0) as f32, f32::INFINITY, (ANGLE_LIMIT * 2.0) as f32, f32::INFINITY];
        let low = high.iter().map(|bound| -bound).collect();
        let observation_space = Space::Box { low, high, shape: vec![4], dtype: DType::F32 };
        Simulation::new(spec, observation_space, Space::Discrete { n: 2 }, self)
    }

    /// The reward of the step that led to the current state.
    #[inline(always)]
    fn outcome(&self) -> Step {
        let terminated = self.state.is_terminal();
        let reward = match (self.sutton_barto_reward, terminated) {
            (false, _) => 1.0,
            (true, false) => 0.0,
            (true, true) => -1.0,
        };
        Step { reward, terminated, truncated: false }
    }
}

/// How many carts are pushed at once: enough for their long chains of dependent operations to overlap.
const LANES: usize = 8;

/// Pushes each cart according to its own action, with the states in arrays, which the compiler turns into vector operations.
fn push_lanes(envs: &mut [CartPole; LANES], actions: &[usize; LANES]) {
    if !envs.iter().all(|env| env.state.theta.abs() <= math::SMALL) {
        // Only a state set from outside can be beyond that: an episode ends earlier.
        for (env, action) in envs.iter_mut().zip(actions) {
            env.state = env.state.pushed(force(*action));
        }
        return;
    }
    let forces = actions.map(force);
    let mut x: [f64; LANES] = std::array::from_fn(|lane| envs[lane].state.x);
    let mut x_dot: [f64; LANES] = std::array::from_fn(|lane| envs[lane].state.x_dot);
    let mut theta: [f64; LANES] = std::array::from_fn(|lane| envs[lane].state.theta);
    let mut theta_dot: [f64; LANES] = std::array::from_fn(|lane| envs[lane].state.theta_dot);
    for lane in 0..LANES {
        let state = CartPoleState { x: x[lane], x_dot: x_dot[lane], theta: theta[lane], theta_dot: theta_dot[lane] };
        let state = state.pushed_at(forces[lane], math::sin_cos_small(state.theta));
        (x[lane], x_dot[lane], theta[lane], theta_dot[lane]) = (state.x, state.x_dot, state.theta, state.theta_dot);
    }
    for (lane, env) in envs.iter_mut().enumerate() {
        env.state = CartPoleState { x: x[lane], x_dot: x_dot[lane], theta: theta[lane], theta_dot: theta_dot[lane] };
    }
}

/// The force of an action, N.
fn force(action: usize) -> f64 {
    if action == 1 { FORCE } else { -FORCE }
}

impl Dynamics for CartPole {
    fn reset(&mut self, rng: &mut GymRng) {
        let mut draw = || rng.uniform(-START_BOUND, START_BOUND);
        self.state = CartPoleState { x: draw(), x_dot: draw(), theta: draw(), theta_dot: draw() };
    }

    fn step(&mut self, action: Action<'_>, _: &mut GymRng) -> Step {
        let force = force(usize::from(action == Action::Discrete(1)));
        self.state = self.state.pushed(force);
        self.outcome()
    }

    fn step_all(envs: &mut [Self], actions: &[usize], rngs: &mut [GymRng], steps: &mut [Step]) {
        let together = envs.len() / LANES * LANES;
        let (lanes, rest) = envs.as_chunks_mut::<LANES>();
        let (lane_actions, rest_actions) = actions.as_chunks::<LANES>();
        let (lane_steps, rest_steps) = steps.as_chunks_mut::<LANES>();
        for ((envs, actions), steps) in lanes.iter_mut().zip(lane_actions).zip(lane_steps) {
            push_lanes(envs, actions);
            *steps = std::array::from_fn(|lane| envs[lane].outcome());
        }
        for (((env, action), rng), step) in rest.iter_mut().zip(rest_actions).zip(&mut rngs[together..]).zip(rest_steps)
        {
            *step = env.step(Action::Discrete(*action), rng);
        }
    }

    fn observe(&self, observation: &mut [f32]) {
        let CartPoleState { x, x_dot, theta, theta_dot } = self.state;
        observation.copy_from_slice(&[x as f32, x_dot as f32, theta as f32, theta_dot as f32]);
    }

    fn save(&self, writer: &mut StateWriter) {
        let CartPoleState { x, x_dot, theta, theta_dot } = self.state;
        for value in [x, x_dot, theta, theta_dot] {
            writer.f64(value);
        }
    }

    fn restore(&mut self, reader: &mut StateReader<'_>) -> Result<(), StateError> {
        self.state = CartPoleState {
            x: reader.finite_f64()?,
            x_dot: reader.finite_f64()?,
            theta: reader.finite_f64()?,
            theta_dot: reader.finite_f64()?,
        };
        Ok(())
    }

    fn can_go_on(&self) -> bool {
        !self.state.is_terminal()
    }

    fn scene(&self) -> Option<Scene> {
        // Metres; the cart's axle runs at height 0.
        const TRACK: f32 = -0.13;
        let (x, theta) = (self.state.x as f32, self.state.theta);
        let (sin, cos) = math::sin_cos(theta);
        let pole_length = 2.0 * HALF_LENGTH as f32;
        let tip = (x + pole_length * sin as f32, pole_length * cos as f32);
        let edge = POSITION_LIMIT as f32;
        let post = |x| Shape::Line { from: (x, TRACK - 0.06), to: (x, TRACK + 0.06), width: 0.03, color: TRACK_COLOR };
        let wheel = |x| Shape::Circle { center: (x, TRACK), radius: 0.06, color: WHEEL_COLOR };
        Some(Scene {
            view: View { left: -2.6, right: 2.6, bottom: -0.6, top: 1.4 },
            background: Color(255, 255, 255),
            shapes: vec![
                Shape::Line { from: (-edge, TRACK), to: (edge, TRACK), width: 0.02, color: TRACK_COLOR },
                post(-edge),
                post(edge),
                Shape::Rectangle { min: (x - 0.22, TRACK), max: (x + 0.22, 0.06), color: CART_COLOR },
                wheel(x - 0.13),
                wheel(x + 0.13),
                Shape::Line { from: (x, 0.0), to: tip, width: 0.08, color: POLE_COLOR },
                Shape::Circle { center: (x, 0.0), radius: 0.035, color: AXLE_COLOR },
            ],
        })
    }
}

const TRACK_COLOR: Color = Color(90, 96, 110);
const CART_COLOR: Color = Color(38, 50, 72);
const WHEEL_COLOR: Color = Color(90, 96, 110);
const POLE_COLOR: Color = Color(202, 152, 101);
const AXLE_COLOR: Color = Color(129, 132, 203);
