//! Damage is found, and what is asked of saving is done.

use crate::tool::{Desk, SHORT, newest_checkpoint};

#[test]
fn a_whole_run_is_whole_and_a_damaged_file_is_named() {
    let desk = Desk::new();
    desk.train("run", &[]);
    let whole = desk.ok(&["verify", "run", "--json"]).last();
    assert_eq!((&whole["whole"], whole["checkpoints"].as_array().unwrap().len()), (&true.into(), 2));
    assert!(desk.ok(&["verify", "run"]).out.contains("run is intact: 2 checkpoints"));

    let last = newest_checkpoint(&desk.path("run"));
    let beside =
        ["metrics.jsonl", "summary.json", "config.toml", "progress.csv", "timing.csv", "best/policy.safetensors"];
    let beside = beside.map(|name| desk.path("run").join(name));
    for file in [last.join("optimizer.safetensors")].into_iter().chain(beside) {
        let bytes = std::fs::read(&file).unwrap();
        let mut damaged = bytes.clone();
        damaged[2] ^= 16;
        std::fs::write(&file, damaged).unwrap();
        let answer = desk.run(&["verify", "run"]);
        let name = file.file_name().unwrap().to_str().unwrap();
        assert!(answer.code == 1 && answer.out.contains(name), "{name}: {} {}", answer.code, answer.out);
        std::fs::write(&file, bytes).unwrap();
    }
    desk.ok(&["verify", "run"]);
    assert_eq!(desk.run(&["verify", "nowhere"]).code, 2);
}

#[test]
fn how_often_and_how_many_is_heard() {
    let desk = Desk::new();
    desk.train("run", &["--every", "700", "--keep", "3"]);
    let names: Vec<String> = desk.ok(&["verify", "run"]).out.lines().map(str::to_owned).collect();
    assert_eq!(names.iter().filter(|line| line.starts_with("whole")).count(), 3, "{names:?}");
    assert!(names[0].contains("2,100") && names[2].contains("3,000"), "{names:?}");
    // By the clock too, which changes no result.
    desk.train("often", &["--every", "0.0001m"]);
    let metrics = |run: &str| std::fs::read(desk.path(run).join("metrics.jsonl")).unwrap();
    assert!(metrics("often") == metrics("run"));
    assert_eq!(desk.run(&["train", "--every", "often"]).code, 2);
    assert_eq!(desk.run(&["train", "--keep", "1"]).code, 2);
}

#[test]
fn a_changed_config_is_not_trained_on_without_a_word() {
    let desk = Desk::new();
    desk.train("run", &[]);
    let path = desk.path("run/config.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("gamma = 0.9\n", "gamma = 0.8\n")).unwrap();
    let answer = desk.run(&["resume", "run"]);
    assert!(answer.code == 1 && answer.err.contains("config.toml is damaged"), "{}", answer.err);
    assert!(answer.err.contains("remove checksums.blake3"), "{}", answer.err);
}

#[test]
fn what_comes_of_numbers_that_are_not_finite_can_be_said() {
    let desk = Desk::new();
    desk.train("run", &["--on-nan", "skip"]);
    assert!(std::fs::read_to_string(desk.path("run/config.toml")).unwrap().contains("on_nan = \"skip\""));
    assert_eq!(desk.run(&["train", "--on-nan", "ignore"]).code, 2);
}

#[test]
fn numbers_that_are_not_finite_have_their_own_exit_code() {
    let desk = Desk::new();
    let wild = ["--set", "optimizer.kind=rmsprop", "--set", "optimizer.learning_rate=1e30"];
    let answer = desk.run(&[&["train", "--quiet", "--run-dir", "run"], SHORT, &wild].concat());
    assert_eq!(answer.code, 3, "{}", answer.err);
    assert!(answer.err.contains("at env step"), "{}", answer.err);
}
