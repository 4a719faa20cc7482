//! `resume --set`, and what a run notes of how it came about.

use serde_json::Value;

use crate::tool::Desk;

const SHORTER: &[&str] = &["--set", "train.env_steps=2000", "--set", "evaluation.final_episodes=3"];

#[test]
fn a_finished_run_goes_on_with_a_larger_budget() {
    let desk = Desk::new();
    desk.train("run", SHORTER);
    let config = std::fs::read(desk.path("run/config.toml")).unwrap();
    let answer = desk.ok(&["resume", "run", "--set", "train.env_steps=2600", "--plain"]);
    assert!(
        answer.err.contains("from env step 2,000, as segment 2:\n  train.env_steps from 2000 to 2600"),
        "{}",
        answer.err
    );
    assert_eq!(std::fs::read(desk.path("run/config.toml")).unwrap(), config);
    desk.train("at-once", &[SHORTER, &["--set", "train.env_steps=2600"]].concat());
    for file in ["metrics.jsonl", "summary.json", "best/policy.safetensors"] {
        let read = |run: &str| std::fs::read(desk.path(run).join(file)).unwrap();
        assert!(read("run") == read("at-once"), "{file}");
    }
    desk.ok(&["verify", "run"]);
    // Two runs of one config and seed are one.
    let compared = desk.ok(&["compare", "run", "at-once"]);
    assert!(compared.err.contains("the same as another"), "{}", compared.err);
    assert!(std::fs::read_to_string(desk.path("run/report.html")).unwrap().contains("changed at env step 2000"));
    // The config that it went on with can be trained with; the one that it began with is told to be that.
    let shown = desk.ok(&["config", "show", "--config", "run/segments/0002-from-000000002000.toml"]);
    assert!(shown.out.contains("env_steps = 2600"));
    let shown = desk.ok(&["config", "show", "--config", "run/config.toml"]);
    assert!(shown.out.contains("env_steps = 2000") && shown.err.contains("segments/0002"), "{}", shown.err);
}

#[test]
fn all_runs_of_a_directory_go_on_with_a_larger_budget_or_none_does() {
    let desk = Desk::new();
    let group = |dir, seeds, more: &[&str]| {
        let args = ["train", "--quiet", "--json", "--preset", "notebook", "--seeds", seeds, "--run-dir", dir];
        desk.ok(&[&args[..], SHORTER, more].concat());
    };
    group("group", "3..6", &[]);
    let refused = desk.run(&["resume", "group", "--set", "network.hidden=[32]"]);
    assert!(refused.code == 2 && refused.err.contains("`network.hidden` cannot change"), "{}", refused.err);
    assert!((3..6).all(|seed| !desk.path(&format!("group/seed-{seed}/segments")).exists()));
    desk.ok(&["resume", "group", "--quiet", "--set", "train.env_steps=2600"]);
    group("at-once", "3..6", &["--set", "train.env_steps=2600"]);
    for seed in 3..6 {
        let run = format!("group/seed-{seed}");
        for file in ["metrics.jsonl", "summary.json", "best/policy.safetensors"] {
            let read = |dir: &str| std::fs::read(desk.path(dir).join(format!("seed-{seed}")).join(file)).unwrap();
            assert!(read("group") == read("at-once"), "{run}: {file}");
        }
        desk.ok(&["verify", &run]);
        assert!(
            std::fs::read_to_string(desk.path(&run).join("report.html")).unwrap().contains("changed at env step 2000")
        );
    }
}

#[test]
fn what_cannot_change_on_the_way_is_named_and_nothing_is_touched() {
    let desk = Desk::new();
    desk.train("run", SHORTER);
    let summary = std::fs::read(desk.path("run/summary.json")).unwrap();
    for (set, said) in [
        ("network.hidden=[32]", "`network.hidden` cannot change when a run is resumed: it determines the shape"),
        ("env.id=Acrobot-v1", "`env.id` cannot change when a run is resumed"),
        ("replay.kind=prioritized", "`replay.kind` cannot change when a run is resumed"),
        (
            "train.env_steps=1500",
            "training would not continue: `train.env_steps` is 1500, but 2000 env steps have been made",
        ),
        ("train.env_stps=5000", "unknown key `train.env_stps`"),
    ] {
        let answer = desk.run(&["resume", "run", "--set", set]);
        assert!(answer.code == 2 && answer.err.contains(said), "{set}: {}", answer.err);
        assert!(
            !desk.path("run/segments").exists() && std::fs::read(desk.path("run/summary.json")).unwrap() == summary
        );
    }
    desk.ok(&["verify", "run"]);
}

