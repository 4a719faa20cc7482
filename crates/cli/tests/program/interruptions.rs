//! Signals and sudden death.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::tool::{Answer, Desk, SHORT, newest_checkpoint};

/// Starts the program and waits until it has printed a line that `wanted` accepts.
fn start(desk: &Desk, args: &[&str], wanted: impl Fn(&Value) -> bool) -> (Child, BufReader<std::process::ChildStdout>) {
    let mut child = desk.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let found = out.by_ref().lines().any(|line| wanted(&serde_json::from_str(&line.unwrap()).unwrap()));
    assert!(found, "the program ended too early");
    (child, out)
}

fn reached(event: &'static str, env_steps: u64) -> impl Fn(&Value) -> bool {
    move |line| line["event"] == event && line["env_steps"].as_u64().is_some_and(|steps| steps >= env_steps)
}

fn send(signal: &str, child: &Child) {
    assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
}

/// What must be the same, byte for byte, in two runs of the same config.
pub fn assert_same(one: &Path, other: &Path) {
    for file in ["metrics.jsonl", "progress.csv", "summary.json", "config.toml", "best/policy.safetensors"] {
        assert!(std::fs::read(one.join(file)).unwrap() == std::fs::read(other.join(file)).unwrap(), "{file} differs");
    }
    let (one, other) = (newest_checkpoint(one), newest_checkpoint(other));
    assert_eq!(one.file_name(), other.file_name());
    let mut files: Vec<_> = std::fs::read_dir(&one).unwrap().map(|e| e.unwrap().file_name()).collect();
    // They say how often was saved, and what TensorBoard's events with their times are.
    files.retain(|name| !name.to_string_lossy().starts_with("manifest"));
    assert!(
        files.iter().any(|name| name == "network.safetensors") && files.iter().any(|name| name == "replay.safetensors")
    );
    for file in files {
        assert!(
            std::fs::read(one.join(&file)).unwrap() == std::fs::read(other.join(&file)).unwrap(),
            "{file:?} differs"
        );
    }
}

/// Long enough that there is time to interrupt it.
const LONGER: &[&str] = &["--set", "train.env_steps=12000"];

fn train_args(run: &str) -> Vec<&str> {
    [&["train", "--json", "--quiet", "--run-dir", run], SHORT, LONGER].concat()
}

/// Ends the program where it stands; it must not have come to its own end yet.
fn kill(mut child: Child, run: &Path) {
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!run.join("summary.json").exists(), "the program was too fast to be killed");
}

fn resume(desk: &Desk, run: &str) -> Answer {
    desk.ok(&["resume", run, "--json", "--quiet"])
}

#[test]
fn killed_twice_and_resumed_is_the_run_that_was_never_interrupted() {
    let desk = Desk::new();
    let whole = desk.train("whole", LONGER).last();

    let (child, _) = start(&desk, &train_args("killed"), reached("train", 1250));
    kill(child, &desk.path("killed"));
    let (child, _) = start(&desk, &["resume", "killed", "--json"], reached("checkpoint", 2000));
    kill(child, &desk.path("killed"));

    let last = resume(&desk, "killed").last();
    assert_eq!(last["weights_blake3"], whole["weights_blake3"]);
    assert_same(&desk.path("whole"), &desk.path("killed"));
}

#[test]
fn killed_before_the_first_checkpoint_begins_anew() {
    let desk = Desk::new();
    desk.train("whole", LONGER);
    let (child, _) = start(&desk, &train_args("killed"), reached("episode", 1));
    kill(child, &desk.path("killed"));
    resume(&desk, "killed");
    assert_same(&desk.path("whole"), &desk.path("killed"));
}

#[test]
fn asked_to_stop_it_saves_says_so_and_can_go_on() {
    let desk = Desk::new();
    desk.train("whole", LONGER);
    for (signal, code) in [("-INT", 130), ("-TERM", 143), ("-HUP", 129)] {
        let run = format!("stopped{signal}");
        let (mut child, mut out) = start(&desk, &train_args(&run), reached("train", 750));
        send(signal, &child);
        let mut rest = String::new();
        out.read_to_string(&mut rest).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(code));
        let last: Value = serde_json::from_str(rest.lines().last().unwrap()).unwrap();
        assert_eq!(last["event"], "run_interrupted");
        let saved = desk.path(last["checkpoint"].as_str().unwrap());
        assert_eq!(newest_checkpoint(&desk.path(&run)), saved);
        resume(&desk, &run);
        assert_same(&desk.path("whole"), &desk.path(&run));
    }
}

#[test]
fn two_at_one_run_are_kept_apart() {
    let desk = Desk::new();
    let (child, out) = start(&desk, &train_args("run"), reached("episode", 1));
    let answer = desk.run(&["resume", "run"]);
    assert!(answer.code == 1 && answer.err.contains("is in use by another process"), "{}", answer.err);
    assert_eq!(desk.run(&["train", "--run-dir", "run"]).code, 2);
    // The first one did not notice.
    drop(out);
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(0));
    desk.train("whole", LONGER);
    assert_same(&desk.path("whole"), &desk.path("run"));
}

/// A second Ctrl-C does not wait for what the first one asked for; what was saved before is there.
#[test]
fn asked_twice_it_stops_at_once_and_can_still_go_on() {
    let desk = Desk::new();
    desk.train("whole", LONGER);
    let (mut child, _out) = start(&desk, &train_args("stopped"), reached("checkpoint", 1000));
    send("-INT", &child);
    // It may have come to its end by then.
    let _ = Command::new("kill").args(["-INT", &child.id().to_string()]).stderr(Stdio::null()).status();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    resume(&desk, "stopped");
    assert_same(&desk.path("whole"), &desk.path("stopped"));
}

#[test]
fn a_damaged_checkpoint_is_stepped_over_and_named() {
    let desk = Desk::new();
    let whole = desk.train("run", &[]).last();
    let newest = newest_checkpoint(&desk.path("run")).join("network.safetensors");
    let mut bytes = std::fs::read(&newest).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&newest, bytes).unwrap();
    let answer = desk.ok(&["resume", "run", "--json"]);
    assert!(
        answer.err.starts_with("warning: ") && answer.err.contains("network.safetensors is damaged"),
        "{}",
        answer.err
    );
    assert_eq!(answer.last()["weights_blake3"], whole["weights_blake3"]);
}

#[test]
fn a_finished_run_can_be_resumed_in_vain() {
    let desk = Desk::new();
    let whole = desk.train("run", &[]).last();
    let metrics = std::fs::read(desk.path("run/metrics.jsonl")).unwrap();
    let answer = desk.ok(&["resume", "run", "--json"]);
    assert!(answer.err.contains("is finished"), "{}", answer.err);
    assert_eq!(answer.last()["final_evaluation"], whole["final_evaluation"]);
    assert!(std::fs::read(desk.path("run/metrics.jsonl")).unwrap() == metrics);
}

#[test]
fn training_goes_on_when_nobody_reads() {
    let desk = Desk::new();
    let (mut child, out) = start(&desk, &train_args("run"), reached("episode", 1));
    drop(out);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(desk.path("run/summary.json").exists());
}
