//! Steps of environments: `cargo bench -p requel-envs`. `cargo xtask bench` compares these figures with the targets.
//!
//! Actions are drawn beforehand, at random, so that episodes are short and resets count; times are per environment and step.

#![forbid(unsafe_code)]

mod stopwatch;

use std::hint::black_box;

use requel_envs::{Action, Env, EnvOptions, OptionValue, Step, VectorEnv, make, make_with};
use stopwatch::{Timing, print};

fn main() {
    print("step of CartPole-v1, vector of 16", &vector("CartPole-v1", 16));
    for id in requel_envs::specs().iter().map(|spec| spec.id.as_str()) {
        print(&format!("step of {id}, one environment"), &single(id));
        print(&format!("step of {id}, vector of 1024"), &vector(id, 1024));
    }
}

/// An environment of the registry; continuous actions in five values.
fn env(id: &str) -> Box<dyn Env> {
    let discretized = || make_with(id, &EnvOptions::from([("discretize".to_owned(), OptionValue::Int(5))]));
    let env = make(id).expect("an environment of the registry");
    if env.action_space().discrete_n().is_some() { env } else { discretized().expect("an option of the environment") }
}

/// One environment behind `make`, as a user has it.
fn single(id: &str) -> Timing {
    const STEPS: usize = 256;
    let mut env = env(id);
    let mut observation = vec![0.0; env.observation_len()];
    env.reset(Some(0), &mut observation).expect("an environment can be reset");
    let mut actions = random_actions(env.action_space().discrete_n().expect("discrete actions"));
    Timing::of(STEPS, || {
        for _ in 0..STEPS {
            let step = env.step(Action::Discrete(actions()), &mut observation).expect("a valid action");
            if step.ended() {
                env.reset(None, &mut observation).expect("an environment can be reset");
            }
        }
        black_box(&observation);
    })
}

/// Environments side by side, as a trainer has them.
fn vector(id: &str, envs: usize) -> Timing {
    let mut env = VectorEnv::new((0..envs).map(|_| env(id)).collect()).expect("environments alike");
    let mut observations = vec![0.0; envs * env.observation_len()];
    let mut next_observations = observations.clone();
    let mut steps = vec![Step::default(); envs];
    env.reset(0, &mut observations).expect("environments can be reset");
    let mut draw = random_actions(env.action_space().discrete_n().expect("discrete actions"));
    let batches: Vec<Vec<usize>> = (0..64).map(|_| (0..envs).map(|_| draw()).collect()).collect();
    let mut next = 0;
    Timing::of(envs, || {
        next = (next + 1) % batches.len();
        env.step(&batches[next], &mut steps, &mut next_observations, &mut observations).expect("valid actions");
        black_box(&observations);
    })
}

/// Actions from 0 to below `count`, the same in every run, from a table made beforehand.
fn random_actions(count: usize) -> impl FnMut() -> usize {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let table: Vec<usize> = (0..4096)
        .map(|_| {
            // Xorshift, Marsaglia (2003): good enough to make no pattern that a branch predictor learns.
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 32) as usize % count
        })
        .collect();
    let mut next = 0;
    move || {
        next = (next + 1) % table.len();
        table[next]
    }
}
