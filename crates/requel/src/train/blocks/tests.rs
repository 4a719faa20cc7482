//! Blocks read back, and a training in step that has the bits of one process.

use proptest::prelude::*;
use requel_envs::{DType, Space, Step};

use super::block::BlockWriter;
use super::frames::Frames;
use super::{Acting, Admission, Block, BlockId, Collector, Intake};
use crate::config::{Config, Layers};
use crate::experience::{Experience, OwnedExperience};
use crate::registry::Registry;
use crate::train::{AgentLoop, Trainer};

/// Steps of slots whose observations are stacks of frames that are shifted, except where an episode ended or the environment
/// stacks otherwise.
fn walk(draws: &[u8], frames: Frames, slots: usize) -> Vec<OwnedExperience> {
    let (len, width) = (frames.observation_len(), frames.stack * frames.channels);
    let mut seen = vec![vec![0.0f32; len]; slots];
    let step = |(number, draw): (usize, &u8)| {
        let slot = number % slots;
        let mut next = seen[slot].clone();
        for pixel in next.chunks_exact_mut(width) {
            pixel.rotate_left(frames.channels);
            pixel[width - frames.channels..].fill(f32::from(*draw));
        }
        if draw % 5 == 0 {
            next.fill(f32::from(draw / 2));
        }
        let owned = OwnedExperience {
            slot,
            observation: seen[slot].clone(),
            mask: Some(vec![draw % 2 == 0, true]),
            action: usize::from(draw % 2),
            reward: f64::from(*draw) / 3.0,
            terminated: draw % 7 == 0,
            truncated: draw % 11 == 0,
            next_observation: next.clone(),
            next_mask: Some(vec![true, draw % 3 == 0]),
        };
        seen[slot] = if owned.terminated || owned.truncated { vec![1.0; len] } else { next };
        owned
    };
    draws[..draws.len() / slots * slots].iter().enumerate().map(step).collect()
}

fn written(steps: &[OwnedExperience], frames: Frames, slots: usize) -> Block {
    let id = BlockId { worker: 3, incarnation: 1, sequence: 7 };
    let mut writer = BlockWriter::new((id, 11), 2..2 + slots, 2, frames);
    steps.iter().for_each(|owned| writer.push(&owned.as_experience()));
    writer.finish()
}

proptest! {
    #[test]
    fn what_is_written_reads_back_to_the_bit(
        draws in proptest::collection::vec(any::<u8>(), 0..60),
        slots in 1usize..4,
        (stack, pixels, channels) in (1usize..4, 1usize..3, 1usize..4),
        is_bytes: bool,
    ) {
        let dtype = if is_bytes { DType::U8 } else { DType::F32 };
        let shape = vec![pixels, stack * channels];
        let len = shape.iter().product();
        let space = Space::Box { low: vec![0.0; len], high: vec![255.0; len], shape, dtype };
        let mut frames = Frames::of(&space, stack);
        // Whatever the layout: numbers of other types can be stacked too.
        (frames.stack, frames.pixels, frames.channels) = (stack, pixels, channels);
        let steps = walk(&draws, frames, slots);
        let block = written(&steps, frames, slots);
        let read = Block::from_bytes(block.bytes().to_vec()).unwrap();
        prop_assert_eq!(&read, &block);
        let mut expected = steps;
        expected.iter_mut().for_each(|owned| owned.slot += 2);
        prop_assert_eq!(read.to_batch().experiences, expected);
        prop_assert_eq!((read.id().sequence, read.weights_version(), read.slots()), (7, 11, 2..2 + slots));
    }

    #[test]
    fn bytes_that_were_changed_or_cut_are_refused(
        draws in proptest::collection::vec(any::<u8>(), 1..30), at: prop::sample::Index, bit in 0u8..8,
    ) {
        let frames = Frames::of(&Space::Box { low: vec![0.0; 6], high: vec![255.0; 6], shape: vec![6], dtype: DType::U8 }, 1);
        let whole = written(&walk(&draws, frames, 1), frames, 1).bytes().to_vec();
        let mut damaged = whole.clone();
        damaged[at.index(whole.len())] ^= 1 << bit;
        prop_assert!(Block::from_bytes(damaged).is_err());
        prop_assert!(Block::from_bytes(whole[..at.index(whole.len())].to_vec()).is_err());
    }
}

