//! Work to be counted, not timed: `instructions WORK TIMES` repeats one piece of the hot path TIMES times and prints
//! nothing. `cargo xtask test instructions` runs it under valgrind twice, with different counts, so that what a piece
//! costs is the difference and the start of the program drops out.

#![forbid(unsafe_code)]

use std::hint::black_box;
use std::process::ExitCode;

use requel::config::Layers;
use requel::replay::{RecordLayout, ReplayBuffer, Sampling, UniformReplay};
use requel::{Agent, Batch, Config, DqnAgent, Experience, Machine, Masks, Trainer, Transition};
use requel_envs::{Action, DType, Env, Space, Step, make};

/// One piece, repeated this many times.
type Work = fn(usize);

/// The pieces, by the names under which their counts are committed.
const WORKS: &[(&str, Work)] = &[
    ("update", update),
    ("update-minatar", update_minatar),
    ("update-nature", update_nature),
    ("act", act),
    ("sample-32", sample),
    ("add", add),
    ("env-step", env_step),
    ("train-step", train_step),
    ("pqn-rollout", pqn_rollout),
];

fn main() -> ExitCode {
    // `cargo bench` adds an argument of its own.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let work = arguments.first().and_then(|name| WORKS.iter().find(|(known, _)| known == name));
    let times = arguments.get(1).and_then(|times| times.parse().ok());
    match (work, times) {
        (Some((_, run)), Some(times)) => {
            run(times);
            ExitCode::SUCCESS
        }
        _ => {
            let names: Vec<&str> = WORKS.iter().map(|(name, _)| *name).collect();
            eprintln!("usage: instructions WORK TIMES; works: {}", names.join(", "));
            ExitCode::from(2)
        }
    }
}

/// An update of the notebook's agent (4-64-64-2, batch 32): sample, forward, target, loss, backward, Adam.
fn update(times: usize) {
    let mut agent = agent(&["train.every_steps=1"]);
    for step in 0..1_000 {
        let observation = [step as f32 * 1e-3, 0.1, 0.2, 0.3];
        agent.observe(&Experience {
            slot: 0,
            observation: &observation,
            mask: None,
            action: (step & 1) as usize,
            step: Step { reward: 1.0, terminated: false, truncated: false },
            next_observation: &observation,
            next_mask: None,
        });
    }
    for step in 0..times as u64 {
        black_box(agent.learn(step, step + 1)).expect("it learns");
    }
}

/// An update of the preset `minatar-dqn`: 10 × 10 × 4 flags, one convolution, batch 32.
fn update_minatar(times: usize) {
    images(times, config("minatar-dqn", &["replay.start=64"]), [10, 10, 4], DType::Bool);
}

/// An update of the same with stacked screens and the network of Mnih et al. 2015: 84 × 84 × 4 bytes, three convolutions.
fn update_nature(times: usize) {
    let nature = ["env.frame_stack=4", "network.conv=[[32, 8, 4], [64, 4, 2], [64, 3, 1]]", "network.hidden=[512]"];
    images(times, config("minatar-dqn", &[&["replay.start=64"], &nature[..]].concat()), [84, 84, 4], DType::U8);
}

/// Updates from images whose last axis is a stack of frames.
fn images(times: usize, mut config: Config, shape: [usize; 3], dtype: DType) {
    (config.train.every_steps, config.replay.capacity) = (1, 1_000);
    let most: u8 = if dtype == DType::Bool { 1 } else { 255 };
    let (len, high) = (shape.iter().product(), f32::from(most));
    let space = Space::Box { low: vec![0.0; len], high: vec![high; len], shape: shape.to_vec(), dtype };
    let mut agent = config.dqn_agent(&space, 4, &machine()).expect("an agent for images");
    let image = |step: usize| -> Vec<f32> {
        let number = |at: usize| (at / shape[2] * 7 + (at % shape[2] + step) * 131) % (usize::from(most) + 1);
        (0..len).map(|at| number(at) as f32).collect()
    };
    let mut observation = image(0);
    for step in 1..=65 {
        let next_observation = image(step);
        agent.observe(&Experience {
            slot: 0,
            observation: &observation,
            mask: None,
            action: step % 4,
            step: Step { reward: 1.0, terminated: false, truncated: false },
            next_observation: &next_observation,
            next_mask: None,
        });
        observation = next_observation;
    }
    for step in 0..times as u64 {
        black_box(agent.learn(step, step + 1)).expect("it learns");
    }
}

