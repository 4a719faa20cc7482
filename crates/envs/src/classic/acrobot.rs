//! [`Acrobot`], `Acrobot-v1`.

use std::f64::consts::PI;

use crate::entry::{Entry, MadeEnv};
use crate::options::{OptionDefault, OptionSpec, Options};
use crate::{
    Action, Color, DType, Dynamics, EnvSpec, GymRng, Scene, Shape, Simulation, Space, StateError, StateReader,
    StateWriter, Step, View, math,
};

const STEP_SECONDS: f64 = 0.2;
const LINK_LENGTH: f64 = 1.0; // m, of either link
const LINK_MASS: f64 = 1.0; // kg
const LINK_CENTER: f64 = 0.5; // m, from the joint to the centre of mass
const LINK_INERTIA: f64 = 1.0; // kg m²
const GRAVITY: f64 = 9.8; // m/s²
const MAX_SPEED_1: f64 = 4.0 * PI; // rad/s
const MAX_SPEED_2: f64 = 9.0 * PI;

pub(crate) const ENVS: &[Entry] = &[Entry {
    id: "Acrobot-v1",
    max_episode_steps: Some(500),
    reward_threshold: Some(-100.0),
    reward_range: Some((-1.0, 0.0)),
    frames_per_second: 15.0,
    action_names: &["torque -1 N m", "no torque", "torque 1 N m"],
    observation_names: &[
        "cos angle 1",
        "sin angle 1",
        "cos angle 2",
        "sin angle 2",
        "angular velocity 1",
        "angular velocity 2",
    ],
    metrics: &[],
    options: &[
        OptionSpec::new(
            "book_or_nips",
            OptionDefault::Text("book"),
            "equations of motion of the `book` or of the `nips` paper",
        ),
        OptionSpec::float("torque_noise_max", 0.0, "noise on the torque, uniform within ± this, N m"),
    ],
    build,
}];

fn build(spec: EnvSpec, options: &Options<'_>) -> MadeEnv {
    let high = [1.0, 1.0, 1.0, 1.0, MAX_SPEED_1 as f32, MAX_SPEED_2 as f32].to_vec();
    let low = high.iter().map(|bound| -bound).collect();
    let space = Space::Box { low, high, shape: vec![6], dtype: DType::F32 };
    let acrobot = Acrobot {
        joints: [0.0; 4],
        at_start: true,
        from_paper: options.choice("book_or_nips", &["book", "nips"])? == "nips",
        torque_noise: options.float("torque_noise_max", 0.0..=100.0)?,
    };
    Ok(Box::new(Simulation::new(spec, space, Space::Discrete { n: 3 }, acrobot)))
}

/// Two links hang from a fixed joint like a gymnast from a bar; torque on the joint between them has to swing the free
/// end above the height of one link.
///
/// **Actions**: `Discrete(3)`: torque of −1, 0 or 1 N m on the joint between the links, for 0.2 s.
///
/// **Observation**: `Box(6)`: cosine and sine of the angle of the first link (0 hanging down), cosine and sine of the angle
/// of the second link relative to the first, and the two angular velocities, within ±4π and ±9π rad/s.
///
/// **Reward**: −1 for each step, 0 for the one that reaches the height.
///
/// **Start**: both angles and velocities uniform in ±0.1.
///
/// **End**: terminated when the free end is above the bar by more than the length of a link; truncated after 500 steps.
/// Solved at a mean return of −100 over 100 episodes.
///
/// **Source**: R. S. Sutton, *Generalization in Reinforcement Learning: Successful Examples Using Sparse Coarse Coding* (1996), whose
/// equations of motion are the option `nips`; those of Sutton and Barto, *Reinforcement Learning: An Introduction* (2018), are `book`.
/// Constants, order of operations and the fourth-order Runge–Kutta step are those of Gymnasium 1.4. The original's sines and squares are
/// those of the C library, whose last bit is wrong once in some hundred calls; after some hundred steps the motion makes that visible: of
/// 60 random episodes with fresh seeds 49 were equal to the last bit and 11 differed from some step on, one seen since by 8 · 10⁻⁵; the
/// first 100 steps were equal in 150 of 150.
#[derive(Clone, Debug)]
pub struct Acrobot {
    /// Angles of the links (rad), then their angular velocities (rad/s).
    joints: [f64; 4],
    /// Before the first step, when the state has single precision and the original observes it that way.
    at_start: bool,
    from_paper: bool,
    torque_noise: f64,
}

impl Acrobot {
    fn derivative(&self, [theta_1, theta_2, speed_1, speed_2]: [f64; 4], torque: f64) -> [f64; 4] {
        const LEVER: f64 = LINK_MASS * LINK_LENGTH * LINK_CENTER;
        const CENTER_SQUARED: f64 = LINK_CENTER * LINK_CENTER;
        let (sin_2, cos_2) = math::sin_cos(theta_2);
        let cos = |angle| math::sin_cos(angle).1;

        let lengths = LINK_LENGTH * LINK_LENGTH + CENTER_SQUARED + 2.0 * LINK_LENGTH * LINK_CENTER * cos_2;
        let d_1 = LINK_MASS * CENTER_SQUARED + LINK_MASS * lengths + LINK_INERTIA + LINK_INERTIA;
        let d_2 = LINK_MASS * (CENTER_SQUARED + LINK_LENGTH * LINK_CENTER * cos_2) + LINK_INERTIA;
        let phi_2 = LINK_MASS * LINK_CENTER * GRAVITY * cos(theta_1 + theta_2 - PI / 2.0);
        let phi_1 = -LEVER * (speed_2 * speed_2) * sin_2 - 2.0 * LEVER * speed_2 * speed_1 * sin_2
            + (LINK_MASS * LINK_CENTER + LINK_MASS * LINK_LENGTH) * GRAVITY * cos(theta_1 - PI / 2.0)
            + phi_2;
        let mut push = torque + d_2 / d_1 * phi_1;
        if !self.from_paper {
            push -= LEVER * (speed_1 * speed_1) * sin_2;
        }
        let acceleration_2 = (push - phi_2) / (LINK_MASS * CENTER_SQUARED + LINK_INERTIA - d_2 * d_2 / d_1);
        let acceleration_1 = -(d_2 * acceleration_2 + phi_1) / d_1;
        [speed_1, speed_2, acceleration_1, acceleration_2]
    }

