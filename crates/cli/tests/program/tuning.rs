//! `tune`.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Instant;

use serde_json::Value;

use crate::tool::Desk;

/// A search of a few seconds without optimisation.
const SHORT: &[&str] = &[
    "tune",
    "CartPole-v1",
    "--preset",
    "notebook",
    "--algo",
    "dqn",
    "--trials",
    "6",
    "--seed",
    "3",
    "--trial-steps",
    "600",
    "--rungs",
    "2",
    "--trial-seeds",
    "1",
    "--fresh",
    "2",
    "--set",
    "evaluation.episodes=2",
    "--set",
    "evaluation.final_episodes=3",
    "--set",
    "checkpoint.every_steps=100",
];

fn args<'a>(dir: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [SHORT, &["--run-dir", dir], more].concat()
}

#[test]
fn killed_again_and_again_it_ends_with_the_same_winner() {
    let desk = Desk::new();
    let whole = desk.ok(&args("whole", &["--json", "--quiet"])).last();
    assert_eq!((&whole["event"], &whole["trials"]), (&"tune_finished".into(), &6.into()));
    assert!(
        whole["best"]["settings"].as_object().is_some_and(|settings| settings.contains_key("agent.gamma")),
        "{whole}"
    );
    assert!(whole["best"]["mean_return"].is_number() && whole["best"]["seeds"][7].is_number(), "{whole}");
    assert_eq!(whole["fresh"]["seeds"], serde_json::json!([0, 1]));
    for line in 0..4 {
        let mut child = desk.command(&args("killed", &["--json", "--quiet"]));
        let mut child = child.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let seen = lines.by_ref().take(1 + line % 2).count();
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(seen > 0, "the program ended too early");
        assert!(!desk.path("killed/tune.json").exists(), "the program was too fast to be killed");
    }
    let last = desk.ok(&args("killed", &["--json", "--quiet"]));
    assert_eq!(last.last(), whole);
    for file in ["best.toml", "trials.csv"] {
        let read = |dir: &str| std::fs::read_to_string(desk.path(dir).join(file)).unwrap();
        assert_eq!(read("whole"), read("killed"), "{file}");
    }
    // All of it is known: nothing is trained again, also where nothing can be written (which only root still could).
    for mode in ["u+w", "a-w"] {
        let changed = Command::new("chmod").args(["-R", mode]).arg(desk.path("killed")).status();
        assert!(changed.is_ok_and(|status| status.success()) || cfg!(not(unix)));
        let again = desk.ok(&args("killed", &["--json", "--quiet"]));
        assert_eq!(again.json(), std::slice::from_ref(&whole), "{mode}");
    }
    let removable = Command::new("chmod").args(["-R", "u+w"]).arg(desk.path("killed")).status();
    assert!(removable.is_ok_and(|status| status.success()) || cfg!(not(unix)));
}

/// `cargo xtask test machines`
#[test]
#[ignore = "takes minutes"]
fn killed_ten_times_at_random_moments_it_ends_with_the_same_winner() {
    const KILLS: u32 = 10;
    let desk = Desk::new();
    let of = |dir| {
        let search = ["tune", "CartPole-v1", "--preset", "notebook", "--trial-steps", "6000", "--env-steps", "900000"];
        [&search[..], &["--fresh", "2", "--seed", "5", "--json", "--quiet", "--run-dir", dir]].concat()
    };
    let began = Instant::now();
    let undisturbed = desk.ok(&of("whole")).last();
    // What is lost by a kill is made again, so that the last one still comes before the end.
    let longest = began.elapsed() / (KILLS + KILLS / 2);
    let mut moments = Vec::new();
    for _ in 0..KILLS {
        let mut command = desk.command(&of("killed"));
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let share = RandomState::new().build_hasher().finish() as f64 / u64::MAX as f64;
        moments.push(longest.mul_f64(share));
        std::thread::sleep(longest.mul_f64(share));
        assert!(child.try_wait().unwrap().is_none(), "it ended before it was killed: {moments:?}");
        child.kill().unwrap();
        child.wait().unwrap();
    }
    println!("killed {KILLS} times, after {moments:?}");
    assert_eq!(desk.ok(&of("killed")).last(), undisturbed, "killed after {moments:?}");
    for file in ["best.toml", "trials.csv"] {
        let read = |dir: &str| std::fs::read_to_string(desk.path(dir).join(file)).unwrap();
        assert_eq!(read("whole"), read("killed"), "{file}, killed after {moments:?}");
    }
}

