//! The same config and seed give the same bits, whoever listens; another seed gives others.

use requel::config::{Layers, algorithms};
use requel::{Config, Machine, Registry, Trainer, train::Outcome};

use crate::support::{Notes, short_training, short_trainings};

#[test]
fn the_same_seed_gives_the_same_bits_with_and_without_observers() {
    let mut trained = String::new();
    for (name, config) in short_trainings() {
        let mut alone = Trainer::new(config.clone()).unwrap();
        let outcome = alone.run(&mut ()).unwrap();
        assert!(outcome.updates > 0, "{name}: nothing was learned");
        let (mut notes, mut steps) = (Notes::default(), Notes { with_steps: true, ..Notes::default() });
        let mut watched = Trainer::new(config).unwrap();
        assert_eq!(watched.run(&mut (&mut notes, &mut steps)).unwrap(), outcome, "{name}");
        assert_eq!(watched.save().unwrap(), alone.save().unwrap(), "{name}");
        assert!(steps.lines.len() > notes.lines.len());
        assert!(notes.lines.len() > 10, "{name}: {:?}", notes.lines);
        trained += &line(&name, &outcome);
    }
    for (name, config) in short_algorithms() {
        trained += &line(&name, &Trainer::new(config).unwrap().run(&mut ()).unwrap());
    }
    let frozen = include_str!("../golden/trainings.txt");
    let changed: Vec<&str> = trained.lines().filter(|line| !frozen.lines().any(|frozen| frozen == *line)).collect();
    assert!(changed.is_empty(), "these trainings come to something else than before:\n{}", changed.join("\n"));
    assert_eq!(trained, frozen, "a training is missing, or in another place");
}

/// What a training came to: its name, the first digits of its weights' hash, and what the best and the final policy return.
fn line(name: &str, outcome: &Outcome) -> String {
    let (best, last) = (outcome.best_evaluation.mean_return(), outcome.final_evaluation.mean_return());
    format!("{name}: {} {best} {last}\n", &outcome.weights_blake3[..16])
}

/// Each algorithm as a layer over a preset, in small.
fn short_algorithms() -> Vec<(String, Config)> {
    let small = [
        "train.episodes=0",
        "train.env_steps=600",
        "train.num_envs=2",
        "train.updates=1",
        "network.hidden=[12, 8]",
        "head.cosines=8",
        "replay.start=60",
        "evaluation.every_steps=193",
        "evaluation.episodes=3",
        "evaluation.final_episodes=4",
    ];
    let trainings = algorithms::all().iter().map(|algorithm| {
        let layers = Layers::new().preset("cartpole").unwrap().algorithm(algorithm.name).unwrap();
        let own: &[&str] = match algorithm.name {
            "pqn" => &["pqn.rollout_steps=8", "pqn.minibatches=4"],
            "naive" => &["train.every_steps=1"],
            _ => &["replay.batch_size=16", "train.every_steps=4"],
        };
        let layers = small.iter().chain(own).fold(layers, |layers, setting| layers.set(setting).unwrap());
        (format!("cartpole with {}", algorithm.name), layers.resolve().unwrap())
    });
    trainings.collect()
}

#[test]
fn another_seed_gives_other_weights_and_episodes() {
    let mut config = short_training("notebook, 1 environments");
    let mut outcomes: Vec<Outcome> = Vec::new();
    for seed in [0, 1, 2, i64::MAX as u64] {
        config.train.seed = seed;
        let outcome = Trainer::new(config.clone()).unwrap().run(&mut ()).unwrap();
        for other in &outcomes {
            assert_ne!(other.weights_blake3, outcome.weights_blake3);
            assert_ne!(other.final_evaluation.returns, outcome.final_evaluation.returns);
        }
        outcomes.push(outcome);
    }
}

/// Frozen results of seeded trainings: a change here changes every result that was ever published.
#[test]
fn value_stability() {
    // Of the kernel that the test below asks for.
    let registry = Registry::built_in().with_machine(Machine::detect().unwrap());
    let weights = |name: &str| registry.trainer(short_training(name)).unwrap().run(&mut ()).unwrap().weights_blake3;
    assert_eq!(weights("notebook, 1 environments")[..16], *"2aba1c70497ad570");
    assert_eq!(weights("hard by env steps, double, 3 environments")[..16], *"a5268976fb757760");
    // What heads, noise and normalisation compute; printed for the comparison below.
    for (name, frozen) in [
        ("rainbow, 3 environments", "8a4464e88c72ae0a"),
        ("c51, 1 environments", "cccf3218241c623e"),
        ("iqn, 1 environments", "64aa5ec4f28b5ad4"),
        ("qr-dqn, 1 environments", "ac22abd96891b107"),
        ("munchausen-dqn, 1 environments", "cbad5db0af68c272"),
        ("pqn, 3 environments", "ca0caca872a35159"),
    ] {
        let weights = weights(name);
        println!("weights of {name}: {weights}");
        assert_eq!(&weights[..16], frozen, "{name}");
    }
}

/// The same frozen results from every instruction set that this machine has, each in a process of its own.
#[test]
fn every_kernel_gives_the_same_bits() {
    let with_kernel = |name: &str| {
        let mut tests = std::process::Command::new(std::env::current_exe().unwrap());
        tests.args(["determinism::value_stability", "--exact", "--nocapture"]).env("REQUEL_KERNEL", name);
        let output = tests.output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&text).into_owned())
    };
    let mut seen: Vec<Vec<String>> = Vec::new();
    for kernel in requel_nn::Kernel::available() {
        let (success, text) = with_kernel(kernel.name());
        assert!(success && text.contains("1 passed"), "{}: {text}", kernel.name());
        seen.push(text.lines().filter(|line| line.contains("weights of ")).map(str::to_owned).collect());
        assert_eq!(seen[seen.len() - 1].len(), 6, "{text}");
        assert_eq!(seen[0], seen[seen.len() - 1], "{}", kernel.name());
    }
    let (success, text) = with_kernel("abacus");
    assert!(!success && text.contains("Unknown { name: \"abacus\" }"), "{text}");
}

/// With a network that is large enough to be divided, and environments side by side.
#[test]
fn threads_change_no_bit() {
    let mut config = short_training("minatar-dqn, 1 environments");
    config.train.num_envs = 5;
    config.network.conv = vec![[16, 3, 1]];
    config.network.hidden = vec![512];
    config.replay.batch_size = 32;
    let trained = |threads: usize| {
        let mut trainer = Trainer::new(config.clone()).unwrap();
        trainer.set_threads(threads);
        let outcome = trainer.run(&mut ()).unwrap();
        assert!(outcome.updates > 0, "nothing was learned");
        (trainer, outcome)
    };
    let (one, outcome) = trained(1);
    for threads in [2, 3, 8] {
        let (many, other) = trained(threads);
        assert!(other == outcome, "{threads} threads give another outcome than one");
        assert!(many.save().unwrap() == one.save().unwrap(), "{threads} threads give other bits than one");
    }
}
