//! `train --seeds`: many runs at once, each as it would be alone.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::interruptions::assert_same;
use crate::tool::{Desk, SHORT};

fn args<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["train", "--run-dir", "all"], SHORT, more].concat()
}

#[test]
fn seeds_side_by_side_are_the_runs_they_are_alone() {
    let desk = Desk::new();
    let answer = desk.ok(&args(&["--seeds", "3..=5", "--jobs", "2", "--json", "--quiet"]));
    assert_eq!(answer.err, "");
    for seed in ["3", "4", "5"] {
        let alone = desk.train(&format!("alone-{seed}"), &["--seed", seed]).last();
        let number: u64 = seed.parse().unwrap();
        let together: Vec<Value> =
            answer.json().into_iter().filter(|l| l["event"] == "run_finished" && l["seed"] == number).collect();
        assert_eq!(together.len(), 1);
        for key in ["weights_blake3", "best_evaluation", "final_evaluation", "env_steps", "train_return_last_100"] {
            assert_eq!(together[0][key], alone[key], "{key} of seed {seed}");
        }
        assert_same(&desk.path(&format!("alone-{seed}")), &desk.path(&format!("all/seed-{seed}")));
    }
    let last = answer.last();
    assert_eq!((&last["event"], &last["seeds"]), (&"seeds_finished".into(), &serde_json::json!([3, 4, 5])));
    // Of three seeds there is a middle, and no interval.
    let middle = &last["best_evaluation"];
    assert!(middle["interquartile_mean"].is_f64() && middle["low"].is_null() && middle["high"].is_null(), "{last}");
    assert!(answer.json().iter().all(|line| line["event"] == "seeds_finished" || line["seed"].is_u64()));
}

#[test]
fn a_table_ends_it_and_the_same_command_again_trains_nothing() {
    let desk = Desk::new();
    let first = desk.ok(&[&["train", "--seeds", "2"], SHORT].concat());
    let rows: Vec<&str> = first.out.lines().collect();
    assert!(rows[0].trim_start().starts_with("seed") && rows[1].trim_start().starts_with("0 "), "{}", first.out);
    assert!(
        first.out.contains("interquartile mean over 2 seeds") && first.out.contains("fewer than 5 seeds"),
        "{}",
        first.out
    );
    assert!(first.err.contains("seed 1") && first.err.contains("requel compare runs/"), "{}", first.err);
    let dirs: Vec<String> =
        std::fs::read_dir(desk.path("runs")).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    assert!(dirs.len() == 1 && dirs[0].starts_with("CartPole-v1__notebook__seeds__"), "{dirs:?}");
    assert!(desk.path("runs").join(&dirs[0]).join("seed-1/report.html").exists());

    let again = desk.ok(&[&["train", "--seeds", "2"], SHORT].concat());
    assert!(again.err.contains("2 of 2 runs are finished already"), "{}", again.err);
    assert_eq!(again.out, first.out);
    let more = desk.ok(&[&["train", "--seeds", "3"], SHORT].concat());
    assert!(more.err.contains("2 of 3 runs are finished already"), "{}", more.err);
    assert!(more.out.contains("over 3 seeds"));
}

#[test]
fn what_a_run_warns_of_is_said_with_its_name_however_quiet() {
    let desk = Desk::new();
    let answer = desk.ok(&args(&["--seeds", "2", "--json", "--quiet", "--set", "log.long_episode_steps=20"]));
    for seed in ["seed 0", "seed 1"] {
        let said = answer.err.lines().find(|line| line.contains(seed)).unwrap_or_else(|| panic!("{}", answer.err));
        assert!(said.contains("has lasted 20 env steps so far"), "{said}");
    }
}

#[test]
fn interrupted_and_resumed_all_are_as_if_nothing_had_happened() {
    let desk = Desk::new();
    let longer = ["--set", "train.env_steps=12000", "--jobs", "2", "--json", "--quiet", "--seeds", "0..3"];
    let whole = desk.ok(&[&["train", "--run-dir", "whole"], SHORT, &longer].concat());
    let mut child = desk.command(&args(&longer)).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let begun = lines.any(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap()["event"] == "train");
    assert!(begun, "ended too early");
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let last: Value = serde_json::from_str(&lines.last().unwrap().unwrap()).unwrap();
    assert_eq!(last["event"], "run_interrupted");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    // The third had not begun, and is known all the same.
    assert!(desk.path("all/seed-2/config.toml").exists() && !desk.path("all/seed-2/summary.json").exists());

    let resumed = desk.ok(&["resume", "all", "--json", "--quiet"]);
    let (one, mut other) = (whole.last(), resumed.last());
    other["run_dir"] = one["run_dir"].clone();
    assert_eq!(one, other);
    for seed in 0..3 {
        for file in ["metrics.jsonl", "summary.json", "best/policy.safetensors"] {
            let read = |root: &str| std::fs::read(desk.path(root).join(format!("seed-{seed}")).join(file)).unwrap();
            assert!(read("whole") == read("all"), "{file} of seed {seed}");
        }
    }
}

#[test]
fn what_cannot_be_trained_together_is_refused() {
    let desk = Desk::new();
    desk.train("single", &[]);
    let cases: &[(&[&str], &str)] = &[
        (&["train", "--seeds", "0..x"], "0..20, 5..=9, 0,3,7, or how many"),
        (&["train", "--seeds", "1,1"], "seed 1 is named twice"),
        (&["train", "--seeds", "0..3", "--seed", "1"], "cannot be used with"),
        (&["train", "--jobs", "2"], "--seeds"),
        (&["train", "--seeds", "0..3", "--run-dir", "single"], "is itself a run"),
        (&["train", "--seeds", "0..3", "--set", "agent.gama=1"], "did you mean `agent.gamma`?"),
    ];
    for (args, expected) in cases {
        let answer = desk.run(args);
        assert_eq!(answer.code, 2, "{args:?}\n{}", answer.err);
        assert!(answer.err.contains(expected), "{args:?}\n{}", answer.err);
        assert_eq!(desk.files(), ["single"]);
    }
    let different = desk.run(&[&["train", "--run-dir", "all", "--seeds", "2"], SHORT].concat());
    assert_eq!(different.code, 0);
    let other =
        desk.run(&[&["train", "--run-dir", "all", "--seeds", "2"], SHORT, &["--set", "agent.gamma=0.8"]].concat());
    assert!(other.code == 2 && other.err.contains("agent.gamma is 0.9, not 0.8"), "{}", other.err);
}
