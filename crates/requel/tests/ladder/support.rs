//! What several rungs need: short trainings of every kind, an observer that writes down what it hears, fixed draws.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::OnceLock;

use requel::config::{AgentKind, Config, Layers, presets};
use requel::train::{Observer, ObserverError};
use requel::{TrainEvent, Trainer};

/// The preset with settings.
pub fn preset(name: &str, settings: &[&str]) -> Config {
    let layers = Layers::new().preset(name).unwrap();
    settings.iter().fold(layers, |layers, setting| layers.set(setting).unwrap()).resolve().unwrap()
}

/// Intervals that are prime to each other and to most else, on little budget.
const SHORT: [&str; 9] = [
    "train.episodes=0",
    "train.env_steps=700",
    "network.hidden=[12, 8]",
    "replay.start=60",
    "evaluation.every_steps=193",
    "evaluation.episodes=3",
    "evaluation.final_episodes=4",
    "log.every_steps=89",
    "checkpoint.every_steps=127",
];

fn short(name: &str, more: &[&str]) -> Config {
    preset(name, &[&SHORT, more].concat())
}

/// Short trainings of every kind, by name: each preset, each rule, and what heads, replays and networks are together.
pub fn short_trainings() -> Vec<(String, Config)> {
    let mut trainings = Vec::new();
    for num_envs in [1, 3] {
        for preset in presets::with_envs() {
            trainings.push((format!("{}, {num_envs} environments", preset.name), short_preset(preset.name, num_envs)));
        }
        let envs = format!("train.num_envs={num_envs}");
        for (rule, settings) in RULES {
            let settings = [&FEW[..], &NO_TARGET, settings, &[envs.as_str()]].concat();
            trainings.push((format!("{rule}, {num_envs} environments"), short("notebook", &settings)));
        }
    }
    let combinations = combinations();
    trainings.extend(combinations.into_iter().map(|(name, settings)| {
        let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
        (name, short("notebook", &settings))
    }));
    trainings
}

const FEW: [&str; 2] = ["replay.batch_size=16", "train.every_steps=4"];
const NO_TARGET: [&str; 2] = ["target.every_updates=0", "target.every_env_steps=0"];

const RULES: [(&str, &[&str]); 9] = [
    ("residual", &["agent.bellman_gradient=residual"]),
    ("hard by updates", &["target.kind=hard", "target.every_updates=7"]),
    ("hard by env steps, double", &["target.kind=hard", "target.every_env_steps=31", "agent.double=true"]),
    ("soft by updates", &["target.kind=soft", "target.every_updates=1", "target.tau=0.02", "loss.kind=huber"]),
    ("soft by env steps", &["target.kind=soft", "target.every_env_steps=2", "exploration.kind=exponential"]),
    ("rmsprop", &["optimizer.kind=rmsprop", "optimizer.momentum=0.5", "optimizer.max_gradient_norm=0.5"]),
    ("with replacement, tanh", &["replay.replacement=true", "network.activation=tanh", "network.init=orthogonal"]),
    ("a convolution", &["env.id=MinAtar/Breakout-v1", "network.conv=[[3, 3, 2]]"]),
    ("a full ring", &["replay.capacity=97", "evaluation.every_episodes=5", "exploration.kind=linear"]),
];

/// A preset in small: what it decides by its kind stays, what it decides by size shrinks.
fn short_preset(name: &str, num_envs: usize) -> Config {
    let envs = format!("train.num_envs={num_envs}");
    let mut settings = vec![envs.as_str(), "train.updates=1"];
    let kind = preset(name, &[]).agent.kind;
    settings.extend(match kind {
        // A rollout is several steps long, so that hand-overs come in the middle of one.
        AgentKind::Pqn => ["pqn.rollout_steps=8", "pqn.minibatches=4"],
        AgentKind::Naive => ["train.every_steps=1", "train.updates=1"],
        AgentKind::Dqn => FEW,
    });
    if name.starts_with("minatar-") {
        settings.extend(["network.conv=[[4, 3, 1]]", "train.env_steps=400"]);
    }
    match name {
        "minatar-dqn" => settings.push("target.every_updates=20"),
        "minatar-c51" | "minatar-rainbow" => settings.push("target.every_env_steps=80"),
        _ => {}
    }
    settings.extend(["head.cosines=8", "replay.importance_env_steps=500"]);
    short(name, &settings)
}

