//! Two programs at once, starts that are refused, and ends that were cut off.

use std::process::{Child, Stdio};

use requel::run::Run;

use crate::interruptions::assert_same;
use crate::tool::{Answer, Desk};

/// A training that is over at once.
const TINY: &[&str] = &[
    "train",
    "--quiet",
    "--preset",
    "notebook",
    "--set",
    "train.env_steps=60",
    "--set",
    "train.episodes=0",
    "--set",
    "replay.start=40",
];

fn start(desk: &Desk, args: &[&str]) -> Child {
    desk.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Starts both at the same moment, and says how each ended.
fn both(desk: &Desk, one: &[&str], other: &[&str]) -> [Answer; 2] {
    [start(desk, one), start(desk, other)].map(|child| {
        let output = child.wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Answer { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
    })
}

fn gamma(config: &std::path::Path) -> String {
    let text = std::fs::read_to_string(config).unwrap();
    text.lines().find(|line| line.starts_with("gamma = ")).unwrap().to_owned()
}

const GAMMAS: [&str; 2] = ["agent.gamma=0.5", "agent.gamma=0.75"];

#[test]
fn trainings_started_together_each_have_a_directory_and_their_own_config() {
    for _ in 0..4 {
        let desk = Desk::new();
        let args = GAMMAS.map(|gamma| [TINY, &["--set", gamma]].concat());
        let answers = both(&desk, &args[0], &args[1]);
        assert!(answers.iter().all(|answer| answer.code == 0), "{} {}", answers[0].err, answers[1].err);
        let runs = std::fs::read_dir(desk.path("runs")).unwrap().map(|entry| entry.unwrap().path());
        let mut gammas: Vec<String> = runs.map(|run| gamma(&run.join("config.toml"))).collect();
        gammas.sort_unstable();
        assert_eq!(gammas, ["gamma = 0.5", "gamma = 0.75"]);
    }
}

#[test]
fn of_two_trainings_into_one_directory_one_is_refused() {
    for _ in 0..4 {
        let desk = Desk::new();
        let args = GAMMAS.map(|gamma| [TINY, &["--run-dir", "a run", "--set", gamma]].concat());
        let answers = both(&desk, &args[0], &args[1]);
        let won = answers.iter().position(|answer| answer.code == 0).unwrap();
        let lost = &answers[1 - won];
        assert!(lost.code == 2 && lost.err.contains("requel resume 'a run'"), "{}", lost.err);
        assert_eq!(gamma(&desk.path("a run/config.toml")), ["gamma = 0.5", "gamma = 0.75"][won]);
        desk.ok(&["verify", "a run"]);
    }
}

#[test]
fn a_group_that_is_started_twice_is_trained_once() {
    let desk = Desk::new();
    let args = [TINY, &["--seeds", "3", "--run-dir", "all"]].concat();
    let answers = both(&desk, &args, &args);
    assert!(answers.iter().all(|answer| answer.code == 0), "{} {}", answers[0].err, answers[1].err);
    assert_eq!(answers[0].out, answers[1].out);
    for seed in 0..3 {
        let run = format!("all/seed-{seed}");
        desk.ok(&["verify", &run]);
        assert!(desk.path(&run).join("report.html").exists());
    }
}

#[test]
fn what_has_no_room_is_refused_before_anything_is_written() {
    let desk = Desk::new();
    // A billion checkpoints, all of them due.
    let huge: &[&str] = &["--keep", "1000000000", "--every", "1", "--set", "train.env_steps=1000000000000"];
    let study = "name = \"s\"\nenv = \"CartPole-v1\"\nseeds = \"0..2\"\nset = [\"checkpoint.keep=1000000000\", \"checkpoint.every_steps=1\", \"train.env_steps=1000000000000\"]\n[[variant]]\nname = \"a\"\n";
    std::fs::write(desk.path("s.toml"), study).unwrap();
    for args in [
        [TINY, huge].concat(),
        [TINY, huge, &["--run-dir", "a/b"]].concat(),
        [TINY, huge, &["--run-dir", "all", "--seeds", "2"]].concat(),
        vec!["study", "s.toml"],
    ] {
        let answer = desk.run(&args);
        assert!(answer.code == 1 && answer.err.contains("are free in"), "{args:?}: {}", answer.err);
        assert_eq!(desk.files(), ["s.toml"], "{args:?}");
    }
    desk.ok(&[TINY, &["--run-dir", "a/b"]].concat());
}

#[test]
fn the_newest_run_is_one_that_the_verb_can_use() {
    let desk = Desk::new();
    desk.ok(&[TINY, &["--run-dir", "runs/trained"]].concat());
    let begin = |name: &str| {
        std::thread::sleep(std::time::Duration::from_millis(20));
        std::fs::create_dir(desk.path(name)).unwrap();
        let config = std::fs::read(desk.path("runs/trained/config.toml")).unwrap();
        std::fs::write(desk.path(name).join("config.toml"), config).unwrap();
    };
    begin("runs/begun");
    for args in [&["eval", "--episodes", "2"][..], &["report"], &["export"], &["watch", "--png", "p.png"]] {
        desk.ok(args);
    }
    assert!(desk.path("runs/trained/policy.onnx").exists() && desk.path("runs/trained/report.html").exists());
    assert!(desk.ok(&["verify"]).out.contains("runs/begun"));
    // The older of two is what can be gone on with, and after that the newest at all.
    desk.ok(&[TINY, &["--run-dir", "runs/later"]].concat());
    assert!(desk.ok(&["resume"]).err.contains("runs/begun"));
    assert!(desk.path("runs/begun/summary.json").exists());
    assert!(desk.ok(&["resume"]).err.contains("runs/later is finished"));
}

#[test]
fn the_end_of_a_seed_that_was_cut_off_is_made_again() {
    let desk = Desk::new();
    let args = [TINY, &["--seeds", "2", "--run-dir", "d"]].concat();
    desk.ok(&args);
    let page = desk.path("d/seed-1/report.html");
    for again in [&["resume", "d", "--quiet"][..], &args] {
        std::fs::remove_file(&page).unwrap();
        desk.ok(again);
        assert!(page.exists());
    }
    // Killed after the summary, in the writing of the seal.
    desk.ok(&[TINY, &["--seed", "1", "--run-dir", "alone"]].concat());
    let sums = desk.path("d/seed-1/checksums.blake3");
    let config = Run::open(&desk.path("d/seed-1")).unwrap().config().unwrap();
    Run::create(&desk.path("begun"), &config).unwrap();
    std::fs::copy(desk.path("begun/checksums.blake3"), &sums).unwrap();
    std::fs::remove_file(&page).unwrap();
    let found = desk.run(&["verify", "d/seed-1"]);
    assert!(found.code == 1 && found.out.contains("the end of the run was interrupted"), "{}", found.out);
    desk.ok(&args);
    desk.ok(&["verify", "d/seed-1"]);
    assert!(page.exists() && std::fs::read_to_string(&sums).unwrap().lines().count() > 7);
    assert_same(&desk.path("alone"), &desk.path("d/seed-1"));
}

#[test]
fn suggested_commands_can_be_pasted_where_a_path_has_spaces() {
    let desk = Desk::new();
    let said = [&["train"], &TINY[2..]].concat();
    let answer = desk.ok(&[&said[..], &["--run-dir", "mit Leer zeichen/a"]].concat());
    assert!(answer.err.contains("requel watch 'mit Leer zeichen/a'"), "{}", answer.err);
    let answer = desk.ok(&[&said[..], &["--run-dir", "it's all", "--seeds", "2"]].concat());
    assert!(answer.err.contains(r"requel compare 'it'\''s all'"), "{}", answer.err);
}
