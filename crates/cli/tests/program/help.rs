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
        "config import",
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
fn the_schema_of_a_config_is_json_with_every_section() {
    let schema: serde_json::Value = serde_json::from_str(&Desk::new().ok(&["config", "schema"]).out).unwrap();
    assert_eq!(schema["properties"]["train"]["properties"]["seed"]["type"], "integer");
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
fn completions_offer_what_there_is_a_list_of_and_directories_for_runs() {
    let desk = Desk::new();
    for shell in ["bash", "zsh", "fish"] {
        let script = desk.ok(&["completions", shell]).out;
        for name in ["MountainCar-v0", "MinAtar/Breakout-v1", "munchausen-dqn", "notebook-ladder"] {
            assert!(script.contains(name), "no {name} for {shell}");
        }
    }
    // Where there is a list, no files; for a number nothing.
    let bash = desk.ok(&["completions", "bash"]).out;
    let after = |option: &str| bash.split_once(option).unwrap().1.split_once(";;").unwrap().0;
    assert!(after("--preset)").contains("compgen -W"), "{}", after("--preset)"));
    assert!(after("--run-dir)").contains("plusdirs"), "{}", after("--run-dir)"));
    assert!(!after("--seed)").contains("compgen -f"), "{}", after("--seed)"));
    // It is completion alone that is told: what is typed is still answered with a hint.
    let answer = desk.run(&["train", "CartPoel-v1"]);
    assert!(answer.code == 2 && answer.err.contains("did you mean"), "{}", answer.err);
}

#[test]
fn help_for_help_is_help() {
    let desk = Desk::new();
    for args in [&["help", "--help"][..], &["help", "-h"]] {
        assert_eq!(desk.ok(args).out, desk.ok(&["help"]).out);
    }
    assert_eq!(desk.ok(&["help", "train", "--help"]).out, desk.ok(&["train", "--help"]).out);
    assert!(desk.ok(&["--help"]).out.contains("\n  man "), "`requel man` is hidden");
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