    /// Whether the free end is above the bar by more than the length of a link.
    fn is_up(&self) -> bool {
        let cos = |angle| math::sin_cos(angle).1;
        -cos(self.joints[0]) - cos(self.joints[1] + self.joints[0]) > 1.0
    }

    /// One step of the classical Runge–Kutta method of fourth order.
    fn integrated(&self, torque: f64) -> [f64; 4] {
        let start = self.joints;
        let moved = |by: f64, along: [f64; 4]| [0, 1, 2, 3].map(|i| start[i] + by * along[i]);
        let half = STEP_SECONDS / 2.0;
        let k1 = self.derivative(start, torque);
        let k2 = self.derivative(moved(half, k1), torque);
        let k3 = self.derivative(moved(half, k2), torque);
        let k4 = self.derivative(moved(STEP_SECONDS, k3), torque);
        moved(STEP_SECONDS / 6.0, [0, 1, 2, 3].map(|i| k1[i] + 2.0 * k2[i] + 2.0 * k3[i] + k4[i]))
    }
}

impl Dynamics for Acrobot {
    fn reset(&mut self, rng: &mut GymRng) {
        self.joints = [(); 4].map(|()| f64::from(rng.uniform(-0.1, 0.1) as f32));
        self.at_start = true;
    }

    fn step(&mut self, action: Action<'_>, rng: &mut GymRng) -> Step {
        let mut torque = match action {
            Action::Discrete(0) => -1.0,
            Action::Discrete(2) => 1.0,
            _ => 0.0,
        };
        if self.torque_noise > 0.0 {
            torque += rng.uniform(-self.torque_noise, self.torque_noise);
        }
        let [theta_1, theta_2, speed_1, speed_2] = self.integrated(torque);
        self.joints = [
            wrapped(theta_1),
            wrapped(theta_2),
            speed_1.clamp(-MAX_SPEED_1, MAX_SPEED_1),
            speed_2.clamp(-MAX_SPEED_2, MAX_SPEED_2),
        ];
        self.at_start = false;
        let terminated = self.is_up();
        Step { reward: if terminated { 0.0 } else { -1.0 }, terminated, truncated: false }
    }

    fn observe(&self, observation: &mut [f32]) {
        let [theta_1, theta_2, speed_1, speed_2] = self.joints;
        let sin_cos = |angle: f64| {
            if self.at_start {
                return math::sin_cos_f32(angle as f32);
            }
            let (sin, cos) = math::sin_cos(angle);
            (sin as f32, cos as f32)
        };
        let ((sin_1, cos_1), (sin_2, cos_2)) = (sin_cos(theta_1), sin_cos(theta_2));
        observation.copy_from_slice(&[cos_1, sin_1, cos_2, sin_2, speed_1 as f32, speed_2 as f32]);
    }

    fn save(&self, writer: &mut StateWriter) {
        for number in self.joints {
            writer.f64(number);
        }
        writer.bool(self.at_start);
    }

    fn restore(&mut self, reader: &mut StateReader<'_>) -> Result<(), StateError> {
        for (number, bound) in self.joints.iter_mut().zip([PI, PI, MAX_SPEED_1, MAX_SPEED_2]) {
            *number = reader.f64_in(-bound..=bound)?;
        }
        self.at_start = reader.bool()?;
        Ok(())
    }

    fn can_go_on(&self) -> bool {
        !self.is_up()
    }

    fn scene(&self) -> Option<Scene> {
        let [theta_1, theta_2, ..] = self.joints;
        let end = |from: (f32, f32), angle: f64| {
            let (sin, cos) = math::sin_cos(angle);
            (from.0 + (LINK_LENGTH * sin) as f32, from.1 - (LINK_LENGTH * cos) as f32)
        };
        let elbow = end((0.0, 0.0), theta_1);
        let tip = end(elbow, theta_1 + theta_2);
        let link = |from, to| Shape::Line { from, to, width: 0.18, color: Color(0, 158, 115) };
        let joint = |center| Shape::Circle { center, radius: 0.1, color: Color(230, 159, 0) };
        let height = LINK_LENGTH as f32;
        Some(Scene {
            view: View { left: -2.2, right: 2.2, bottom: -2.2, top: 2.2 },
            background: Color(255, 255, 255),
            shapes: vec![
                Shape::Line { from: (-2.2, height), to: (2.2, height), width: 0.03, color: Color(160, 166, 178) },
                link((0.0, 0.0), elbow),
                link(elbow, tip),
                joint((0.0, 0.0)),
                joint(elbow),
                Shape::Circle { center: tip, radius: 0.06, color: Color(213, 94, 0) },
            ],
        })
    }
}

/// `angle` moved into ±π by whole turns, one by one as in the original: each subtraction rounds.
fn wrapped(mut angle: f64) -> f64 {
    const TURN: f64 = PI - -PI;
    while angle > PI {
        angle -= TURN;
    }
    while angle < -PI {
        angle += TURN;
    }
    angle
}