#[test]
fn what_is_printed_is_a_search_and_the_winner_a_config() {
    let desk = Desk::new();
    let printed = desk.ok(&args("x", &["--print"])).out;
    std::fs::write(desk.path("mine.toml"), &printed).unwrap();
    assert!(!desk.path("x").exists());
    let of_file = desk.ok(&["tune", "mine.toml", "--print"]).out;
    let without_name =
        |text: &str| text.lines().filter(|line| !line.starts_with("name = ")).collect::<Vec<_>>().join("\n");
    assert_eq!(without_name(&of_file), without_name(&printed));
    let few = ["--trials", "2", "--trial-steps", "300", "--rungs", "1", "--fresh", "0", "--run-dir", "found"];
    let told = desk.ok(&[&["tune", "mine.toml"], &few[..]].concat());
    assert!(told.out.contains("best of 2 trials") && told.out.contains("optimizer.learning_rate"), "{}", told.out);
    assert!(told.out.contains(", mean return ") && told.out.contains(" and score "), "{}", told.out);
    assert!(told.err.contains(" 1 seed    score "), "{}", told.err);
    assert!(told.err.contains("requel train --config found/best.toml"), "{}", told.err);
    let shown = desk.ok(&["config", "show", "--config", "found/best.toml"]).out;
    assert!(shown.contains("env_steps = 300 "), "{shown}");
    let events: Vec<Value> = desk.ok(&[&["tune", "mine.toml", "--json"], &few[..]].concat()).json();
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!(events[0]["fresh"], Value::Null);

    let best = || std::fs::read_to_string(desk.path("found/best.toml")).unwrap();
    let before = best();
    let fewer =
        desk.run(&["tune", "mine.toml", "--trials", "1", "--trial-steps", "300", "--rungs", "1", "--run-dir", "found"]);
    assert_eq!(fewer.code, 2);
    assert!(fewer.err.contains("has tried 2 settings, and this budget ends it after 1"), "{}", fewer.err);
    assert_eq!(best(), before);

    // The journal is lost, and so is a run's log.
    std::fs::remove_file(desk.path("found/journal.jsonl")).unwrap();
    let log = desk.path("found/trials/0000/seed-1000/metrics.jsonl");
    let text = std::fs::read_to_string(&log).unwrap();
    std::fs::write(&log, text.replacen('1', "7", 1)).unwrap();
    let damaged = desk.run(&[&["tune", "mine.toml"], &few[..]].concat());
    assert!(damaged.err.contains("metrics.jsonl is damaged"), "{}", damaged.err);
    assert!(damaged.err.contains("hint: remove found/trials/0000/seed-1000: the same command"), "{}", damaged.err);
}

#[test]
#[cfg(target_os = "linux")]
fn that_nothing_can_be_printed_is_said() {
    let desk = Desk::new();
    for command in [&["tune", "CartPole-v1", "--print"][..], &["study"]] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let answer = desk.command(command).stdout(full).output().unwrap();
        let err = String::from_utf8_lossy(&answer.stderr);
        assert!(!answer.status.success() && err.contains("cannot write to standard output: "), "{err}");
    }
}

#[test]
fn what_cannot_be_searched_is_refused_before_anything_is_written() {
    let desk = Desk::new();
    let file = |name: &str, text: &str| std::fs::write(desk.path(name), text).unwrap();
    file("typo.toml", "env = \"CartPole-v1\"\n[keys]\nagent.gama = {}\n");
    file("value.toml", "env = \"CartPole-v1\"\n[keys]\nagent.gamma = { low = 0.5, high = 2.0 }\n");
    file("env.toml", "env = \"CartPoel-v1\"\n");
    file("none.toml", "env = \"CartPole-v1\"\n[keys]\nreplay.capacity = [10, 20]\n");
    file("broken.toml", "env = \n");
    file("twice.toml", "env = \"CartPole-v1\"\nset = [\"agent.gamma=0.5\"]\n[keys]\nagent.gamma = {}\n");
    file("range.toml", "env = \"CartPole-v1\"\n\n[trial]\nreduction = 1\n");
    let refused: &[(&[&str], &str, &str)] = &[
        (&["typo.toml"], "unknown key `agent.gama` in typo.toml, line 3", "did you mean `agent.gamma`?"),
        (&["value.toml"], "`agent.gamma` is 2, not between 0 and 1, in value.toml, line 3", ""),
        (&["env.toml"], "unknown environment `CartPoel-v1`, in env.toml, line 1", "did you mean `CartPole-v1`?"),
        (&["broken.toml"], "broken.toml, line 1", ""),
        (&["twice.toml"], "`agent.gamma` is both in `set` and under `[keys]`, in twice.toml, line 4", "leave it"),
        (&["range.toml"], "`reduction` is 1, not between 2 and 100, in range.toml, line 4", ""),
        (&["missing.toml"], "cannot read search missing.toml", ""),
        (&["CartPole-v1", "--algo", "rainbwo"], "rainbwo", "did you mean `rainbow`?"),
        (&["CartPole-v1", "--trials", "0"], "give a whole number from 1 to 10000", ""),
        (&["CartPole-v1", "--trials", "3", "--minutes", "1"], "cannot be used with", ""),
        (&["CartPole-v1", "--minutes", "0"], "`minutes` is 0, not above 0", ""),
        (&["CartPole-v1", "--trial-steps", "20"], "`env_steps` is 20, too few for so many rungs", ""),
        (&["CartPole-v1", "--set", "replay.start=400000"], "replay.start", ""),
        (&["CartPole-v1", "--set", "train.episodes=10"], "`train.episodes` is set by the search itself", ""),
        (&["none.toml"], "of 1000 settings that were drawn none can be trained", "narrow the values"),
    ];
    let before = desk.files().len();
    for (args, what, hint) in refused {
        let answer = desk.run(&[&["tune"], *args].concat());
        assert_eq!(answer.code, 2, "{args:?}\n{}", answer.err);
        assert!(answer.err.contains(what) && answer.err.contains(hint), "{args:?}\n{}", answer.err);
        assert_eq!((answer.out.as_str(), desk.files().len()), ("", before), "{args:?}");
    }
    std::fs::create_dir(desk.path("mine")).unwrap();
    file("mine/thesis.txt", "years of work");
    let answer = desk.run(&args("mine", &[]));
    assert!(answer.code == 2 && answer.err.contains("mine is not empty, and holds no search"), "{}", answer.err);
}
