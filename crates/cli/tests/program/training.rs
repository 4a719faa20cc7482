//! `train` and `eval`, uninterrupted.

use serde_json::Value;

use crate::tool::{Desk, SHORT};

#[test]
fn the_last_line_is_the_whole_result() {
    let desk = Desk::new();
    let answer = desk.train("run", &[]);
    assert_eq!(answer.err, "");
    let last = answer.last();
    assert_eq!(last["event"], "run_finished");
    assert_eq!((&last["env_steps"], &last["updates"]), (&3000.into(), &700.into()));
    for key in ["episodes", "wall_seconds", "env_steps_per_second", "updates_per_second", "train_return_last_100"] {
        assert!(last[key].as_f64().is_some_and(|v| v > 0.0), "{key} in {last}");
    }
    for key in ["best_evaluation", "final_evaluation"] {
        assert_eq!(last[key]["episodes"], 5);
        assert!(last[key]["mean_return"].is_f64() && last[key]["std_return"].is_f64(), "{last}");
    }
    assert_eq!(last["weights_blake3"].as_str().unwrap().len(), 64);
    assert_eq!(last["run_dir"], "run");
    let lines = answer.json();
    for event in ["episode", "train", "evaluation", "checkpoint"] {
        assert!(lines.iter().any(|line| line["event"] == event), "no {event}");
    }
}

#[test]
fn the_same_seed_gives_the_same_weights_however_it_is_reported() {
    let desk = Desk::new();
    let weights = |run: &str, more: &[&str]| desk.train(run, more).last()["weights_blake3"].clone();
    let first = weights("a", &["--seed", "4"]);
    assert_eq!(first, weights("b", &["--seed", "4"]));
    assert_ne!(first, weights("c", &["--seed", "5"]));
    desk.ok(&[&["train", "--run-dir", "d", "--seed", "4"], SHORT].concat());
    let summary: Value = serde_json::from_slice(&std::fs::read(desk.path("d/summary.json")).unwrap()).unwrap();
    assert_eq!(summary["weights_blake3"], first);
    let metrics = |run: &str| std::fs::read(desk.path(run).join("metrics.jsonl")).unwrap();
    assert!(metrics("a") == metrics("d"), "metrics depend on how they are reported");
}

#[test]
fn a_new_run_gets_a_name_and_is_found_again() {
    let desk = Desk::new();
    let answer = desk.ok(&[&["train", "--seed", "3"], SHORT].concat());
    let runs: Vec<_> = std::fs::read_dir(desk.path("runs")).unwrap().map(|e| e.unwrap().file_name()).collect();
    let name = runs[0].to_str().unwrap();
    assert!(name.starts_with("CartPole-v1__notebook__3__2") && runs.len() == 1, "{runs:?}");
    assert!(
        answer.out.starts_with("CartPole-v1 trained, but not solved (475 needed)\n") && answer.out.contains(name),
        "{}",
        answer.out
    );
    assert!(answer.err.contains("requel watch") && answer.err.contains("requel eval"), "{}", answer.err);

    let line = desk.ok(&["eval", "--json"]).last();
    assert_eq!(line["run_dir"].as_str().unwrap(), format!("runs/{name}"));
    assert_eq!(line["returns"].as_array().unwrap().len(), 100);
}

#[test]
fn eval_repeats_the_last_evaluation_unless_told_otherwise() {
    let desk = Desk::new();
    let last = desk.train("run", &[]).last();
    let line = desk.ok(&["eval", "run", "--episodes", "5", "--json"]).last();
    assert_eq!(line["mean_return"], last["best_evaluation"]["mean_return"]);
    assert_eq!(line["std_return"], last["best_evaluation"]["std_return"]);
    let other = desk.ok(&["eval", "run", "--episodes", "5", "--seed", "99", "--json"]).last();
    assert_ne!(line["returns"], other["returns"]);
    let words = desk.ok(&["eval", "run", "--episodes", "5"]).out;
    assert!(words.starts_with("return ") && words.contains("over 5 greedy episodes"), "{words}");
}

/// What a config puts around its environment is there whenever the policy is looked at again.
#[test]
fn a_policy_sees_its_environment_as_it_was_trained_in_it() {
    let desk = Desk::new();
    let common = [
        "evaluation.every_steps=600",
        "evaluation.final_episodes=3",
        "train.env_steps=600",
        "replay.start=400",
        "evaluation.episodes=3",
    ];
    let around: [(&str, &[&str]); 3] = [
        ("CartPole-v0", &["env.action_repeat=2", "env.sticky_actions=0.25"]),
        ("CartPole-v1", &["env.frame_stack=3"]),
        ("MinAtar/Breakout-v1", &["env.frame_stack=4", "network.conv=[[4, 3, 1]]", "evaluation.max_episode_steps=50"]),
    ];
    for (env, settings) in around {
        let dir = env.replace('/', "-");
        let sets: Vec<&str> = common.iter().chain(settings).flat_map(|setting| ["--set", setting]).collect();
        let last = desk.ok(&[&["train", env, "--json", "--run-dir", &dir], &sets[..]].concat()).last();
        // Stickiness draws from what the environment's seed begins, so that even that comes again.
        let line = desk.ok(&["eval", &dir, "--episodes", "3", "--json"]).last();
        assert_eq!(line["mean_return"], last["best_evaluation"]["mean_return"], "{env}: {line} after {last}");
        assert!(desk.path(&dir).join("report.html").is_file(), "{env}");
        desk.ok(&["watch", &dir, "--episodes", "1"]);
        desk.ok(&["export", &dir]);
    }
}

#[test]
fn every_environment_with_discrete_actions_trains_with_the_defaults() {
    let desk = Desk::new();
    let budget = [
        "--set",
        "train.env_steps=1200",
        "--set",
        "replay.start=500",
        "--set",
        "evaluation.final_episodes=2",
        "--set",
        "evaluation.max_episode_steps=100",
    ];
    for env in desk.ok(&["envs", "--json"]).json() {
        let id = env["id"].as_str().unwrap();
        if env["action_space"].as_str().unwrap().starts_with("Discrete") {
            let dir = id.replace('/', "-");
            let last = desk.ok(&[&["train", id, "--json", "--quiet", "--run-dir", &dir], &budget[..]].concat()).last();
            assert_eq!((&last["event"], &last["env_steps"]), (&"run_finished".into(), &1200.into()), "{id}");
        }
    }
}
