//! Every preset with images, and one of each kind without.

use super::twin::{advance, config, trainer};

/// The same weights after so many env steps, of which learning begins at the 130th.
#[track_caller]
fn same_weights(preset: &str, settings: &[&str]) {
    let begun = ["replay.start=130", "replay.capacity=1000"];
    let settings = if preset.contains("pqn") { settings.to_vec() } else { [&begun, settings].concat() };
    let config = config(preset, &settings);
    let [cpu, twin] = ["", "twin"].map(|executor| {
        let mut trainer = trainer(&config, executor);
        advance(&mut trainer, config.train.env_steps);
        assert!(trainer.updates() > 10, "{preset}: {} updates", trainer.updates());
        // What is told of learning is the same too.
        (trainer.updates(), trainer.weights_blake3().expect("weights"), trainer.aggregates())
    });
    assert_eq!(cpu, twin, "{preset} {settings:?}");
}

#[test]
fn with_images() {
    same_weights("minatar-dqn", &["train.env_steps=170"]);
    same_weights("minatar-c51", &["train.env_steps=260"]);
    same_weights("minatar-rainbow", &["train.env_steps=210"]);
    same_weights(
        "minatar-pqn",
        &["train.num_envs=4", "pqn.rollout_steps=8", "pqn.minibatches=2", "train.env_steps=320"],
    );
}

/// The pictures of Atari games, four of 84 × 84 bytes one behind the other, and the network of Mnih et al. 2015.
#[test]
fn with_the_pictures_of_atari_games() {
    let pictures = [
        "env.id=\"Screen-v0\"",
        "env.frame_stack=4",
        "network.conv=[[32, 8, 4], [64, 4, 2], [64, 3, 1]]",
        "network.hidden=[512]",
        "evaluation.max_episode_steps=2",
    ];
    let settings = |more: &[&'static str]| [&pictures, more].concat();
    let replayed = ["replay.batch_size=6", "train.env_steps=146", "train.every_steps=1", "target.every_env_steps=4"];
    for preset in ["minatar-c51", "minatar-rainbow"] {
        same_weights(preset, &settings(&replayed));
    }
    let by_updates = ["replay.batch_size=6", "train.env_steps=142", "target.every_updates=4"];
    same_weights("minatar-dqn", &settings(&by_updates));
    let rollouts =
        ["train.num_envs=4", "pqn.rollout_steps=4", "pqn.minibatches=4", "pqn.epochs=3", "train.env_steps=16"];
    same_weights("minatar-pqn", &settings(&rollouts));
}

#[test]
fn every_algorithm_on_a_vector() {
    for preset in ["dqn", "double-dqn", "dueling-dqn", "per-dqn", "n-step-dqn", "noisy-dqn", "c51", "qr-dqn", "rainbow"]
    {
        same_weights(preset, &["train.env_steps=250", "train.every_steps=2"]);
    }
    same_weights("iqn", &["train.env_steps=180", "train.every_steps=2"]);
    same_weights("munchausen-dqn", &["train.env_steps=250", "train.every_steps=2"]);
    same_weights("pqn", &["train.num_envs=4", "pqn.rollout_steps=8", "pqn.minibatches=2", "train.env_steps=320"]);
    same_weights("notebook", &["train.env_steps=250"]);
}

#[test]
fn what_no_preset_combines() {
    let residual = "agent.bellman_gradient=\"residual\"";
    same_weights("notebook", &["train.env_steps=200", residual]);
    same_weights(
        "dqn",
        &[
            "train.env_steps=200",
            "target.kind=\"soft\"",
            "target.tau=0.05",
            "target.every_updates=1",
            "target.every_env_steps=0",
        ],
    );
    same_weights("dqn", &["train.env_steps=200", "optimizer.kind=\"radam\"", "network.activation=\"tanh\""]);
    same_weights("minatar-dqn", &["train.env_steps=170", "network.layer_norm=true", "agent.double=true"]);
    same_weights(
        "minatar-dqn",
        &["train.env_steps=170", "train.num_envs=3", "network.noisy=true", "agent.double=true"],
    );
}
