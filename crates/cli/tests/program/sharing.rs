//! `pack` and `unpack`: one file that holds a run.

use crate::tool::Desk;

const SHORTER: &[&str] = &["--set", "train.env_steps=1500", "--set", "evaluation.final_episodes=40"];

#[test]
fn a_packed_run_is_whole_again_elsewhere() {
    let desk = Desk::new();
    let last = desk.train("runs/mine", SHORTER).last();
    desk.ok(&["pack", "runs/mine"]);
    desk.ok(&["pack", "runs/mine", "-o", "again.tar"]);
    let packed = std::fs::read(desk.path("mine.requel.tar")).unwrap();
    assert!(packed == std::fs::read(desk.path("again.tar")).unwrap());
    assert!(!String::from_utf8_lossy(&packed).contains("ckpt-"));

    desk.ok(&["unpack", "mine.requel.tar", "theirs"]);
    desk.ok(&["verify", "theirs"]);
    assert_eq!(
        desk.ok(&["eval", "theirs", "--episodes", "40", "--json"]).last()["mean_return"],
        last["best_evaluation"]["mean_return"]
    );
    desk.ok(&["report", "theirs"]);
    assert!(desk.ok(&["compare", "theirs", "runs/mine"]).err.contains("the same as another"));
    let card = std::fs::read_to_string(desk.path("theirs/README.md")).unwrap();
    assert!(card.starts_with("---\nlibrary_name: requel\n"), "{card}");
    for said in
        ["- type: mean_reward\n", "name: \"CartPole-v1\"", "95 % interval", "| 40 |", "requel train --json", "# mine\n"]
    {
        assert!(card.contains(said), "{said}: {card}");
    }
    // A second time it would lie over the first.
    assert_eq!(desk.run(&["unpack", "mine.requel.tar", "theirs"]).code, 2);
    // With its checkpoint it goes on as the original does.
    desk.ok(&["pack", "runs/mine", "--checkpoint", "-o", "all.tar"]);
    desk.ok(&["unpack", "all.tar", "whole"]);
    for run in ["whole", "runs/mine"] {
        desk.ok(&["resume", run, "--quiet", "--set", "train.env_steps=1700"]);
    }
    let weights = |run: &str| std::fs::read(desk.path(run).join("summary.json")).unwrap();
    assert!(weights("whole") == weights("runs/mine"));
}

#[test]
fn what_is_not_finished_not_whole_or_no_pack_is_refused_and_leaves_nothing() {
    let desk = Desk::new();
    desk.train("run", SHORTER);
    desk.ok(&["pack", "run"]);
    let packed = std::fs::read(desk.path("run.requel.tar")).unwrap();
    let before = desk.files().len();

    // A bit of the policy inside, far from its header.
    let mut changed = packed.clone();
    let at = packed.windows(16).position(|bytes| bytes == b"layers.0.weight\"").unwrap() + 3_000;
    changed[at] ^= 1;
    std::fs::write(desk.path("changed.tar"), changed).unwrap();
    let answer = desk.run(&["unpack", "changed.tar", "out"]);
    assert!(answer.code == 1 && answer.err.contains("best/policy.safetensors is damaged"), "{}", answer.err);
    std::fs::write(desk.path("cut.tar"), &packed[..packed.len() / 2]).unwrap();
    let answer = desk.run(&["unpack", "cut.tar", "out"]);
    assert!(answer.code == 1 && answer.err.contains("truncated"), "{}", answer.err);
    assert_eq!(desk.run(&["unpack", "run/config.toml", "out"]).code, 1);
    assert_eq!(desk.run(&["unpack", "nowhere.tar", "out"]).code, 2);

    std::fs::remove_file(desk.path("run/summary.json")).unwrap();
    assert_ne!(desk.run(&["pack", "run", "-o", "other.tar"]).code, 0);
    let mut left = desk.files();
    left.retain(|name| !name.ends_with(".tar"));
    assert_eq!((left.len(), before), (1, 2), "{left:?}");
}

#[test]
fn nothing_is_written_over_a_file_of_a_run() {
    let desk = Desk::new();
    desk.train("run", &["--set", "train.env_steps=600", "--set", "evaluation.final_episodes=2"]);
    let before = desk.files();
    for args in [
        &["export", "run", "--output", "run/metrics.jsonl"][..],
        &["export", "run", "--output", "x.onnx", "--samples", "run/summary.json"],
        &["export", "run", "--format", "safetensors", "--output", "run/best/../best/policy.safetensors"],
        &["watch", "run", "--png", "run/config.toml", "--steps", "5"],
        &["compare", "run", "--csv", "run/progress.csv"],
        &["pack", "run", "--output", "run/timing.csv"],
    ] {
        let answer = desk.run(args);
        assert!(answer.code == 2 && answer.err.contains("is a file of the run"), "{args:?}\n{}", answer.err);
        assert_eq!(desk.files(), before, "{args:?}");
    }
    desk.ok(&["verify", "run"]);
    // Beside them there is room.
    desk.ok(&["export", "run", "--output", "run/policy.onnx"]);
    desk.ok(&["verify", "run"]);
}

#[test]
fn a_policys_file_alone_and_a_packed_run_are_scored_watched_and_exported() {
    let desk = Desk::new();
    desk.train(
        "run",
        &[SHORTER, &["--set", "env.frame_stack=2", "--set", "env.options.sutton_barto_reward=true"]].concat(),
    );
    desk.ok(&["pack", "run"]);
    std::fs::copy(desk.path("run/best/policy.safetensors"), desk.path("alone.safetensors")).unwrap();
    let returns = |subject: &str| {
        desk.ok(&["eval", subject, "--episodes", "5", "--seed", "3", "--json"]).last()["returns"].clone()
    };
    let episode = |subject: &str| desk.ok(&["watch", subject, "--episodes", "1", "--seed", "3"]).out;
    for file in ["alone.safetensors", "run.requel.tar"] {
        // With the option of its environment a fall costs 1 and nothing else counts.
        assert!(returns(file) == returns("run") && returns(file)[0] == -1.0, "{file}");
        assert_eq!(episode(file), episode("run"));
        desk.ok(&["export", file, "--output", "policy.onnx"]);
        desk.ok(&["export", "run", "--output", "other.onnx"]);
        assert!(std::fs::read(desk.path("policy.onnx")).unwrap() == std::fs::read(desk.path("other.onnx")).unwrap());
    }
    for (args, said) in [
        (&["eval", "run/config.toml"][..], "not a policy"),
        (&["watch", "run/summary.json"], "not a policy"),
        (&["report", "run.requel.tar"], "is a packed run"),
        (&["verify", "run.requel.tar"], "is a packed run"),
    ] {
        let answer = desk.run(args);
        assert!(matches!(answer.code, 1 | 2) && answer.err.contains(said), "{args:?}: {}", answer.err);
    }
}
