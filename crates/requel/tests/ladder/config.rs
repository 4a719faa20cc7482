//! Configs from presets, files and settings, and what is said where they are wrong.

use std::collections::BTreeSet;

use requel::config::{Config, ConfigError, KEYS, Layers, presets};
use requel_envs::OptionValue;

/// The dotted paths of all values of a table.
fn leaves(prefix: &str, table: &toml::Table) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (key, value) in table {
        let path = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        match value {
            toml::Value::Table(inner) => found.extend(leaves(&path, inner)),
            _ => _ = found.insert(path),
        }
    }
    found
}

#[test]
fn the_keys_are_those_of_the_config() {
    let mut config = Config::default();
    // These are left out where they say nothing.
    config.evaluation.stop_return = Some(1.0);
    config.algo = "dqn".into();
    config.train.device = "cpu".into();
    let names = [
        &mut config.agent.name,
        &mut config.agent.executor,
        &mut config.agent.rule,
        &mut config.head.name,
        &mut config.network.name,
        &mut config.replay.name,
        &mut config.exploration.name,
    ];
    names.into_iter().for_each(|name| *name = "own".into());
    let written = leaves("", &toml::Table::try_from(&config).unwrap());
    let listed: BTreeSet<String> = KEYS.iter().map(|key| key.path.to_owned()).collect();
    assert_eq!(written, listed);
    assert_eq!(listed.len(), KEYS.len(), "a key is listed twice");
    assert!(KEYS.iter().all(|key| !key.meaning.is_empty()));
}

#[test]
fn presets_resolve_and_come_back_as_written() {
    for preset in presets::all() {
        let config = Layers::new().preset(preset.name).unwrap().resolve().unwrap();
        assert_eq!(config.preset, preset.name);
        let text = toml::to_string(&config).unwrap();
        assert_eq!(Layers::new().text("again", &text).unwrap().resolve().unwrap(), config, "{}", preset.name);
        assert!(!preset.summary.is_empty());
    }
    let default = Layers::new().resolve().unwrap();
    assert_eq!(default, Config::default());
}

/// The settings of the notebook, number by number.
#[test]
fn the_notebook_is_the_notebook() {
    use requel::config::{AgentKind, BellmanGradient, ExplorationKind, LossKind, OptimizerKind, TargetKind};
    let c = Layers::new().preset("notebook").unwrap().resolve().unwrap();
    assert_eq!((c.env.id.as_str(), c.agent.kind, c.agent.gamma), ("CartPole-v1", AgentKind::Dqn, 0.9));
    assert_eq!((c.network.hidden.as_slice(), c.optimizer.kind), (&[64, 64][..], OptimizerKind::Adam));
    assert_eq!((c.optimizer.learning_rate, c.loss.kind), (1e-3, LossKind::Mse));
    assert_eq!((c.replay.capacity, c.replay.batch_size, c.replay.start), (2000, 32, 200));
    assert_eq!((c.replay.replacement, c.train.every_steps, c.train.updates), (false, 4, 1));
    assert_eq!((c.exploration.kind, c.exploration.start), (ExplorationKind::Constant, 0.1));
    assert_eq!((c.target.kind, c.agent.bellman_gradient), (TargetKind::None, BellmanGradient::Semi));
    assert_eq!((c.train.episodes, c.train.env_steps), (1000, 0));
    assert_eq!((c.evaluation.every_episodes, c.evaluation.every_steps, c.evaluation.episodes), (100, 0, 1));
    let naive = Layers::new().preset("notebook-naive").unwrap().resolve().unwrap();
    let expected = Config { preset: naive.preset.clone(), replay: naive.replay.clone(), ..c };
    let mut expected =
        Config { agent: requel::config::AgentConfig { kind: AgentKind::Naive, ..expected.agent }, ..expected };
    expected.train.every_steps = 1;
    assert_eq!(naive, expected, "the naive notebook differs in nothing else");
}

