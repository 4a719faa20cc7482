//! `Screen-v0`: pictures of 84 × 84 bytes, as Atari games show them, in which a ball is to be caught.

use requel_envs::{
    Action, DType, Dynamics, Env, EnvSpec, GymRng, Simulation, Space, StateError, StateReader, StateWriter, Step,
};

/// Pixels of a side.
const SIDE: u32 = 84;
/// Pixels that the ball falls and the paddle moves in a step, and half of the paddle.
const FALL: u32 = 6;
const MOVE: u32 = 6;
const HALF: u32 = 7;
/// Balls of an episode.
const BALLS: u32 = 3;

/// What `requel` trains in as `Screen-v0`. With `env.frame_stack=4` an observation is what Mnih et al. 2015 show a network.
pub fn screen() -> Box<dyn Env> {
    let pixels = (SIDE * SIDE) as usize;
    let (low, high) = (vec![0.0; pixels], vec![255.0; pixels]);
    let shown = Space::Box { low, high, shape: vec![SIDE as usize, SIDE as usize, 1], dtype: DType::U8 };
    let spec = EnvSpec { reward_range: Some((-1.0, 1.0)), ..EnvSpec::new("Screen-v0") };
    Box::new(Simulation::new(spec, shown, Space::Discrete { n: 6 }, Screen::default()))
}

#[derive(Clone, Default)]
struct Screen {
    /// Where the ball is, from the left and from the top, and where the middle of the paddle is.
    ball: (u32, u32),
    paddle: u32,
    /// Balls that have fallen.
    fallen: u32,
}

impl Screen {
    fn throw(&mut self, rng: &mut GymRng) {
        self.ball = ((rng.uniform(0.0, f64::from(SIDE)) as u32).min(SIDE - 1), 0);
    }
}

impl Dynamics for Screen {
    fn reset(&mut self, rng: &mut GymRng) {
        (self.paddle, self.fallen) = (SIDE / 2, 0);
        self.throw(rng);
    }

    fn step(&mut self, action: Action<'_>, rng: &mut GymRng) -> Step {
        if let Action::Discrete(action) = action {
            // Two of the six move it, as in games where most buttons do nothing.
            match action {
                2 => self.paddle = (self.paddle + MOVE).min(SIDE - 1),
                3 => self.paddle = self.paddle.saturating_sub(MOVE),
                _ => {}
            }
        }
        self.ball.1 += FALL;
        if self.ball.1 < SIDE {
            return Step::default();
        }
        let reward = if self.ball.0.abs_diff(self.paddle) <= HALF { 1.0 } else { -1.0 };
        self.fallen += 1;
        self.throw(rng);
        Step { reward, terminated: self.fallen == BALLS, truncated: false }
    }

    fn observe(&self, observation: &mut [f32]) {
        observation.fill(0.0);
        let mut paint = |x: u32, y: u32, value: f32| {
            if x < SIDE && y < SIDE {
                observation[(y * SIDE + x) as usize] = value;
            }
        };
        for x in 0..4 {
            (0..4).for_each(|y| paint(self.ball.0 + x, self.ball.1 + y, 255.0));
        }
        for x in self.paddle.saturating_sub(HALF)..self.paddle + HALF {
            (SIDE - 3..SIDE).for_each(|y| paint(x, y, 128.0));
        }
    }

    fn save(&self, writer: &mut StateWriter) {
        [self.ball.0, self.ball.1, self.paddle, self.fallen].into_iter().for_each(|number| writer.u32(number));
    }

    fn restore(&mut self, reader: &mut StateReader<'_>) -> Result<(), StateError> {
        self.ball = (reader.u32()?, reader.u32()?);
        (self.paddle, self.fallen) = (reader.u32()?, reader.u32()?);
        Ok(())
    }
}