/// Each head with each way of drawing, over one step and over three; then what else changes a network or an environment.
fn combinations() -> Vec<(String, Vec<String>)> {
    let hard: &[&str] = &["target.kind=hard", "target.every_env_steps=0", "target.every_updates=7"];
    let heads: [(&str, &[&str]); 4] = [
        ("scalar", &["head.kind=scalar"]),
        ("categorical", &["head.kind=categorical", "head.atoms=11", "head.v_min=0", "head.v_max=10"]),
        ("quantile", &["head.kind=quantile", "head.quantiles=9"]),
        (
            "implicit-quantile",
            &["head.kind=implicit-quantile", "head.fractions=4", "head.target_fractions=5", "head.cosines=8"],
        ),
    ];
    let prioritized: &[&str] = &["replay.kind=prioritized", "replay.importance_env_steps=500"];
    let mut combinations = Vec::new();
    let mut add = |name: String, parts: &[&[&str]]| {
        combinations.push((name, parts.concat().into_iter().map(str::to_owned).collect()));
    };
    for (head, settings) in heads {
        for n_step in ["agent.n_step=1", "agent.n_step=3"] {
            for (replay, drawing) in [("uniform", &[][..]), ("prioritized", prioritized)] {
                // Three steps with three environments, one with one: an accumulator for each.
                let envs = if n_step.ends_with('3') { "train.num_envs=3" } else { "train.num_envs=1" };
                add(format!("{head}, {replay}, {n_step}"), &[&FEW, hard, settings, drawing, &[n_step, envs]]);
            }
        }
        let whole = ["network.noisy=true", "network.dueling=true", "network.layer_norm=true", "agent.double=true"];
        add(format!("{head}, all of it"), &[&FEW, hard, settings, prioritized, &whole, &["agent.n_step=3"]]);
        if head != "categorical" {
            add(format!("{head}, munchausen"), &[&FEW, hard, settings, &["agent.munchausen=true"]]);
        }
    }
    let scalar = heads[0].1;
    let others: [(&str, &[&str]); 7] = [
        ("noisy", &["network.noisy=true"]),
        ("dueling", &["network.dueling=true"]),
        ("layer norm", &["network.layer_norm=true"]),
        ("masks", &["env.id=Taxi-v4", "agent.double=true"]),
        ("scaled and cut rewards", &["agent.reward_scale=0.5", "agent.reward_clip=0.25"]),
        ("radam, annealed", &["optimizer.kind=radam", "optimizer.anneal=linear"]),
        ("two steps as one", &["env.frame_stack=2"]),
    ];
    for (name, settings) in others {
        add(name.to_owned(), &[&FEW, hard, scalar, settings]);
    }
    // Stacked images are kept frame by frame: uniform or by priorities, in a ring that is soon full.
    let frames = ["env.id=MinAtar/Breakout-v1", "env.frame_stack=2", "network.conv=[[3, 3, 2]]", "replay.capacity=97"];
    add("frames".into(), &[&FEW, hard, &frames, &["agent.n_step=3"]]);
    add("frames, prioritized".into(), &[&FEW, hard, &frames, prioritized, &["train.num_envs=3"]]);
    let shifted = ["env.id=MinAtar/Breakout-v1", "network.conv=[[3, 3, 2]]", "replay.augmentation=shift"];
    add("shifted pictures".into(), &[&FEW, hard, &shifted, &["agent.n_step=3", "train.num_envs=3"]]);
    let brighter = ["env.frame_stack=2", "replay.augmentation=shift-intensity", "agent.double=true"];
    add("shifted and brighter frames, prioritized".into(), &[&FEW, hard, &shifted, &brighter, prioritized]);
    // No replay, with masks, in the middle of whose rollout training is handed over.
    let pqn = ["agent.kind=pqn", "pqn.rollout_steps=8", "pqn.minibatches=4", "target.kind=none", "env.id=Taxi-v4"];
    add("pqn, masks".into(), &[&pqn, &["train.num_envs=3", "network.dueling=true", "network.layer_norm=true"]]);
    combinations
}

