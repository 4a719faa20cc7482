//! The hot path allocates nothing after warm-up. A binary of its own: it replaces the allocator by one that counts.

use allocation_counter::measure;
use requel::Trainer;
use requel::config::{Layers, presets};

/// Allocations of so many calls of `advance`, environments, exploration, replay and learning included.
fn allocations_of(steps: usize, preset: &str, settings: &[&str]) -> u64 {
    let settings =
        ["train.episodes=0", "evaluation.every_episodes=0", "evaluation.every_steps=0"].iter().chain(settings);
    let layers = Layers::new().preset(preset).unwrap().set("train.env_steps=1000000").unwrap();
    let config = settings.fold(layers, |layers, setting| layers.set(setting).unwrap()).resolve().unwrap();
    let mut trainer = Trainer::new(config).unwrap();
    (0..1000).for_each(|_| assert_eq!(trainer.advance(&mut ()).unwrap(), None));
    let updates = trainer.updates();
    let info = measure(|| (0..steps).for_each(|_| assert_eq!(trainer.advance(&mut ()).unwrap(), None)));
    assert!(trainer.updates() > updates + 9, "{preset}: nothing was learned");
    info.count_total
}

fn allocations(preset: &str, settings: &[&str]) -> u64 {
    allocations_of(10_000, preset, settings)
}

#[test]
fn the_counter_counts() {
    assert_eq!(measure(|| drop(std::hint::black_box(vec![1u8; 100]))).count_total, 1);
}

#[test]
fn ten_thousand_steps_allocate_nothing() {
    let small = "network.hidden=[16]";
    assert_eq!(allocations("notebook", &[]), 0);
    assert_eq!(allocations("notebook", &[small, "agent.bellman_gradient=residual", "train.num_envs=2"]), 0);
    assert_eq!(allocations("notebook-naive", &[small]), 0);
    let double = ["target.kind=soft", "target.every_updates=1", "target.every_env_steps=0", "agent.double=true"];
    assert_eq!(allocations("notebook", &[&double[..], &[small, "optimizer.max_gradient_norm=1"]].concat()), 0);
}

/// Each preset with less to compute: what it decides by its kind stays.
#[test]
fn a_thousand_steps_of_each_preset_allocate_nothing() {
    for preset in presets::with_envs() {
        let small = ["network.hidden=[16]", "replay.batch_size=16", "replay.start=100", "train.updates=1"];
        let more: &[&str] = match preset.name {
            "notebook-naive" => &[],
            "cartpole-zoo" => &["train.every_steps=4"],
            "pqn" => &["train.num_envs=4"],
            "minatar-pqn" => &["network.conv=[[4, 3, 1]]", "train.num_envs=4"],
            name if name.starts_with("minatar-") => &["network.conv=[[4, 3, 1]]", "train.every_steps=4"],
            _ => &["train.every_steps=4"],
        };
        assert_eq!(allocations_of(1000, preset.name, &[&small[..], more].concat()), 0, "{}", preset.name);
    }
}

#[test]
fn masks_and_stacked_frames_allocate_nothing() {
    let small = ["network.hidden=[16]", "replay.batch_size=16", "replay.start=100", "train.every_steps=4"];
    let allocations = |settings: &[&str]| allocations_of(1000, "rainbow", &[&small[..], settings].concat());
    assert_eq!(allocations(&["env.id=Taxi-v4"]), 0);
    let frames = ["env.id=MinAtar/Breakout-v1", "env.frame_stack=2", "network.conv=[[4, 3, 1]]"];
    assert_eq!(allocations(&[&frames[..], &["replay.capacity=500"]].concat()), 0);
    assert_eq!(allocations(&[&frames[..], &["replay.augmentation=shift-intensity"]].concat()), 0);
}
