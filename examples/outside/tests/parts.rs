//! The parts of this crate in trainings: chosen by name in a config, they learn, are saved and go on with the same bits.

use outside::streaks::Streaks;
use requel::config::Layers;
use requel::run::{Control, Run, Session};
use requel::train::EventRecord;
use requel::{Config, Outcome, Registry, Trainer};

fn registry() -> Registry {
    outside::registry().unwrap()
}

fn config(settings: &[&str]) -> Config {
    const SHORT: [&str; 9] = [
        "env.id=CartPole-v1",
        "train.env_steps=3000",
        "replay.capacity=1000",
        "replay.start=100",
        "replay.batch_size=32",
        "train.every_steps=2",
        "evaluation.every_steps=0",
        "evaluation.final_episodes=20",
        "network.hidden=[16]",
    ];
    let layers = SHORT
        .iter()
        .chain(settings)
        .fold(Layers::new().preset("dqn").unwrap(), |layers, setting| layers.set(setting).unwrap());
    layers.resolve().unwrap()
}

/// Each part, with the settings that name it.
const PARTS: [(&str, &[&str]); 10] = [
    ("tabular", &["agent.name=tabular"]),
    (
        "linear",
        &["agent.executor=linear", "optimizer.learning_rate=0.02", "target.kind=none", "target.every_updates=0"],
    ),
    (
        "linear without replay",
        &[
            "agent.executor=linear",
            "agent.kind=pqn",
            "optimizer.learning_rate=0.02",
            "target.kind=none",
            "target.every_updates=0",
            "train.num_envs=4",
            "pqn.rollout_steps=8",
            "pqn.minibatches=4",
        ],
    ),
    ("expectile", &["head.name=expectile"]),
    ("mellowmax", &["agent.rule=mellowmax"]),
    ("mellowmax of expectiles", &["agent.rule=mellowmax", "head.name=expectile"]),
    ("normalised", &["network.name=normalised", "replay.kind=prioritized", "agent.double=true"]),
    ("recent", &["replay.name=recent"]),
    ("persistent", &["exploration.name=persistent"]),
    ("all", &["agent.executor=linear", "replay.name=recent", "exploration.name=persistent", "train.num_envs=3"]),
];

fn train(config: &Config) -> (Trainer, Outcome) {
    let mut trainer = registry().trainer(config.clone()).unwrap();
    let outcome = trainer.run(&mut ()).unwrap();
    (trainer, outcome)
}

#[test]
fn each_changes_what_is_learned_and_gives_the_same_bits_again() {
    let (_, plain) = train(&config(&[]));
    for (name, settings) in PARTS {
        let config = config(settings);
        let (_, outcome) = train(&config);
        assert!(outcome.updates > 0, "{name}");
        assert_ne!(outcome.weights_blake3, plain.weights_blake3, "{name}");
        assert_eq!(train(&config).1, outcome, "{name}");
    }
}

#[test]
fn each_goes_on_from_its_saved_state_with_the_same_bits() {
    for (name, settings) in PARTS {
        let config = config(settings);
        let (whole, outcome) = train(&config);
        let mut first = registry().trainer(config.clone()).unwrap();
        while first.env_steps() < 1501 {
            first.advance(&mut ()).unwrap();
        }
        let mut second = registry().trainer(config).unwrap();
        second.restore(&first.save().unwrap()).unwrap();
        drop(first);
        assert_eq!(second.run(&mut ()).unwrap(), outcome, "{name}");
        assert!(second.save().unwrap() == whole.save().unwrap(), "{name}");
    }
}

/// Naming the symbol that is shown is worth 1 in each of 20 steps.
#[test]
fn the_table_and_the_linear_network_name_the_symbol_that_is_shown() {
    let identity = ["env.id=Toy/Identity-v0", "train.env_steps=5000", "agent.gamma=0.5"];
    for settings in [PARTS[0].1, PARTS[1].1] {
        for seed in ["train.seed=0", "train.seed=1", "train.seed=2"] {
            let settings = [settings, &identity, &["optimizer.learning_rate=0.1", seed]].concat();
            assert_eq!(train(&config(&settings)).1.final_evaluation.mean_return(), 20.0, "{settings:?}");
        }
    }
}