/// One of them.
pub fn short_training(name: &str) -> Config {
    // Making them all takes longer than most trainings that are asked for.
    static ALL: OnceLock<Vec<(String, Config)>> = OnceLock::new();
    let all = ALL.get_or_init(short_trainings);
    all.iter().find(|(other, _)| other == name).expect("one of the short trainings").1.clone()
}

/// Writes down every event but checkpoints, in full precision.
#[derive(Default)]
pub struct Notes {
    pub lines: Vec<String>,
    pub with_steps: bool,
}

impl Observer for Notes {
    fn on_event(&mut self, event: &TrainEvent<'_>) -> Result<(), ObserverError> {
        self.lines.push(match event {
            TrainEvent::Stepped { env_steps, actions, observations, .. } => {
                format!("{env_steps} {actions:?} {observations:?}")
            }
            TrainEvent::EpisodeEnded { env_steps, episode } => format!("{env_steps} {episode:?}"),
            TrainEvent::EnvReported { env_steps, episode, metrics } => format!("{env_steps} {episode:?} {metrics:?}"),
            TrainEvent::Progress(aggregates) => format!("{aggregates:?}"),
            TrainEvent::Evaluated { env_steps, updates, evaluation, best } => {
                format!("{env_steps} {updates} {evaluation:?} {best:?}")
            }
            TrainEvent::FinalEvaluated { env_steps, updates, best, last } => {
                format!("{env_steps} {updates} {best:?} {last:?}")
            }
            _ => return Ok(()),
        });
        Ok(())
    }

    fn wants_steps(&self) -> bool {
        self.with_steps
    }
}

/// Whole numbers from a fixed sequence (SplitMix64): the same tests every time.
pub struct Draws(pub u64);

impl Draws {
    /// Below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n as u64) as usize
    }

    /// Between −1 and 1.
    pub fn unit(&mut self) -> f32 {
        (self.below(1 << 20) as f32 / (1 << 19) as f32) - 1.0
    }
}

/// All files below a directory with their bytes, by path from there.
pub fn files(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![root.to_path_buf()];
    while let Some(dir) = open.pop() {
        for entry in std::fs::read_dir(&dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                found.insert(name, std::fs::read(&path).unwrap());
            }
        }
    }
    found
}

/// One stored transition.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    pub action: u32,
    pub reward: f32,
    pub discount: f32,
    pub observation: Vec<f32>,
    pub next_observation: Vec<f32>,
}

/// What the replay buffer of a trainer holds, in the order of its places.
pub fn stored(trainer: &Trainer) -> Vec<Stored> {
    let state = trainer.save().unwrap();
    let records = &state.tensors["replay/records"];
    let words: Vec<u32> =
        records.bytes.contiguous().chunks_exact(4).map(|b| u32::from_le_bytes(b.try_into().unwrap())).collect();
    let floats = |words: &[u32]| words.iter().map(|w| f32::from_bits(*w)).collect::<Vec<f32>>();
    let record = |words: &[u32]| {
        let (observation, next_observation) = words[3..].split_at((words.len() - 3) / 2);
        Stored {
            action: words[0],
            reward: f32::from_bits(words[1]),
            discount: f32::from_bits(words[2]),
            observation: floats(observation),
            next_observation: floats(next_observation),
        }
    };
    words.chunks_exact(records.shape[1]).map(record).collect()
}
