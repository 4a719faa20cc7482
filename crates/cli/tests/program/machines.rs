//! A study by several processes that share nothing but a directory, on a file system that delays and fails renames, links and locks,
//! some of them killed.

use std::collections::BTreeMap;
use std::fs::File;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::tool::Desk;

fn study(seeds: u64) -> String {
    format!(
        r#"
name = "many"
env = "CartPole-v1"
seeds = {seeds}
set = [
    "train.episodes=0", "train.env_steps=1500", "network.hidden=[16]", "evaluation.every_steps=500",
    "evaluation.every_episodes=0", "evaluation.episodes=2", "evaluation.final_episodes=2", "checkpoint.every_steps=250",
]
[[variant]]
name = "near"
preset = "notebook"
set = ["agent.gamma=0.5"]
[[variant]]
name = "far"
preset = "notebook"
"#
    )
}

/// A library that makes a bad disk of a good one; `None` where there is no C compiler.
fn bad_disk(desk: &Desk) -> Option<PathBuf> {
    let library = desk.path("bad_disk.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/program/bad_disk.c");
    let arguments = ["-shared", "-fPIC", "-O1", "-o"];
    let mut compiler = Command::new("cc");
    let built = compiler.args(arguments).arg(&library).arg(source).arg("-ldl").stderr(Stdio::inherit()).status();
    built.is_ok_and(|status| status.success()).then_some(library)
}

fn start(desk: &Desk, args: &[&str], library: Option<&Path>, told: &Path) -> Child {
    let mut command = desk.command(args);
    if let Some(library) = library {
        command.env("LD_PRELOAD", library);
    }
    // A pipe that nobody reads would hold the worker up.
    command.stdout(File::create(told).unwrap()).stderr(Stdio::null()).spawn().unwrap()
}

/// What four workers of which two are killed at random leave, held against the runs of one process on a good disk.
fn four_of_which_two_are_killed(seeds: u64) {
    let desk = Desk::new();
    std::fs::write(desk.path("many.toml"), study(seeds)).unwrap();
    desk.ok(&["study", "many.toml", "--out", "whole", "--quiet"]);
    let library = bad_disk(&desk);
    let work = ["study", "many.toml", "--out", "shared", "--join", "--lease", "1", "--jobs", "1", "--json", "--quiet"];
    let told = |number: usize| desk.path(&format!("worker-{number}.jsonl"));
    let started = |number| (number, start(&desk, &work, library.as_deref(), &told(number)));
    let mut workers: Vec<(usize, Child)> = (0..4).map(started).collect();
    let chance = |below: u64| RandomState::new().build_hasher().finish() % below.max(1);
    let done = || runs_of(&desk.path("shared")).iter().filter(|(_, dir)| dir.join("summary.json").exists()).count();
    let began = Instant::now();
    for _ in 0..2 {
        // At some moment before the end, which may be in the middle of anything.
        let at = done() as u64 + chance(seeds / 2);
        while (done() as u64) < at && began.elapsed() < Duration::from_secs(500) {
            std::thread::sleep(Duration::from_millis(5));
        }
        std::thread::sleep(Duration::from_millis(chance(100)));
        let (_, mut victim) = workers.remove(chance(workers.len() as u64) as usize);
        victim.kill().unwrap();
        victim.wait().unwrap();
    }
    let mut finished: BTreeMap<String, u32> = BTreeMap::new();
    for (number, mut worker) in workers {
        assert_eq!(worker.wait().unwrap().code(), Some(0));
        for line in std::fs::read_to_string(told(number)).unwrap().lines() {
            let event: Value = serde_json::from_str(line).unwrap();
            if event["event"] == "run_finished" {
                *finished.entry(event["run_dir"].as_str().unwrap().to_owned()).or_default() += 1;
            }
        }
    }
    assert!(finished.values().all(|count| *count == 1), "{finished:?}");
    desk.ok(&["study", "many.toml", "--out", "shared", "--merge", "--quiet"]);
    let (whole, shared) = (runs_of(&desk.path("whole")), runs_of(&desk.path("shared")));
    assert_eq!(whole.len() as u64, 2 * seeds);
    assert!(whole.keys().eq(shared.keys()));
    for (name, dir) in &whole {
        for file in ["config.toml", "metrics.jsonl", "progress.csv", "summary.json", "best/policy.safetensors"] {
            let read = |dir: &Path| std::fs::read(dir.join(file)).unwrap();
            assert!(read(dir) == read(&shared[name]), "{file} of {name}");
        }
    }
    for dir in shared.values() {
        desk.ok(&["verify", dir.to_str().unwrap()]);
    }
}

