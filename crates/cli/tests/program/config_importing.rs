//! Hyperparameters of other libraries as a config.

use crate::tool::Desk;

const ZOO: &str = "CartPole-v1:\n  n_timesteps: !!float 3e3\n  policy: 'MlpPolicy'\n  learning_rate: lin_1e-3\n  learning_starts: 500\n  exploration_fraction: 0.5\n  gradient_steps: -1\n  policy_kwargs: \"dict(net_arch=[32, 32])\"\n  normalize: true\nAcrobot-v1:\n  n_timesteps: 1000\n";

#[test]
fn an_imported_config_trains() {
    let desk = Desk::new();
    std::fs::write(desk.path("dqn.yml"), ZOO).unwrap();
    let answer = desk.ok(&["config", "import", "dqn.yml", "--env", "CartPole-v1", "--output", "mine.toml"]);
    assert_eq!(answer.out, "");
    assert!(answer.err.contains("`normalize` (true) has no counterpart"), "{}", answer.err);
    let text = std::fs::read_to_string(desk.path("mine.toml")).unwrap();
    assert_eq!(desk.ok(&["config", "import", "dqn.yml", "--env", "CartPole-v1"]).out, text);
    assert!(text.contains("hidden = [32, 32]") && text.contains("env_steps = 1500"), "{text}");
    let trained =
        desk.ok(&["train", "--config", "mine.toml", "--quiet", "--json", "--set", "evaluation.final_episodes=1"]);
    assert_eq!((&trained.last()["env_steps"], &trained.last()["updates"]), (&3000.into(), &2500.into()));
}

#[test]
fn what_cannot_be_imported_is_said_and_nothing_written() {
    let desk = Desk::new();
    std::fs::write(desk.path("dqn.yml"), ZOO).unwrap();
    std::fs::write(desk.path("broken.yml"), "a: [1, 2").unwrap();
    std::fs::write(desk.path("there.toml"), "mine").unwrap();
    std::fs::write(desk.path("large.yml"), vec![b'#'; (1 << 20) + 1]).unwrap();
    for (args, said) in [
        (&["dqn.yml"][..], "2 environments: CartPole-v1, Acrobot-v1"),
        (&["dqn.yml", "--env", "Acrobat-v1"], "did you mean `Acrobot-v1`?"),
        (&["broken.yml"], "not YAML or JSON"),
        (&["missing.yml"], "cannot read missing.yml"),
        (&["."], "cannot read .: it is a directory"),
        (&["/dev/zero"], "cannot read /dev/zero: it is a device"),
        (&["large.yml"], "cannot read large.yml: it has more than"),
        (&["dqn.yml", "--env", "CartPole-v1", "--output", "there.toml"], "there.toml already exists"),
    ] {
        let answer = desk.run(&[&["config", "import"][..], args].concat());
        assert_eq!(answer.code, 2, "{args:?}\n{}", answer.err);
        assert!(answer.err.contains(said), "{args:?}\n{}", answer.err);
    }
    assert_eq!(std::fs::read_to_string(desk.path("there.toml")).unwrap(), "mine");
}
