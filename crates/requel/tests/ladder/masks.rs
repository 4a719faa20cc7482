//! Masks hold in the target: an action that is not allowed next is worth nothing, however much it would bring, and one that was
//! not allowed at present has no part in Munchausen's policy.

use requel::Trainer;
use requel_envs::{Action, Dynamics, EnvSpec, GymRng, Simulation, Space, StateError, StateReader, StateWriter, Step};

use crate::presets::small;

/// Episodes begin at the fork or in the shop, each half of the time. At the fork one gets 0.3 at once and goes home, or goes on
/// into the shop. There the treasure is worth 1, but whoever came from the fork is not allowed to take it; that cannot be
/// seen in the observation, only in the mask.
#[derive(Clone)]
struct Shop {
    place: Place,
}

#[derive(Clone, Copy, PartialEq)]
enum Place {
    Fork,
    Open,
    Forbidden,
}

const GO_HOME: usize = 0;
const GO_ON: usize = 1;

impl Dynamics for Shop {
    fn reset(&mut self, rng: &mut GymRng) {
        self.place = if rng.random() < 0.5 { Place::Fork } else { Place::Open };
    }

    fn step(&mut self, action: Action<'_>, _: &mut GymRng) -> Step {
        let goes_on = action == Action::Discrete(GO_ON);
        let (reward, terminated) = match self.place {
            Place::Fork => (if goes_on { 0.0 } else { 0.3 }, !goes_on),
            Place::Open | Place::Forbidden => (if goes_on { 1.0 } else { 0.0 }, true),
        };
        assert!(!(goes_on && self.place == Place::Forbidden), "an action that is not allowed");
        self.place = Place::Forbidden;
        Step { reward, terminated, truncated: false }
    }

    fn observe(&self, observation: &mut [f32]) {
        let is_fork = self.place == Place::Fork;
        observation.copy_from_slice(if is_fork { &[1.0, 0.0] } else { &[0.0, 1.0] });
    }

    fn save(&self, writer: &mut StateWriter) {
        writer.index(self.place as usize);
    }

    fn restore(&mut self, reader: &mut StateReader<'_>) -> Result<(), StateError> {
        self.place = [Place::Fork, Place::Open, Place::Forbidden][reader.index(3)?];
        Ok(())
    }

    fn action_mask(&self) -> Option<&[bool]> {
        Some(if self.place == Place::Forbidden { &[true, false] } else { &[true, true] })
    }
}

#[test]
fn what_is_not_allowed_next_is_worth_nothing_now() {
    // λ = 0: what comes next is the network's word alone, as with one step of replay.
    let settings = ["train.env_steps=3000", "agent.n_step=1", "head.v_min=-2", "head.v_max=2", "pqn.lambda=0"];
    let agents = ["dqn", "double-dqn", "per-dqn", "c51", "qr-dqn", "iqn", "munchausen-dqn", "rainbow", "pqn"];
    for name in agents {
        for seed in ["train.seed=0", "train.seed=1"] {
            let low = [0.0; 2].to_vec();
            let space = Space::Box { low, high: vec![1.0; 2], shape: vec![2], dtype: requel_envs::DType::F32 };
            let spec = EnvSpec { frames_per_second: 1.0, ..EnvSpec::new("Shop") };
            let env = Simulation::new(spec, space, Space::Discrete { n: 2 }, Shop { place: Place::Fork });
            let config = small(name, &[&settings[..], &[seed]].concat());
            let mut trainer = Trainer::with_envs(config, Box::new(move || Ok(Box::new(env.clone())))).unwrap();
            trainer.run(&mut ()).unwrap();
            let mut policy = trainer.greedy_policy().unwrap();
            let (fork, shop) =
                (policy.q_values(&[1.0, 0.0]).unwrap().to_vec(), policy.q_values(&[0.0, 1.0]).unwrap().to_vec());
            // A target that ignored the mask would be 0.95 of this at the fork.
            assert!(shop[GO_ON] > 0.8, "{name}, {seed}: {shop:?}");
            assert!(fork[GO_HOME] > fork[GO_ON] + 0.1, "{name}, {seed}: {fork:?}");
            assert_eq!(policy.act(&[1.0, 0.0], None), Ok(GO_HOME));
        }
    }
}

/// Rooms with one, two and three doors of three that are open, each worth 1, and the end behind them.
#[derive(Clone)]
struct Doors {
    room: usize,
}

const OPEN: [[bool; 3]; 3] = [[false, true, false], [true, false, true], [true, true, true]];

impl Dynamics for Doors {
    fn reset(&mut self, rng: &mut GymRng) {
        self.room = (3.0 * rng.random()) as usize;
    }

    fn step(&mut self, _: Action<'_>, _: &mut GymRng) -> Step {
        Step { reward: 1.0, terminated: true, truncated: false }
    }

    fn observe(&self, observation: &mut [f32]) {
        observation.fill(0.0);
        observation[self.room] = 1.0;
    }

    fn save(&self, writer: &mut StateWriter) {
        writer.index(self.room);
    }

    fn restore(&mut self, reader: &mut StateReader<'_>) -> Result<(), StateError> {
        self.room = reader.index(3)?;
        Ok(())
    }

    fn action_mask(&self) -> Option<&[bool]> {
        Some(&OPEN[self.room])
    }
}

/// Of m open doors each is taken with probability 1/m, and is worth 1 + α·τ·ln(1/m). A policy over all three doors would take
/// something off the first room's too.
#[test]
fn munchausens_policy_is_over_what_was_allowed() {
    let constants =
        ["munchausen.alpha=0.5", "munchausen.temperature=0.5", "munchausen.clip=-2", "optimizer.anneal=linear"];
    let heads = ["head.kind=scalar", "head.kind=quantile", "head.kind=implicit-quantile"];
    for head in heads {
        let space =
            Space::Box { low: vec![0.0; 3], high: vec![1.0; 3], shape: vec![3], dtype: requel_envs::DType::F32 };
        let spec = EnvSpec { frames_per_second: 1.0, ..EnvSpec::new("Doors") };
        let env = Simulation::new(spec, space, Space::Discrete { n: 3 }, Doors { room: 0 });
        let settings = ["train.env_steps=4000", "train.num_envs=2", "head.quantiles=5", head];
        let config = small("munchausen-dqn", &[&settings[..], &constants].concat());
        let mut trainer = Trainer::with_envs(config, Box::new(move || Ok(Box::new(env.clone())))).unwrap();
        trainer.run(&mut ()).unwrap();
        let mut policy = trainer.greedy_policy().unwrap();
        for (room, open) in OPEN.iter().enumerate() {
            let mut observation = [0.0; 3];
            observation[room] = 1.0;
            let worth = 1.0 - 0.25 * (1.0 + room as f32).ln();
            for (q, _) in policy.q_values(&observation).unwrap().iter().zip(open).filter(|(_, open)| **open) {
                assert!((q - worth).abs() < 0.03, "{head}, room {room}: {q} in place of {worth}");
            }
        }
    }
}