/// Runs by the names of their variant and their own.
fn runs_of(root: &Path) -> BTreeMap<String, PathBuf> {
    let dirs = |dir: &Path| {
        let entries = std::fs::read_dir(dir).into_iter().flatten().map(|entry| entry.unwrap().path());
        entries.filter(|path| path.is_dir()).collect::<Vec<_>>()
    };
    let runs = dirs(root).into_iter().flat_map(|variant| dirs(&variant));
    let named = |dir: PathBuf| Some((dir.strip_prefix(root).ok()?.to_str()?.to_owned(), dir));
    runs.filter(|dir| dir.join("config.toml").exists()).filter_map(named).collect()
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "needs LD_PRELOAD")]
fn a_few_runs_by_four_processes_of_which_two_are_killed() {
    four_of_which_two_are_killed(6);
}

/// `cargo xtask test machines`
#[test]
#[ignore = "takes minutes"]
fn two_hundred_runs_by_four_processes_of_which_two_are_killed() {
    four_of_which_two_are_killed(100);
}

#[test]
fn shares_are_trained_apart_and_merged() {
    let desk = Desk::new();
    std::fs::write(desk.path("many.toml"), study(2)).unwrap();
    desk.ok(&["study", "many.toml", "--out", "whole", "--quiet"]);
    let share =
        |number: &str| desk.ok(&["study", "many.toml", "--out", "shared", "--only", number, "--json", "--quiet"]);
    let first = share("1/3").last();
    assert!(first["event"] == "worker_finished" && first["runs"] == 2, "{first}");
    let early = desk.run(&["study", "many.toml", "--out", "shared", "--merge"]);
    assert!(early.code == 1 && early.err.contains("2 of 4 runs are not finished"), "{}", early.err);
    assert!(!desk.path("shared/study.md").exists());
    share("2/3");
    let last = desk.ok(&["study", "many.toml", "--out", "shared", "--only", "3/3"]);
    assert!(last.err.contains("requel study many.toml --out shared --merge"), "{}", last.err);
    desk.ok(&["study", "many.toml", "--out", "shared", "--merge", "--quiet"]);
    let told = |root: &str| {
        let text = std::fs::read_to_string(desk.path(root).join("study.json")).unwrap();
        let mut groups = serde_json::from_str::<Value>(&text).unwrap()["groups"].take();
        for group in groups.as_array_mut().unwrap() {
            group["wall_seconds"] = Value::Null;
            group["runs"].as_array_mut().unwrap().iter_mut().for_each(|run| run["wall_seconds"] = Value::Null);
        }
        groups
    };
    assert!(told("whole")[0]["score"]["value"].is_f64());
    assert_eq!(told("whole"), told("shared"));
    // A study of the same name and another variant is none to take part in.
    std::fs::write(desk.path("other.toml"), study(2).replace("agent.gamma=0.5", "agent.gamma=0.6")).unwrap();
    let before = std::fs::read(desk.path("shared/study.md")).unwrap();
    for way in [&["--join"][..], &["--only", "1/3"], &["--merge"], &[]] {
        let refused = desk.run(&[&["study", "other.toml", "--out", "shared"], way].concat());
        assert!(refused.code == 2 && refused.err.contains("holds another study: variant differs"), "{}", refused.err);
    }
    assert!(std::fs::read(desk.path("shared/study.md")).unwrap() == before);
    std::fs::create_dir(desk.path("search")).unwrap();
    std::fs::write(desk.path("search/search.json"), "{}").unwrap();
    for way in [&["--join"][..], &["--merge"], &[]] {
        let refused = desk.run(&[&["study", "many.toml", "--out", "search"], way].concat());
        assert!(refused.code == 2 && refused.err.contains("is a search"), "{}", refused.err);
    }
    assert_eq!(std::fs::read_dir(desk.path("search")).unwrap().count(), 1);
    for wrong in ["0/3", "4/3", "x"] {
        let refused = desk.run(&["study", "many.toml", "--only", wrong]);
        assert!(refused.code == 2 && refused.err.contains("is not a share"), "{}", refused.err);
    }
}
