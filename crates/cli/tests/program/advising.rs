//! What a config's numbers say about learning, and what the program says of it before the first step.

use crate::tool::{Answer, Desk, SHORT};

#[test]
fn training_that_cannot_learn_is_refused_before_anything_is_written() {
    let desk = Desk::new();
    let cases: [(&[&str], &str); 5] = [
        (&["--set", "replay.start=50000"], "`replay.start` is 50000"),
        (&["--set", "train.every_steps=10000"], "`train.every_steps` is 10000"),
        (&["--set", "target.kind=soft", "--set", "target.tau=0"], "`target.tau` is 0"),
        (&["--preset", "pqn", "--set", "pqn.rollout_steps=1000"], "`pqn.rollout_steps` is 1000"),
        (&["--set", "replay.start=50000", "--seeds", "2"], "`replay.start` is 50000"),
    ];
    for (settings, said) in cases {
        let answer = desk.run(&[&["train", "--set", "train.env_steps=2500", "--quiet"][..], settings].concat());
        assert_eq!(answer.code, 2, "{settings:?}\n{}", answer.err);
        assert!(answer.err.contains(said) && answer.err.contains("in --set"), "{settings:?}\n{}", answer.err);
    }
    let study = "name = \"s\"\nenv = \"CartPole-v1\"\nseeds = 1\n[[variant]]\nname = \"dead\"\npreset = \"notebook\"\nset = [\"replay.start=1999\", \"train.episodes=1\"]\n";
    std::fs::write(desk.path("s.toml"), study).unwrap();
    let answer = desk.run(&["study", "s.toml"]);
    assert_eq!(answer.code, 2, "{}", answer.err);
    assert!(answer.err.contains("variant `dead`: `replay.start` is 1999"), "{}", answer.err);
    assert!(!desk.path("studies").exists());
}

#[test]
fn what_does_not_come_to_its_end_is_warned_of_once_and_again_when_going_on() {
    let desk = Desk::new();
    let short = ["--set", "exploration.kind=linear", "--set", "exploration.end=0", "--set", "train.env_steps=900"];
    let answer = desk.ok(&[&["train", "--quiet", "--run-dir", "run"], SHORT, &short].concat());
    let warnings: Vec<&str> = answer.err.lines().filter(|line| line.starts_with("warning: ")).collect();
    assert_eq!(warnings.len(), 1, "{}", answer.err);
    assert!(warnings[0].starts_with("warning: `exploration.env_steps` is 10000"), "{}", answer.err);
    let quiet = desk.ok(&["resume", "run", "--quiet"]);
    assert!(!quiet.err.contains("exploration"), "a finished run has nothing before it: {}", quiet.err);
}

#[test]
fn a_study_of_several_environments_says_in_which_a_setting_is_odd() {
    let desk = Desk::new();
    let study = "name = \"s\"\nseeds = 1\nset = [\"train.env_steps=1100\", \"evaluation.final_episodes=1\"]\n\
                 [[task]]\nenv = \"CartPole-v1\"\npreset = \"notebook\"\n[[task]]\nenv = \"Toy/Catch-v0\"\n\
                 [[variant]]\nname = \"plain\"\n";
    std::fs::write(desk.path("s.toml"), study).unwrap();
    let answer = desk.ok(&["study", "s.toml"]);
    assert!(answer.err.contains("warning: plain on Toy/Catch-v0: `exploration.env_steps` is "), "{}", answer.err);
    assert!(answer.err.contains("s · CartPole-v1, Toy/Catch-v0 · 1 variant × 1 seed\n"), "{}", answer.err);
}

#[test]
fn a_setting_without_an_effect_is_warned_of_wherever_it_was_said() {
    let desk = Desk::new();
    let warnings = |answer: &Answer| -> Vec<String> {
        answer.err.lines().filter(|line| line.contains("no effect")).map(str::to_owned).collect()
    };
    std::fs::write(desk.path("mine.toml"), "preset = \"notebook\"\n[head]\natoms = 21\n").unwrap();
    let set = ["--config", "mine.toml", "--set", "target.tau=0.1", "--quiet", "--run-dir", "run"];
    let said = warnings(&desk.ok(&[&["train"], &SHORT[2..], &set].concat()));
    let expected = [
        "warning: `head.atoms` has no effect while `head.kind` is \"scalar\", in mine.toml, line 3: `atoms = 21`",
        "warning: `target.tau` has no effect while `target.kind` is \"none\", in --set",
    ];
    assert_eq!(said, expected);
    // The settings of a run are complete: those that it was not given by anybody are not warned of.
    let again = ["train", "--config", "run/config.toml", "--quiet", "--run-dir", "again"];
    assert_eq!(warnings(&desk.ok(&again)), [""; 0]);
    let on = desk.ok(&["resume", "run", "--quiet", "--set", "train.env_steps=3100", "--set", "loss.delta=2"]);
    assert_eq!(warnings(&on), ["warning: `loss.delta` has no effect while `loss.kind` is \"mse\", in --set"]);
    let study = "name = \"s\"\nenv = \"CartPole-v1\"\nseeds = 2\nset = [\"train.env_steps=900\", \"train.episodes=0\"]\n[[variant]]\n\
                 name = \"plain\"\npreset = \"notebook\"\nset = [\"head.atoms=21\"]\n";
    std::fs::write(desk.path("s.toml"), study).unwrap();
    let said = warnings(&desk.ok(&["study", "s.toml", "--quiet"]));
    let why = "`head.atoms` has no effect while `head.kind` is \"scalar\"";
    assert_eq!(said, [format!("warning: {why}, in the `set` of variant `plain`")]);
}
