//! The parts of an env step of training, and the whole: `cargo bench -p requel --bench hot_path`. `cargo xtask bench` puts
//! these figures beside what is aimed at. Words behind `--` choose measurements by parts of their names:
//! `cargo bench -p requel --bench hot_path -- categorical "update 32, scalar"`.
//!
//! The whole loop is measured without evaluation, past the point at which learning starts.

#![forbid(unsafe_code)]

mod screen;
#[path = "../../../envs/benches/envs/stopwatch.rs"]
mod stopwatch;

use std::hint::black_box;

use requel::config::{ConfigError, Layers};
use requel::replay::{PrioritizedReplay, PrioritySpec, RecordLayout, ReplayBuffer, Sampling, UniformReplay};
use requel::train::EnvFactory;
use requel::{Agent, Batch, Config, DqnAgent, Experience, Machine, Masks, Stream, StreamRng, Trainer, Transition};
use requel_envs::{DType, Space, Step, make};
use screen::screen;
use stopwatch::{Timing, print, print_rate};

fn main() {
    if ["replay add", "replay sample"].iter().any(|name| is_wanted(name)) {
        replay();
    }
    if is_wanted(PRIORITIZED) {
        prioritized_replay();
    }
    for envs in [1, 16, 64] {
        act(envs);
    }
    learn();
    heads();
    train("notebook", config("notebook", &[]));
    train("cartpole-zoo", config("cartpole-zoo", &[]));
    // The networks S4 and S5 of the kernels' benchmark, in the notebook's loop: batch 32, an update every 4 env steps.
    let minatar = ["env.id=\"MinAtar/Breakout-v1\"", "network.conv=[[16, 3, 1]]", "network.hidden=[128]"];
    train("S4 learner, MinAtar/Breakout-v1", config("notebook", &minatar));
    let nature = ["network.conv=[[32, 8, 4], [64, 4, 2], [64, 3, 1]]", "network.hidden=[512]"];
    train_in("S5 learner, 84 × 84 × 4 bytes", config("notebook", &nature), Box::new(|| Ok(screen())));
}

/// Whether a measurement was asked for: whether its name has a part of one of the arguments, where there are any.
fn is_wanted(name: &str) -> bool {
    let mut parts = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).peekable();
    parts.peek().is_none() || parts.any(|part| name.contains(&part))
}

/// CartPole transitions in a ring of a million, full.
fn replay() {
    const CAPACITY: usize = 1_000_000;
    const ADDED: usize = 64;
    let mut replay = UniformReplay::new(CAPACITY, RecordLayout::f32(4), Sampling::WithoutReplacement, 0)
        .expect("a million CartPole transitions fit the memory");
    let mut count = 0;
    let mut add = |replay: &mut UniformReplay, transitions: usize| {
        for _ in 0..transitions {
            count += 1;
            let observation = [count as f32, 0.1, 0.2, 0.3];
            let next_observation = [count as f32 + 1.0, 0.1, 0.2, 0.3];
            replay.push(&Transition {
                observation: &observation,
                mask: None,
                action: count & 1,
                reward: 1.0,
                discount: 0.9,
                next_observation: &next_observation,
                next_mask: None,
            });
        }
    };
    add(&mut replay, CAPACITY);
    print("replay add, capacity 1e6", &Timing::of(ADDED, || add(&mut replay, ADDED)));
    for rows in [32, 256] {
        let mut batch = Batch::new(rows);
        let (mut observations, mut next) = (vec![0.0; rows * 4], vec![0.0; rows * 4]);
        let timing = Timing::of(1, || {
            replay.sample(&mut batch.with_observations(&mut observations, &mut next));
            black_box((&batch, &observations, &next));
        });
        print(&format!("replay sample {rows}, capacity 1e6"), &timing);
    }
}

const PRIORITIZED: &str = "prioritized sample 32 + update, capacity 1e6";

/// The same drawn by priorities (α = 0.6), which change with each batch.
fn prioritized_replay() {
    const CAPACITY: usize = 1_000_000;
    const ROWS: usize = 32;
    let spec = PrioritySpec { alpha: 0.6, epsilon: 1e-6, cap: 1000.0 };
    let mut replay = PrioritizedReplay::new(CAPACITY, RecordLayout::f32(4), spec, 0)
        .expect("a million CartPole transitions fit the memory");
    for count in 0..CAPACITY as u32 {
        let observation = &[count as f32, 0.1, 0.2, 0.3];
        replay.push(&Transition {
            observation,
            mask: None,
            action: count & 1,
            reward: 1.0,
            discount: 0.9,
            next_observation: observation,
            next_mask: None,
        });
    }
    let (mut batch, mut observations, mut next) = (Batch::new(ROWS), [0.0; ROWS * 4], [0.0; ROWS * 4]);
    let (mut errors, mut numbers) = ([0.0; ROWS], StreamRng::new(0, Stream::Exploration { slot: 0 }));
    let timing = Timing::of(1, || {
        replay.sample(&mut batch.with_observations(&mut observations, &mut next));
        black_box((&batch, &observations, &next));
        errors.fill_with(|| numbers.uniform());
        replay.update_priorities(&batch.indices, &errors);
    });
    print(PRIORITIZED, &timing);
}

