//! What is wrong with a training is named, and nothing where nothing is.

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