#[test]
fn later_layers_win_and_say_where() {
    let file = "[agent]\ngamma = 0.5\n[train]\nseed = 3\n";
    let layers = Layers::new().preset("notebook").unwrap().text("my.toml", file).unwrap().set("train.seed=4").unwrap();
    let config = layers.resolve().unwrap();
    assert_eq!((config.agent.gamma, config.train.seed, config.replay.capacity), (0.5, 4, 2000));
    assert_eq!(layers.place("agent.gamma").unwrap().to_string(), "my.toml, line 2: `gamma = 0.5`");
    assert_eq!(layers.place("train.seed").unwrap().to_string(), "--set");
    assert_eq!(layers.place("replay.capacity").unwrap().source, "preset notebook");
    assert_eq!(layers.place("checkpoint.keep"), None);
}

/// What an error is, in short: its kind, its key, its line, and what it suggests.
fn short(error: &ConfigError) -> (&'static str, &str, Option<usize>, Option<&str>) {
    match error {
        ConfigError::UnknownPreset { name, suggestion, .. } => ("preset", name, None, suggestion.as_deref()),
        ConfigError::UnknownKey { key, place, suggestion } => {
            ("key", key, place.line.as_ref().map(|l| l.0), suggestion.as_deref())
        }
        ConfigError::InvalidValue { key, place, .. } => ("value", key, place.line.as_ref().map(|l| l.0), None),
        ConfigError::Syntax { place, .. } => ("syntax", "", place.line.as_ref().map(|l| l.0), None),
        _ => ("other", "", None, None),
    }
}

#[test]
fn mistakes_in_a_file_are_named_with_their_line() {
    let table = [
        ("[replay]\ncapcity = 3\n", ("key", "replay.capcity", Some(2), Some("replay.capacity"))),
        ("# a comment\n\n[repaly]\ncapacity = 3", ("key", "repaly.capacity", Some(4), Some("replay.capacity"))),
        ("xyzzy = 1", ("key", "xyzzy", Some(1), None)),
        ("train = 3\n", ("value", "train", Some(1), None)),
        ("[[train]]\nseed = 1\n", ("value", "train", Some(1), None)),
        ("\n[train]\nseed = \"one\"", ("value", "train.seed", Some(3), None)),
        ("[train]\nseed = -1", ("value", "train.seed", Some(2), None)),
        ("[train]\nseed = 1.5", ("value", "train.seed", Some(2), None)),
        ("[train]\nseed = nan", ("value", "train.seed", Some(2), None)),
        ("[train.seed]\n", ("value", "train.seed", Some(1), None)),
        ("[train.seed]\nx = 1", ("key", "train.seed.x", Some(2), Some("train.seed"))),
        ("[agent]\nkind = \"dqnn\"", ("value", "agent.kind", Some(2), None)),
        ("[agent]\ndouble = 1", ("value", "agent.double", Some(2), None)),
        ("[network]\nhidden = 64", ("value", "network.hidden", Some(2), None)),
        ("[network]\nhidden = [64, -1]", ("value", "network.hidden", Some(2), None)),
        ("[network]\nhidden = [64,\n 0.5]", ("value", "network.hidden", Some(2), None)),
        ("[agent]\r\ngamma = true\r\n", ("value", "agent.gamma", Some(2), None)),
        ("[agent]\ngamma = 1979-05-27", ("value", "agent.gamma", Some(2), None)),
        ("[agent]\ngamma = 0.5\ngamma = 0.6\n", ("syntax", "", Some(3), None)),
        ("[agent\ngamma = 0.5\n", ("syntax", "", Some(1), None)),
        ("[agent]\ngamma = \n", ("syntax", "", Some(2), None)),
        ("[env.options]\na = { b = 1 }", ("key", "env.options.a.b", Some(2), None)),
    ];
    for (text, expected) in table {
        let error = Layers::new().text("f.toml", text).expect_err(text);
        assert_eq!((short(&error).0, short(&error).1, short(&error).2), (expected.0, expected.1, expected.2), "{text}");
        if expected.3.is_some() {
            assert_eq!(short(&error).3, expected.3, "{text}");
        }
        assert!(error.to_string().contains("f.toml, line"), "{error}");
    }
}

