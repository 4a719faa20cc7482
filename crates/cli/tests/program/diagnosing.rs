//! What is wrong with a training is named, and nothing where nothing is.

use std::fs;

use serde_json::Value;

use crate::tool::{Desk, SHORT};

fn checks(line: &Value) -> Vec<&str> {
    line["findings"].as_array().unwrap().iter().map(|finding| finding["check"].as_str().unwrap()).collect()
}

#[test]
fn findings_are_told_in_words_and_as_json() {
    let desk = Desk::new();
    desk.train("runs/well", &[]);
    let sick = ["--set", "optimizer.learning_rate=0.5", "--set", "exploration.start=1", "--set", "log.every_steps=100"];
    let answer = desk.run(&[&["train", "--run-dir", "runs/sick"], SHORT, &sick].concat());
    assert!(answer.code == 0 && answer.err.contains("warning: update-ratio at env step"), "{}", answer.err);

    let line = desk.ok(&["diagnose", "runs/well", "--json"]).last();
    assert_eq!((line["run"].as_str(), checks(&line)), (Some("runs/well"), vec![]));
    assert!(desk.ok(&["diagnose", "runs/well"]).out.contains("nothing found"));
    let line = desk.ok(&["diagnose", "runs/sick", "--json"]).last();
    assert!(checks(&line).contains(&"exploration") && checks(&line).contains(&"update-ratio"), "{line}");
    let first = &line["findings"][0];
    assert!(first["severity"] == "fault" && first["evidence"].is_string() && first["advice"].is_string(), "{first}");
    let words = desk.ok(&["diagnose", "runs/sick"]).out;
    assert!(words.contains("fault   exploration") && words.contains("try: "), "{words}");

    // A directory of many, the newest, and what is no run.
    assert_eq!(desk.ok(&["diagnose", "runs", "--json"]).out.lines().count(), 2);
    assert!(desk.ok(&["diagnose"]).out.contains("runs/"));
    assert_eq!(desk.run(&["diagnose", "nowhere"]).code, 2);
}

#[test]
fn findings_are_events_too() {
    let desk = Desk::new();
    let sick = ["--json", "--set", "optimizer.learning_rate=0.5", "--set", "log.every_steps=100"];
    let answer = desk.ok(&[&["train", "--run-dir", "sick"], SHORT, &sick].concat());
    let lines: Vec<Value> = answer.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let found: Vec<&Value> = lines.iter().filter(|line| line["event"] == "finding").collect();
    assert!(found.iter().any(|line| line["check"] == "update-ratio" && line["severity"] == "fault"), "{found:?}");
    let train = lines.iter().find(|line| line["event"] == "train" && !line["td_error_median"].is_null());
    assert!(train.is_some_and(|line| line["gradient_norm"].is_number()), "{train:?}");
}

#[test]
fn what_is_damaged_is_never_all_well() {
    let desk = Desk::new();
    for run in ["runs/a", "runs/b", "runs/c"] {
        desk.train(run, &[]);
    }
    // A log that is not the one of the run: alone an error, among others a warning, and the others are told of.
    fs::write(desk.path("runs/b").join("metrics.jsonl"), "noise\n").unwrap();
    let alone = desk.run(&["diagnose", "runs/b", "--json"]);
    assert!(alone.code == 1 && alone.out.is_empty() && alone.err.contains("damaged"), "{}", alone.err);
    let all = desk.run(&["diagnose", "runs", "--json"]);
    assert_eq!((all.code, all.out.lines().count()), (1, 2), "{}", all.err);
    assert!(all.err.contains("skipping runs/b"), "{}", all.err);

    // Without its checkpoint less is known of a run, and that is said.
    let checkpoints = fs::read_dir(desk.path("runs/c").join("checkpoints")).unwrap();
    for checkpoint in checkpoints {
        fs::write(checkpoint.unwrap().path().join("state.json"), "{}").unwrap();
    }
    let answer = desk.ok(&["diagnose", "runs/c", "--json"]);
    assert!(answer.err.contains("damaged"), "{}", answer.err);
    assert_eq!(answer.last()["run"], "runs/c");
}