/// Your own numbers are in every log of a run and can be read back, and they change nothing else.
#[test]
fn numbers_of_ones_own_are_logged() {
    let dir = tempfile::tempdir().unwrap();
    let config = config(&["log.every_steps=500"]);
    let train = |name: &str, is_logged: bool| {
        let path = dir.path().join(name);
        let mut trainer = registry().trainer(config.clone()).unwrap();
        let mut streaks = is_logged.then(|| Streaks::in_logs_of(&mut trainer).unwrap());
        let session = Session::create(&path, trainer).unwrap();
        match &mut streaks {
            Some(streaks) => session.train(streaks, &Control::new()).unwrap(),
            None => session.train(&mut (), &Control::new()).unwrap(),
        };
        path
    };
    let (plain, logged) = (train("plain", false), train("logged", true));
    let summary = |path: &std::path::Path| Run::open(path).unwrap().summary().unwrap();
    assert_eq!(summary(&logged), summary(&plain));

    let lines = |path: &std::path::Path| std::fs::read_to_string(path.join("metrics.jsonl")).unwrap();
    let (numbers, others): (Vec<String>, Vec<String>) =
        lines(&logged).lines().map(str::to_owned).partition(|line| line.starts_with("{\"event\":\"numbers\""));
    assert_eq!(others, lines(&plain).lines().collect::<Vec<_>>());
    let episodes = others.iter().filter(|line| line.as_bytes().starts_with(EventRecord::EPISODE)).count();
    assert_eq!(numbers.len(), episodes);
    assert!(numbers[0].ends_with("\"numbers\":{\"streaks/longest\":0.0,\"streaks/now\":0.0}}"), "{}", numbers[0]);

    let table = std::fs::read_to_string(logged.join("progress.csv")).unwrap();
    let mut rows = table.lines().map(|row| row.split(',').collect::<Vec<_>>());
    let header = rows.next().unwrap();
    assert_eq!(header[header.len() - 2..], [Streaks::STREAK, Streaks::LONGEST]);
    let longest: Vec<f64> = rows.map(|row| row[header.len() - 1].parse().unwrap()).collect();
    assert_eq!(longest.len(), 6);
    assert!(longest.is_sorted() && longest[5] > 0.0, "{longest:?}");

    let events = std::fs::read(logged.join("tensorboard/events.out.tfevents.requel")).unwrap();
    let name = Streaks::LONGEST.as_bytes();
    assert_eq!(events.windows(name.len()).filter(|window| *window == name).count(), numbers.len());
}

#[test]
fn names_that_are_not_registered_are_refused_with_the_nearest() {
    for (setting, key, near) in [
        ("agent.name=tabluar", "agent.name", "tabular"),
        ("agent.executor=liner", "agent.executor", "linear"),
        ("head.name=expectiles", "head.name", "expectile"),
        ("agent.rule=melowmax", "agent.rule", "mellowmax"),
        ("network.name=normalized", "network.name", "normalised"),
        ("replay.name=recnet", "replay.name", "recent"),
        ("exploration.name=persistant", "exploration.name", "persistent"),
    ] {
        let error = registry().trainer(config(&[setting])).err().unwrap().to_string();
        assert!(error.contains(key) && error.contains(near), "{error}");
        assert!(Registry::built_in().trainer(config(&[setting])).is_err());
    }
    let mut registry = registry();
    let again = registry.register_explorer("persistent", |config, _| Ok(config.explorer()));
    assert!(again.unwrap_err().to_string().contains("persistent"));
}

#[test]
fn parts_that_would_not_be_used_are_refused() {
    let resolve = |settings: &[&str]| {
        settings.iter().fold(Layers::new(), |layers, setting| layers.set(setting).unwrap()).resolve()
    };
    assert!(resolve(&["replay.name=recent", "agent.kind=pqn"]).is_err());
    assert!(resolve(&["replay.name=recent"]).is_ok());
}

/// What can only be learned by a rule that values next states by their best action says so.
#[test]
fn a_rule_that_is_not_greedy_is_refused_where_it_means_nothing() {
    let categorical = ["agent.rule=mellowmax", "head.kind=categorical", "head.v_min=0", "head.v_max=100"];
    let residual =
        ["agent.rule=mellowmax", "agent.bellman_gradient=residual", "target.kind=none", "target.every_updates=0"];
    for (settings, said) in [(categorical, "categorical head"), (residual, "residual gradient")] {
        let error = registry().trainer(config(&settings)).err().unwrap().to_string();
        assert!(error.contains(said) && error.contains("best action"), "{error}");
    }
    let quantile = ["agent.rule=mellowmax", "head.kind=quantile", "head.quantiles=7"];
    assert!(train(&config(&quantile)).1.updates > 0);
}

#[test]
fn the_page_shows_the_environment_by_hand_as_it_is_compiled() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let read = |path: &str| std::fs::read_to_string(format!("{root}/{path}")).unwrap();
    let example = read("crates/envs/examples/corridor.rs");
    let shown = &example[example.find("use requel_envs").unwrap()..example.find("\nfn main()").unwrap()];
    assert!(read("docs/extend.md").contains(&format!("```rust\n{shown}```")), "docs/extend.md shows another corridor");
}
