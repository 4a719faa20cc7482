//! The hot path allocates nothing after warm-up. A binary of its own: it replaces the allocator by one that counts.

use allocation_counter::measure;
use requel::Trainer;
use requel::config::Layers;

/// Allocations of 10 000 calls of `advance`, worlds, exploration, replay and learning included.
fn allocations(preset: &str, settings: &[&str]) -> u64 {
    let settings =
        ["train.episodes=0", "evaluation.every_episodes=0", "evaluation.every_steps=0"].iter().chain(settings);
    let layers = Layers::new().preset(preset).unwrap().set("train.env_steps=1000000").unwrap();
    let config = settings.fold(layers, |layers, setting| layers.set(setting).unwrap()).resolve().unwrap();
    let mut trainer = Trainer::new(config).unwrap();
    (0..1000).for_each(|_| assert_eq!(trainer.advance(&mut ()).unwrap(), None));
    let updates = trainer.updates();
    let info = measure(|| (0..10_000).for_each(|_| assert_eq!(trainer.advance(&mut ()).unwrap(), None)));
    assert!(trainer.updates() > updates + 9, "{preset}: nothing was learned");
    info.count_total
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