/// A greedy action of the notebook's agent.
fn act(times: usize) {
    let mut agent = agent(&["exploration.start=0.0", "exploration.end=0.0"]);
    let mut actions = [0];
    for step in 0..times {
        agent.act(&[step as f32 * 1e-3, 0.1, 0.2, 0.3], Masks::ALL, 0, &mut actions).expect("it acts");
        black_box(&actions);
    }
}

/// A batch of 32 drawn from 50 000 CartPole transitions.
fn sample(times: usize) {
    let mut replay = full_replay();
    let (mut batch, mut observations, mut next) = (Batch::new(32), [0.0; 32 * 4], [0.0; 32 * 4]);
    for _ in 0..times {
        replay.sample(&mut batch.with_observations(&mut observations, &mut next));
        black_box((&batch, &observations, &next));
    }
}

/// A CartPole transition stored where the buffer is full.
fn add(times: usize) {
    let mut replay = full_replay();
    for step in 0..times as u32 {
        replay.push(&transition(&[step as f32, 0.1, 0.2, 0.3], step));
    }
    black_box(replay.len());
}

/// A step of CartPole behind `make`, with the resets between episodes.
fn env_step(times: usize) {
    let mut env = make("CartPole-v1").expect("an environment of the registry");
    let mut observation = [0.0; 4];
    env.reset(Some(0), &mut observation).expect("an environment can be reset");
    for step in 0..times {
        let action = Action::Discrete(usize::from(step % 3 == 0) ^ (step & 1));
        if env.step(action, &mut observation).expect("a valid action").ended() {
            env.reset(None, &mut observation).expect("an environment can be reset");
        }
    }
    black_box(&observation);
}

/// An env step of training at the notebook's settings, everything included but evaluation.
fn train_step(times: usize) {
    let settings = ["train.episodes=0", "train.env_steps=1_000_000_000_000", "evaluation.every_episodes=0"];
    // It learns from the 201st step on.
    train(config("notebook", &settings), 300 + times);
}

/// A rollout of the preset `pqn` (32 steps of 32 environments, 32 updates of a network with layer normalisation),
/// everything included but evaluation.
fn pqn_rollout(times: usize) {
    let settings = ["train.env_steps=1_000_000_000_000", "evaluation.every_steps=1_000_000_000_000"];
    let config = config("pqn", &settings);
    let steps = times * config.pqn.rollout_steps;
    train(config, steps);
}

fn train(config: Config, steps: usize) {
    let mut trainer = Trainer::new(config).expect("the preset can be trained");
    for _ in 0..steps {
        trainer.advance(&mut ()).expect("training goes on");
    }
    black_box(trainer.env_steps());
}

fn full_replay() -> UniformReplay {
    const CAPACITY: u32 = 50_000;
    let mut replay = UniformReplay::new(CAPACITY as usize, RecordLayout::f32(4), Sampling::WithoutReplacement, 0)
        .expect("CartPole transitions fit the memory");
    (0..CAPACITY).for_each(|step| replay.push(&transition(&[step as f32, 0.1, 0.2, 0.3], step)));
    replay
}

fn transition(observation: &[f32; 4], step: u32) -> Transition<'_> {
    let (action, next_observation) = (step & 1, observation);
    Transition { observation, mask: None, action, reward: 1.0, discount: 0.9, next_observation, next_mask: None }
}

fn agent(settings: &[&str]) -> DqnAgent {
    let high = vec![f32::INFINITY; 4];
    let space = Space::Box { low: high.iter().map(|bound| -bound).collect(), high, shape: vec![4], dtype: DType::F32 };
    config("notebook", settings).dqn_agent(&space, 2, &machine()).expect("an agent for CartPole")
}

fn config(preset: &str, settings: &[&str]) -> Config {
    let layers = Layers::new().preset(preset).expect("a preset");
    let layers = settings.iter().try_fold(layers, |layers, setting| layers.set(setting));
    layers.and_then(|layers| layers.resolve()).expect("settings of the preset")
}

/// With the kernel that `REQUEL_KERNEL` names: counts are of one kernel.
fn machine() -> Machine {
    Machine::detect().expect("REQUEL_KERNEL names a kernel of this machine")
}