/// Choosing actions with the notebook's network, without exploration, for this many environments at once.
fn act(envs: usize) {
    let name = format!("act for {envs} environments, 4-64-64-2");
    if !is_wanted(&name) {
        return;
    }
    let mut agent = agent(&["exploration.start=0.0", "exploration.end=0.0", &format!("train.num_envs={envs}")]);
    let observations = vec![0.01; envs * 4];
    let mut actions = vec![0; envs];
    let timing = Timing::of(1, || {
        agent.act(&observations, Masks::ALL, 0, &mut actions).expect("it acts");
        black_box(&actions);
    });
    print(&name, &timing);
}

/// One update of the notebook's agent: sample, forward, target, loss, backward, Adam.
fn learn() {
    update("update of the notebook agent, sampling included", &[]);
}

/// One update of the notebook's agent with settings.
fn update(name: &str, settings: &[&str]) {
    if !is_wanted(name) {
        return;
    }
    let mut agent = agent(&[&["train.every_steps=1"], settings].concat());
    for step in 0..2_000 {
        let observation = [step as f32 * 1e-3, 0.1, 0.2, 0.3];
        agent.observe(&Experience {
            slot: 0,
            observation: &observation,
            mask: None,
            action: step & 1,
            step: Step { reward: 1.0, terminated: false, truncated: false },
            next_observation: &observation,
            next_mask: None,
        });
    }
    let mut env_steps = 2_000;
    let timing = Timing::of(1, || {
        black_box(agent.learn(env_steps, env_steps + 1)).expect("it learns");
        env_steps += 1;
    });
    print(name, &timing);
}

/// One update of the same network, 4-64-64-2, and the same batch of 32, with each head and with each part that a learner can
/// have, all with a target network.
fn heads() {
    let target = ["target.kind=hard", "target.every_updates=1000"];
    let learners: [(&str, &[&str]); 8] = [
        ("scalar", &[]),
        ("scalar, double", &["agent.double=true"]),
        ("scalar, dueling", &["network.dueling=true"]),
        ("scalar, noisy", &["network.noisy=true"]),
        ("scalar, prioritized", &["replay.kind=prioritized"]),
        ("categorical 51", &["head.kind=categorical", "head.atoms=51", "head.v_min=0", "head.v_max=100"]),
        ("quantile 51", &["head.kind=quantile", "head.quantiles=51"]),
        ("implicit quantile 8 × 8", &["head.kind=implicit-quantile", "head.fractions=8", "head.target_fractions=8"]),
    ];
    for (name, settings) in learners {
        update(&format!("update 32, {name}"), &[&target[..], settings].concat());
    }
}

/// Env steps per second of training in the environment that the config names.
fn train(name: &str, config: Result<Config, ConfigError>) {
    let id = config.as_ref().map(|config| config.env.id.clone()).unwrap_or_default();
    train_in(name, config, Box::new(move || make(&id)));
}

/// Env steps per second of training in environments that `factory` makes.
fn train_in(name: &str, config: Result<Config, ConfigError>, factory: EnvFactory) {
    let name = format!("train {name}");
    if !is_wanted(&name) {
        return;
    }
    let config = match config {
        Ok(config) => config,
        Err(error) => return println!("{name:<56} skipped: {error}"),
    };
    // A whole number of the intervals at which the loop learns.
    let env_steps = config.train.every_steps.max(64) as usize;
    let start = config.replay.start;
    let mut trainer = Trainer::with_envs(config, factory).expect("the preset can be trained");
    let mut advance = |env_steps| {
        for _ in 0..env_steps {
            trainer.advance(&mut ()).expect("training goes on");
        }
    };
    advance(start + env_steps);
    print_rate(&name, &Timing::of(env_steps, || advance(env_steps)), "env-steps/s");
}

fn agent(settings: &[&str]) -> DqnAgent {
    let config = config("notebook", settings).expect("settings of the notebook preset");
    let bound = vec![f32::INFINITY; 4];
    let space = Space::Box { low: bound.iter().map(|b| -b).collect(), high: bound, shape: vec![4], dtype: DType::F32 };
    let machine = Machine::detect().expect("REQUEL_KERNEL names a kernel of this machine");
    config.dqn_agent(&space, 2, &machine).expect("an agent for CartPole")
}

/// `preset` without evaluation and without an end.
fn config(preset: &str, settings: &[&str]) -> Result<Config, ConfigError> {
    let endless = ["train.episodes=0", "train.env_steps=1_000_000_000_000"];
    let unscored = ["evaluation.every_steps=0", "evaluation.every_episodes=0"];
    let mut layers = Layers::new().preset(preset)?;
    for setting in endless.iter().chain(&unscored).chain(settings) {
        layers = layers.set(setting)?;
    }
    layers.resolve()
}