#[test]
fn mistakes_in_a_setting_are_named() {
    let table = [
        ("replay.capcity=3", ("key", "replay.capcity", Some("replay.capacity"))),
        ("evaluation.every_step=3", ("key", "evaluation.every_step", Some("evaluation.every_steps"))),
        ("=3", ("key", "", None)),
        ("train.seed", ("syntax", "", None)),
        ("train.seed=", ("value", "train.seed", None)),
        ("train.seed=x", ("value", "train.seed", None)),
        ("train.seed=1\ntrain.episodes=2", ("value", "train.seed", None)),
        ("agent.double=yes", ("value", "agent.double", None)),
        ("agent={ gamma = 0.5 }", ("value", "agent", None)),
        ("env.options.=1", ("key", "env.options.", None)),
    ];
    for (setting, (kind, key, suggestion)) in table {
        let error = Layers::new().set(setting).expect_err(setting);
        assert_eq!((short(&error).0, short(&error).1), (kind, key), "{setting}");
        if suggestion.is_some() {
            assert_eq!(short(&error).3, suggestion, "{setting}");
        }
        assert!(error.to_string().ends_with("in --set"), "{error}");
    }
    let error = Layers::new().preset("notebok").unwrap_err();
    assert_eq!(short(&error), ("preset", "notebok", None, Some("notebook")));
    assert_eq!(error.hint().unwrap(), "did you mean `notebook`?");
    assert!(Layers::new().preset("zzz").unwrap_err().hint().is_some());
}

#[test]
fn values_out_of_range_are_named_with_their_line() {
    // One setting each over the defaults, with the key that is to blame.
    let table = [
        ("agent.gamma=1.5", "agent.gamma"),
        ("agent.gamma=nan", "agent.gamma"),
        ("network.hidden=[8, 0]", "network.hidden"),
        ("network.conv=[[16, 0, 1]]", "network.conv"),
        ("optimizer.learning_rate=0", "optimizer.learning_rate"),
        ("optimizer.learning_rate=inf", "optimizer.learning_rate"),
        ("optimizer.beta1=1", "optimizer.beta1"),
        ("optimizer.beta2=-0.1", "optimizer.beta2"),
        ("optimizer.epsilon=0", "optimizer.epsilon"),
        ("optimizer.alpha=1", "optimizer.alpha"),
        ("optimizer.momentum=1", "optimizer.momentum"),
        ("optimizer.max_gradient_norm=-1", "optimizer.max_gradient_norm"),
        ("loss.delta=0", "loss.delta"),
        ("replay.capacity=0", "replay.capacity"),
        ("replay.capacity=900", "replay.start"),
        ("replay.batch_size=0", "replay.batch_size"),
        ("replay.batch_size=1002", "replay.batch_size"),
        ("agent.bellman_gradient=residual", "agent.bellman_gradient"),
        ("target.every_updates=0", "target.every_updates"),
        ("target.every_env_steps=5", "target.every_env_steps"),
        ("target.tau=2", "target.tau"),
        ("exploration.start=1.1", "exploration.start"),
        ("exploration.end=-0.1", "exploration.end"),
        ("exploration.env_steps=0", "exploration.env_steps"),
        ("train.env_steps=0", "train.env_steps"),
        ("train.num_envs=0", "train.num_envs"),
        ("train.num_envs=65537", "train.num_envs"),
        ("train.every_steps=0", "train.every_steps"),
        ("train.updates=0", "train.updates"),
        ("evaluation.episodes=0", "evaluation.episodes"),
        ("evaluation.final_episodes=0", "evaluation.final_episodes"),
        ("evaluation.episodes=1000001", "evaluation.episodes"),
        ("evaluation.max_episode_steps=0", "evaluation.max_episode_steps"),
        ("evaluation.stop_return=nan", "evaluation.stop_return"),
        ("checkpoint.keep=1", "checkpoint.keep"),
        ("log.every_steps=0", "log.every_steps"),
    ];
    for (setting, key) in table {
        let error = Layers::new().set(setting).unwrap().resolve().expect_err(setting);
        assert_eq!(short(&error), ("value", key, None, None), "{setting}");
        assert!(error.hint().unwrap().starts_with(key), "{setting}");
        // The same from a file, with its line.
        let (written, value) = setting.split_once('=').unwrap();
        let (section, name) = written.split_once('.').unwrap();
        let text = format!("\n[{section}]\n{name} = {}\n", if value == "residual" { "\"residual\"" } else { value });
        let error = Layers::new().text("f.toml", &text).unwrap().resolve().expect_err(setting);
        let line = matches!(&error, ConfigError::InvalidValue { place, .. } if place.line.is_some());
        assert!(line, "{error}");
    }
    // The edges are allowed.
    for setting in [
        "agent.gamma=1",
        "agent.gamma=0",
        "target.tau=1",
        "replay.batch_size=1001",
        "replay.capacity=1001",
        "evaluation.stop_return=inf",
        "train.seed=9223372036854775807",
        "network.hidden=[]",
    ] {
        let config = Layers::new().set(setting).unwrap().resolve().unwrap();
        let text = toml::to_string(&config).unwrap();
        assert_eq!(Layers::new().text("again", &text).unwrap().resolve().unwrap(), config, "{setting}");
    }
}