#[test]
fn a_frame_is_sent_once() {
    let space = Space::Box { low: vec![0.0; 400], high: vec![255.0; 400], shape: vec![10, 10, 4], dtype: DType::U8 };
    let frames = Frames::of(&space, 4);
    let draws: Vec<u8> = (0..100).map(|_| 1).collect();
    let block = written(&walk(&draws, frames, 1), frames, 1);
    // 100 frames, the first observation, and 17 bytes per step in addition.
    assert_eq!(block.bytes().len(), 64 + 16 + 100 * (100 + 17) + 400);
}

#[test]
fn each_block_counts_once_and_those_of_the_dead_not_at_all() {
    let mut intake = Intake::default();
    let mut admit = |worker, incarnation, sequence, behind| {
        intake.admit(BlockId { worker, incarnation, sequence }, behind, Some(10))
    };
    assert_eq!(admit(0, 0, 0, 0), Admission::Begins);
    assert_eq!(admit(0, 0, 1, 0), Admission::Follows);
    assert_eq!(admit(0, 0, 1, 0), Admission::Duplicate);
    assert_eq!(admit(0, 0, 0, 0), Admission::Duplicate);
    assert_eq!(admit(1, 0, 0, 10), Admission::Begins);
    // Two are missing; what comes after does not follow.
    assert_eq!(admit(0, 0, 4, 0), Admission::Begins);
    assert_eq!(admit(0, 0, 5, 11), Admission::Stale);
    assert_eq!(admit(0, 0, 6, 0), Admission::Begins);
    assert_eq!(admit(0, 0, 7, 0), Admission::Follows);
    // The worker was restarted, and a block of the previous one arrives.
    assert_eq!(admit(0, 1, 0, 0), Admission::Begins);
    assert_eq!(admit(0, 0, 8, 0), Admission::Late);
    assert_eq!(admit(0, 1, 1, 0), Admission::Follows);
    let counts = (intake.taken, intake.duplicates, intake.late, intake.missing, intake.stale);
    assert_eq!(counts, (8, 2, 1, 2, 1));
    assert_eq!([0, 1, 2].map(|worker| intake.next_incarnation(worker)), [2, 1, 0]);
    let read: Intake = serde_json::from_str(&serde_json::to_string(&intake).unwrap()).unwrap();
    assert_eq!(read, intake);
}

fn config(preset: &str, env: &str, envs: usize) -> Config {
    let settings = [
        "train.episodes=0",
        "train.env_steps=1200",
        "network.hidden=[16]",
        "replay.start=100",
        "replay.capacity=500",
        "replay.batch_size=16",
        "evaluation.every_steps=0",
        "evaluation.every_episodes=0",
        "evaluation.final_episodes=1",
        "evaluation.episodes=1",
    ];
    let layers = Layers::new().preset(preset).unwrap().set(&format!("env.id={env:?}")).unwrap();
    let layers = layers.set(&format!("train.num_envs={envs}")).unwrap();
    settings.iter().fold(layers, |layers, setting| layers.set(setting).unwrap()).resolve().unwrap()
}

fn collector(config: &Config, slots: std::ops::Range<usize>, worker: u32) -> Collector {
    let factory = Registry::built_in().env_factory(&config.env);
    Collector::new(
        config,
        (factory, &Registry::built_in().agent_factory()),
        (slots, Acting::AsOne),
        BlockId { worker, ..BlockId::default() },
    )
    .unwrap()
}

fn agent_loop(config: &Config) -> AgentLoop {
    let env = crate::train::for_network(Registry::built_in().env_factory(&config.env)().unwrap()).unwrap();
    let actions = Trainer::new(config.clone()).unwrap().actions();
    let env = crate::train::AgentEnv { spec: env.spec(), observations: env.observation_space(), actions };
    AgentLoop::new(Registry::built_in().agent(config, &env).unwrap(), &env, config.clone()).unwrap()
}