#[test]
fn every_session_notes_which_program_made_it_and_how() {
    let desk = Desk::new();
    desk.train("run", SHORTER);
    desk.ok(&["resume", "run", "--quiet"]);
    let provenance: Value = serde_json::from_slice(&std::fs::read(desk.path("run/provenance.json")).unwrap()).unwrap();
    let sessions = provenance["sessions"].as_array().unwrap();
    assert_eq!(sessions.len(), 2);
    assert_eq!(sessions[0]["command"].as_array().unwrap()[..3], ["requel", "train", "--json"].map(Value::from));
    assert_eq!(sessions[1]["command"], Value::from(vec!["requel", "resume", "run", "--quiet"]));
    let doctor = desk.ok(&["doctor"]).out;
    for session in sessions {
        for key in ["commit", "requel"] {
            assert!(session[key].as_str().is_none_or(|said| doctor.contains(said)), "{key} in {session}");
        }
        assert!(session["machine"]["kernel"].is_string() && session["started"].as_str().unwrap().ends_with('Z'));
    }
}

#[test]
fn a_new_run_begins_from_the_weights_of_another_or_of_a_file() {
    let desk = Desk::new();
    desk.train("first", SHORTER);
    let quiet = ["train", "--quiet", "--json", "--seed", "9", "--set", "train.env_steps=500", "--run-dir"];
    let from_run = desk.ok(&[&quiet[..], &["a", "--from", "first"]].concat()).last();
    // The settings are those of the run: its preset, and what it had set otherwise.
    let config = std::fs::read_to_string(desk.path("a/config.toml")).unwrap();
    for line in ["preset = \"notebook\"", "final_episodes = 3", "every_steps = 1000", "seed = 9"] {
        assert!(config.contains(line), "{line}: {config}");
    }
    let file = ["--from", "first/best/policy.safetensors", "--config", "first/config.toml"];
    let from_file = desk.ok(&[&quiet[..], &["b"], &file].concat()).last();
    assert_eq!(from_run["weights_blake3"], from_file["weights_blake3"]);
    let drawn = desk.ok(&[&quiet[..], &["c", "--config", "first/config.toml"]].concat()).last();
    assert_ne!(from_run["weights_blake3"], drawn["weights_blake3"]);
    let with_replay =
        desk.ok(&[&quiet[..], &["d", "--from", "first", "--weights", "last", "--with-replay"]].concat()).last();
    assert!(with_replay["updates"].as_u64() > from_run["updates"].as_u64(), "{with_replay}");
    desk.ok(&["verify", "d"]);
    assert!(std::fs::read_to_string(desk.path("a/report.html")).unwrap().contains("started from the weights of first"));
    // Other beginnings are other groups.
    let groups = desk.ok(&["compare", "a", "c", "d"]).out;
    assert!(groups.contains("(started from the") && groups.contains("replay buffer"), "{groups}");

    let before = desk.files().len();
    for (args, said) in [
        (&["--from", "first", "Acrobot-v1"][..], "the policy is for CartPole-v1"),
        (
            &["--from", "first", "--set", "network.hidden=[9]"],
            "the policy's network differs from the one in the settings",
        ),
        (&["--from", "nowhere"], "there is no file or directory nowhere"),
        (&["--from", "first/best/policy.safetensors", "--with-replay"], "no replay buffer"),
        (&["--from", "first/config.toml"], "not a policy"),
    ] {
        let answer = desk.run(&[&["train", "--run-dir", "x"], args].concat());
        assert!(matches!(answer.code, 1 | 2) && answer.err.contains(said), "{args:?}: {}", answer.err);
        assert_eq!(desk.files().len(), before);
    }
}