#[test]
fn whole_floats_are_counts_and_whole_numbers_are_floats() {
    let config = Layers::new().set("train.env_steps=1e6").unwrap().text("f", "[agent]\ngamma = 1\n").unwrap();
    let config = config.set("replay.capacity=2e5").unwrap().resolve().unwrap();
    assert_eq!((config.train.env_steps, config.agent.gamma, config.replay.capacity), (1_000_000, 1.0, 200_000));
    for setting in ["train.env_steps=1.5", "train.env_steps=-1e3", "train.env_steps=1e300", "train.env_steps=inf"] {
        assert!(Layers::new().set(setting).is_err(), "{setting}");
    }
}

/// A name that is an order in one layer is none in another: a DQN called Rainbow, the default called "rainbwo".
#[test]
fn a_preset_means_the_same_wherever_it_is_named() {
    for preset in presets::all() {
        let name = preset.name;
        let started = Layers::new().preset(name).unwrap().resolve().unwrap();
        for layers in [
            Layers::new().text("f", &format!("preset = \"{name}\"\n")),
            Layers::new().set(&format!("preset={name}")),
            Layers::new().set(&format!("preset=\"{name}\"")),
            Layers::new().preset(name).and_then(|layers| layers.set(&format!("preset={name}"))),
            Layers::new().set("agent.gamma=0.9").and_then(|layers| layers.preset(name)?.set(&gamma_of(&started))),
        ] {
            assert_eq!(layers.unwrap().resolve().unwrap(), started, "{name}");
        }
    }
    let under = Layers::new().set("agent.gamma=0.5").unwrap().set("preset=notebook").unwrap().resolve().unwrap();
    assert_eq!((under.agent.gamma, under.replay.capacity), (0.5, 2000), "a preset lies under all other layers");
    assert_eq!(Layers::new().set("preset=default").unwrap().resolve().unwrap(), Config::default());
}

fn gamma_of(config: &Config) -> String {
    format!("agent.gamma={:?}", config.agent.gamma)
}

#[test]
fn a_preset_that_is_none_or_another_one_is_refused_with_its_place() {
    let file = "# mine\npreset = \"rainbwo\"\n[train]\nseed = 1\n";
    let error = Layers::new().text("mine.toml", file).unwrap_err();
    assert_eq!(error.to_string(), "unknown preset `rainbwo` in mine.toml, line 2: `preset = \"rainbwo\"`");
    assert_eq!(error.hint().unwrap(), "did you mean `rainbow`?");
    let error = Layers::new().set("preset=rainbwo").unwrap_err();
    assert_eq!(error.to_string(), "unknown preset `rainbwo` in --set");

    let dqn = || Layers::new().preset("dqn").unwrap();
    for error in [
        dqn().set("preset=rainbow").unwrap_err(),
        dqn().text("f", "preset = \"rainbow\"").unwrap_err(),
        dqn().preset("rainbow").unwrap_err(),
        dqn().text("f", &toml::to_string(&Config::default()).unwrap()).unwrap_err(),
    ] {
        assert!(matches!(&error, ConfigError::InvalidValue { key, .. } if key == "preset"), "{error}");
        assert!(error.to_string().contains("preset dqn already names `dqn`"), "{error}");
    }
    for wrong in ["1979-05-27T07:32:00Z", "1979-05-27", "7", "0.5", "true", "[\"dqn\"]", "{ a = 1 }"] {
        for layers in
            [Layers::new().set(&format!("preset={wrong}")), Layers::new().text("f", &format!("preset = {wrong}"))]
        {
            assert!(layers.is_err(), "{wrong}");
        }
    }
}