/// Trains by collectors of these slots; at `stop_at` env steps all of them and the learner are saved and created again.
fn in_step(config: &Config, parts: &[(usize, usize)], stop_at: Option<u64>) -> String {
    let mut learner = agent_loop(config);
    let make = || parts.iter().enumerate().map(|(worker, slots)| collector(config, slots.0..slots.1, worker as u32));
    let mut collectors: Vec<Collector> = make().collect();
    let mut stop_at = stop_at;
    while learner.env_steps() < config.train.env_steps {
        let left = (config.train.env_steps - learner.env_steps()) as usize / config.train.num_envs;
        let steps = learner.steps_to_update(left.min(8));
        let weights = learner.policy(1).unwrap().parameters().to_vec();
        let (version, at) = (learner.weights_version(), learner.env_steps());
        let mut blocks: Vec<Block> = collectors
            .iter_mut()
            .map(|collector| {
                collector.set_weights(version, &weights).unwrap();
                collector.collect(steps, at, config.train.num_envs).unwrap()
            })
            .collect();
        // They arrive in any order.
        blocks.reverse();
        learner.ingest_in_step(&mut blocks, &mut ()).unwrap();
        if stop_at.take_if(|at| learner.env_steps() >= *at).is_some() {
            let mut again: Vec<Collector> = make().collect();
            for (new, old) in again.iter_mut().zip(&collectors) {
                new.restore(&old.save().unwrap()).unwrap();
            }
            let mut other = agent_loop(config);
            other.restore(&learner.save().unwrap()).unwrap();
            (learner, collectors) = (other, again);
        }
    }
    learner.weights_blake3().unwrap()
}

#[test]
fn collectors_in_step_come_to_the_weights_of_one_process() {
    for (preset, env) in
        [("notebook", "CartPole-v1"), ("rainbow", "CartPole-v1"), ("iqn", "CartPole-v1"), ("dqn", "Taxi-v4")]
    {
        let config = config(preset, env, 4);
        let alone = Trainer::new(config.clone()).unwrap().run(&mut ()).unwrap().weights_blake3;
        for parts in [vec![(0, 4)], vec![(0, 2), (2, 4)], vec![(0, 1), (1, 4)]] {
            assert_eq!(in_step(&config, &parts, None), alone, "{preset} on {env}, {parts:?}");
        }
        assert_eq!(in_step(&config, &[(0, 3), (3, 4)], Some(500)), alone, "{preset} on {env}, stopped");
    }
}

#[test]
fn collectors_alone_differ_in_every_incarnation_and_learn_from_blocks_in_any_order() {
    let config = config("notebook", "CartPole-v1", 4);
    let factory = || Registry::built_in().env_factory(&config.env);
    let make = |worker, incarnation| {
        let id = BlockId { worker, incarnation, sequence: 0 };
        let slots = 2 * worker as usize..2 * worker as usize + 2;
        Collector::new(&config, (factory(), &Registry::built_in().agent_factory()), (slots, Acting::Alone), id).unwrap()
    };
    let block = |worker, incarnation| make(worker, incarnation).collect(20, 0, 4).unwrap();
    let seen = |block: &Block| block.to_batch().experiences[0].observation.clone();
    let blocks = [block(0, 0), block(1, 0), block(1, 1)];
    assert!(seen(&blocks[0]) != seen(&blocks[1]) && seen(&blocks[1]) != seen(&blocks[2]));
    assert_eq!(seen(&blocks[0]), seen(&block(0, 0)));
    let mut learner = agent_loop(&config);
    let admissions = [0, 2, 1, 2, 0].map(|number| learner.ingest(&blocks[number], &mut ()).unwrap());
    use Admission::{Begins, Duplicate, Late};
    assert_eq!(admissions, [Begins, Begins, Late, Duplicate, Duplicate]);
    assert_eq!(learner.env_steps(), blocks[0].env_steps() + blocks[2].env_steps());
    learner.learn(&mut ()).unwrap();
    let refused = learner.ingest_in_step(&mut [block(0, 5)], &mut ()).unwrap_err().to_string();
    assert!(refused.contains("2 environments, but there are 4"), "{refused}");
}

#[test]
fn an_experience_is_shown_as_it_was() {
    let frames =
        Frames::of(&Space::Box { low: vec![-9.0; 2], high: vec![9.0; 2], shape: vec![2], dtype: DType::F32 }, 1);
    let mut writer = BlockWriter::new((BlockId::default(), 0), 0..1, 0, frames);
    let experience = Experience {
        slot: 0,
        observation: &[0.5, -0.0],
        mask: None,
        action: 9,
        step: Step { reward: -1e300, terminated: true, truncated: false },
        next_observation: &[f32::MIN_POSITIVE, 3.0],
        next_mask: None,
    };
    writer.push(&experience);
    let block = writer.finish();
    let mut shown = 0;
    block
        .for_each(|_, seen| {
            shown += 1;
            assert!(*seen == experience && seen.observation[1].is_sign_negative());
            Ok::<(), ()>(())
        })
        .unwrap();
    assert_eq!((shown, block.env_steps()), (1, 1));
}
