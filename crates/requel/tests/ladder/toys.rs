//! Small environments are learned to the optimum, for every seed that is tried.

use requel::Trainer;
use requel::config::Config;
use requel_envs::{
    Action, Dynamics, EnvSpec, GymRng, Simulation, Space, StateError, StateReader, StateWriter, Step, TimeLimit,
};

use crate::support::preset;

const SEEDS: [u64; 3] = [0, 1, 2];

fn quick(settings: &[&str]) -> Config {
    let quick = [
        "train.episodes=0",
        "train.every_steps=1",
        "network.hidden=[32]",
        "optimizer.learning_rate=3e-3",
        "target.kind=hard",
        "target.every_updates=50",
        "exploration.kind=linear",
        "exploration.start=1",
        "exploration.env_steps=1000",
        "evaluation.every_episodes=0",
        "evaluation.final_episodes=50",
        "evaluation.max_episode_steps=200",
    ];
    preset("notebook", &[&quick, settings].concat())
}

/// Mean return of the final policy, not of the best one.
fn final_return(mut trainer: Trainer) -> f64 {
    trainer.run(&mut ()).unwrap().final_evaluation.mean_return()
}

fn learns(settings: &[&str], optimum: f64) {
    for seed in SEEDS {
        let seed = format!("train.seed={seed}");
        let trainer = Trainer::new(quick(&[settings, &[&seed]].concat())).unwrap();
        assert_eq!(final_return(trainer), optimum, "{settings:?} {seed}");
    }
}

#[test]
fn names_the_symbol_that_is_shown() {
    learns(&["env.id=Toy/Identity-v0", "train.env_steps=1500"], 20.0);
}

#[test]
fn catches_the_ball() {
    learns(&["env.id=Toy/Catch-v0", "env.options.rows=6", "train.env_steps=4000"], 1.0);
}

#[test]
fn chooses_at_once_where_the_first_step_is_the_last() {
    learns(&["env.id=Toy/Chain-v0", "env.options.length=2", "train.env_steps=600"], 1.0);
}

#[test]
fn learns_with_several_environments_double_soft_and_huber() {
    let settings = ["target.kind=soft", "target.every_updates=1", "target.tau=0.02", "agent.double=true"];
    let more = ["loss.kind=huber", "train.num_envs=3", "env.id=Toy/Identity-v0", "train.env_steps=1500"];
    learns(&[settings, more].concat(), 20.0);
}

/// A corridor of rooms; the observation is the number of the room, the reward is at the far end.
#[derive(Clone)]
struct Rooms {
    at: usize,
}

const ROOMS: usize = 6;

impl Dynamics for Rooms {
    fn reset(&mut self, _: &mut GymRng) {
        self.at = 0;
    }

    fn step(&mut self, action: Action<'_>, _: &mut GymRng) -> Step {
        self.at = if action == Action::Discrete(2) { self.at + 1 } else { self.at.saturating_sub(1) };
        let terminated = self.at + 1 == ROOMS;
        Step { reward: if terminated { 1.0 } else { -0.05 }, terminated, truncated: false }
    }

    fn observe(&self, observation: &mut [f32]) {
        observation[0] = self.at as f32;
    }

    fn save(&self, writer: &mut StateWriter) {
        writer.index(self.at);
    }

    fn restore(&mut self, reader: &mut StateReader<'_>) -> Result<(), StateError> {
        self.at = reader.index(ROOMS)?;
        Ok(())
    }
}

/// Discrete observations reach the network one-hot: as bare numbers they would not be told apart by one small layer so
/// soon, and the network's width says which it is.
#[test]
fn learns_where_observations_are_discrete() {
    for seed in SEEDS {
        let spec = EnvSpec { frames_per_second: 1.0, ..EnvSpec::new("Rooms") };
        let (rooms, actions) = (Space::Discrete { n: ROOMS }, Space::Discrete { n: 3 });
        let env = TimeLimit::new(Simulation::new(spec, rooms, actions, Rooms { at: 0 }), 50).unwrap();
        let config = quick(&[&format!("train.seed={seed}"), "train.env_steps=3000"]);
        let trainer = Trainer::with_envs(config, Box::new(move || Ok(Box::new(env.clone())))).unwrap();
        assert_eq!(trainer.value_network().unwrap().network.input_len(), ROOMS);
        let optimum = 1.0 - 0.05 * (ROOMS - 2) as f64;
        assert!((final_return(trainer) - optimum).abs() < 1e-9, "seed {seed}");
    }
}