/// What a run writes is what it reads, whatever presets there are, and also where a value differs by being absent.
#[test]
fn a_complete_config_is_read_back_bit_for_bit_under_any_name() {
    for name in ["notebook", "cartpole", "default", "somebody's own", "1979-05-27"] {
        let mut config = Layers::new().preset("cartpole").unwrap().resolve().unwrap();
        config.preset = name.into();
        config.evaluation.stop_return = None;
        config.agent.gamma = 0.1 + 0.2;
        let text = toml::to_string(&config).unwrap();
        for layers in [Layers::new().text("f", &text), Layers::new().preset(name).and_then(|l| l.text("f", &text))] {
            match layers {
                Ok(layers) => assert_eq!(layers.resolve().unwrap(), config, "{name}"),
                Err(error) => assert!(matches!(error, ConfigError::UnknownPreset { .. }), "{error}"),
            }
        }
        // One key less, and the name is an order again.
        let part = text.replace("gamma = 0.30000000000000004\n", "");
        assert_ne!(part, text);
        let read = Layers::new().text("f", &part);
        assert_eq!(read.is_ok(), presets::known(name), "{name}");
    }
}

#[test]
fn empty_sections_mean_nothing() {
    let config = Layers::new().text("f", "[replay]\n[env]\n[env.options]\n[train]\n").unwrap().resolve().unwrap();
    assert_eq!(config, Config::default());
    assert!(Layers::new().text("f", "[replays]\n").is_err());
}

#[test]
fn options_of_environments_pass_through() {
    let text =
        "[env]\nid = \"Toy/Catch-v0\"\n[env.options]\nrows = 7\nfast = true\nspeed = 0.5\nmap = [\"ab\", \"cd\"]\n";
    let layers = Layers::new().text("f", text).unwrap().set("env.options.name=slow").unwrap();
    let config = layers.resolve().unwrap();
    let options = config.env.env_options().unwrap();
    assert_eq!(options["rows"], OptionValue::Int(7));
    assert_eq!(options["fast"], OptionValue::Bool(true));
    assert_eq!(options["speed"], OptionValue::Float(0.5));
    assert_eq!(options["map"], OptionValue::List(vec!["ab".into(), "cd".into()]));
    assert_eq!(options["name"], OptionValue::Text("slow".into()));
    let written = toml::to_string(&config).unwrap();
    assert_eq!(Layers::new().text("again", &written).unwrap().resolve().unwrap(), config);
    // Bare words, quoted words and TOML's own types.
    let set = |setting: &str| Layers::new().set(setting).unwrap().resolve().unwrap().env.options["x"].clone();
    assert_eq!(set("env.options.x=\"7\""), toml::Value::String("7".into()));
    assert_eq!(set("env.options.x=7"), toml::Value::Integer(7));
    assert_eq!(set("env.options.x= two words "), toml::Value::String("two words".into()));
    let unusual = Layers::new().set("env.options.x=[1, 2]").unwrap().resolve().unwrap();
    assert_eq!(unusual.env.env_options().unwrap_err(), "x");
    assert!(requel::Trainer::new(unusual).is_err());
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("none.toml");
    let error = Layers::new().file(&path).unwrap_err();
    assert!(matches!(error, ConfigError::Read { .. }) && error.to_string().contains("none.toml"), "{error}");
    std::fs::write(&path, b"[agent]\ngamma = \xff\n").unwrap();
    assert!(matches!(Layers::new().file(&path), Err(ConfigError::Read { .. })));
}
