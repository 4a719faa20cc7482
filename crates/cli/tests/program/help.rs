//! What the program says of itself.

use crate::tool::Desk;

#[test]
fn help() {
    let desk = Desk::new();
    for command in [
        "train",
        "resume",
        "study",
        "compare",
        "eval",
        "watch",
        "report",
        "rollout",
        "envs",
        "presets",
        "config show",
        "completions",
    ] {
        let args: Vec<&str> = command.split(' ').chain(["--help"]).collect();
        insta::assert_snapshot!(format!("help {command}"), desk.ok(&args).out);
    }
    insta::assert_snapshot!("help", desk.ok(&["--help"]).out);
}

#[test]
fn no_command_shows_the_way() {
    let answer = Desk::new().run(&[]);
    assert_eq!((answer.code, answer.out.as_str()), (2, ""));
    assert!(answer.err.contains("requel train CartPole-v1"), "{}", answer.err);
}

#[test]
fn presets_are_listed_and_printed() {
    let desk = Desk::new();
    let list = desk.ok(&["presets"]).out;
    for name in ["cartpole", "cartpole-zoo", "notebook", "notebook-naive"] {
        assert!(list.lines().any(|line| line.starts_with(&format!("{name} "))), "{name} in {list}");
    }
    assert!(desk.ok(&["presets", "notebook"]).out.contains("capacity = 2000"));
}

#[test]
fn a_printed_preset_is_a_config_file() {
    let desk = Desk::new();
    std::fs::write(desk.path("mine.toml"), desk.ok(&["presets", "notebook"]).out).unwrap();
    let shown = desk.ok(&["config", "show", "--config", "mine.toml", "--set", "agent.gamma=0.5"]).out;
    assert!(shown.contains("gamma = 0.5 ") && shown.contains("capacity = 2000 "), "{shown}");
}

#[test]
fn config() {
    insta::assert_snapshot!(Desk::new().ok(&["config", "show", "--preset", "notebook", "--seed", "7"]).out);
}

#[test]
fn completions_know_the_commands() {
    let desk = Desk::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        assert!(desk.ok(&["completions", shell]).out.contains("rollout"), "{shell}");
    }
}

#[test]
fn the_manual_page_is_roff() {
    assert!(Desk::new().ok(&["man"]).out.contains(".TH requel 1"));
}

#[test]
fn colour_is_for_terminals() {
    let desk = Desk::new();
    for args in [&["envs"][..], &["presets"], &["config", "show"], &["rollout", "CartPole-v1"], &["envs", "nothing"]] {
        let answer = desk.run(args);
        assert!(!answer.out.contains('\x1b') && !answer.err.contains('\x1b'), "{args:?}");
    }
}
