//! `export`, `doctor` and the manual pages.

use serde_json::Value;

use crate::tool::Desk;

#[test]
fn a_policy_in_both_formats_and_what_to_check_it_with() {
    let desk = Desk::new();
    desk.train("run", &[]);
    let answer = desk.ok(&["export", "run", "--samples", "samples.jsonl"]);
    assert!(answer.err.contains("run/policy.onnx"), "{}", answer.err);
    let model = std::fs::read(desk.path("run/policy.onnx")).unwrap();
    // The version of the format comes first, then who made it.
    assert!(model.starts_with(b"\x08\x07\x12\x06requel"));
    let text = String::from_utf8_lossy(&model);
    for note in ["requel.environment", "CartPole-v1", "requel.observation_space", "push right"] {
        assert!(text.contains(note), "{note}");
    }

    let samples = std::fs::read_to_string(desk.path("samples.jsonl")).unwrap();
    let samples: Vec<Value> = samples.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(samples.len(), 64);
    let lengths = |key: &str| samples.iter().map(|row| row[key].as_array().unwrap().len()).collect::<Vec<_>>();
    assert!(samples.iter().all(|row| row["action"].as_u64().unwrap() < 2 && row.get("action_mask").is_none()));
    assert!(lengths("observation").iter().all(|n| *n == 4) && lengths("q_values").iter().all(|n| *n == 2));

    desk.ok(&["export", "run", "--format", "safetensors", "--output", "mine.safetensors"]);
    let best = std::fs::read(desk.path("run/best/policy.safetensors")).unwrap();
    assert!(std::fs::read(desk.path("mine.safetensors")).unwrap() == best);
}

#[test]
fn an_unknown_format_is_refused_with_those_there_are() {
    let desk = Desk::new();
    let answer = desk.run(&["export", "--format", "onxx"]);
    assert_eq!((answer.code, desk.files().len()), (2, 0));
    assert!(answer.err.contains("onnx, safetensors") && answer.err.contains("similar value"), "{}", answer.err);
}

#[test]
fn the_doctor_looks_at_everything_and_leaves_nothing() {
    let desk = Desk::new();
    let report = desk.ok(&["doctor", "--json"]).last();
    assert_eq!(report["healthy"], true);
    let names: Vec<&str> =
        report["findings"].as_array().unwrap().iter().map(|finding| finding["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["version", "machine", "instructions", "threads", "terminal", "memory", "disk", "runs"]);
    assert!(desk.ok(&["doctor"]).out.contains(env!("CARGO_PKG_VERSION")));
    assert!(desk.files().is_empty());
}

#[test]
fn a_kernel_that_is_not_there_is_broken() {
    let desk = Desk::new();
    let output = desk.command(&["doctor"]).env("REQUEL_KERNEL", "abacus").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stdout).contains("abacus"));
}

#[test]
fn every_command_has_a_manual_page() {
    let desk = Desk::new();
    desk.ok(&["man", "pages"]);
    let mut pages: Vec<_> = std::fs::read_dir(desk.path("pages")).unwrap().map(|e| e.unwrap().path()).collect();
    pages.sort();
    let names: Vec<_> = pages.iter().map(|page| page.file_name().unwrap().to_str().unwrap()).collect();
    for command in ["requel.1", "requel-train.1", "requel-watch.1", "requel-serve.1", "requel-config-show.1"] {
        assert!(names.contains(&command), "{command}: {names:?}");
    }
    assert!(pages.iter().all(|page| std::fs::read_to_string(page).unwrap().contains(".SH NAME")));
}
