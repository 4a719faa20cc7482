//! Bad input: what is said, exit code 2, nothing written.

use crate::tool::Desk;

#[test]
fn bad_input_is_refused_before_anything_is_written() {
    let desk = Desk::new();
    let cases: &[&[&str]] = &[
        &["train", "CartPoel-v1"],
        &["train", "nothing-like-it"],
        &["train", "--preset", "notbook"],
        &["train", "--set", "replay.capcity=10"],
        &["train", "--set", "agent.gamma=1.5"],
        &["train", "--set", "replay.capacity=many"],
        &["train", "--set", "replay.capacity=1e15"],
        &["train", "--set", "preset=rainbwo"],
        &["train", "--preset", "dqn", "--set", "preset=rainbow"],
        &["train", "--set", "lr=1e-3"],
        &["train", "--set", "replay.buffer_size=1000"],
        &["train", "--set", "exploration_fraction=0.1"],
        &["train", "--set", "agent.gamma=0,95"],
        &["train", "--set", "agent.double=True"],
        &["train", "--set", "network.hidden=64,64"],
        &["train", "--set", "agent.kind=DQN"],
        &["train", "--set", "optimizer.epsilon=1e-50"],
        &["train", "--set", "optimizer.beta2=0.99999999999"],
        &["train", "--set", "munchausen.clip=1"],
        &["train", "--set", "network.conv=[[16, 3, 1]]"],
        &["train", "Pendulum-v1"],
        &["train", "--set", "agent.gamma"],
        &["train", "--set", "env.options.sutton_bartho_reward=true"],
        &["train", "--config", "missing.toml"],
        &["train", "--seed", "-1"],
        &["train", "--seed", "9223372036854775808"],
        &["train", "--every", "-5"],
        &["train", "--keep", "-1"],
        &["train", "--seeds", "-3..2"],
        &["compare", "--threshold", "nan"],
        &["train", "--sed", "1"],
        &["resume"],
        &["resume", "missing"],
        &["eval"],
        &["eval", "missing"],
        &["eval", "--episodes", "0"],
        &["watch"],
        &["watch", "CartPoel-v1"],
        &["watch", "missing.safetensors"],
        &["watch", "runs/missing", "--random"],
        &["watch", "--speed", "0"],
        &["rollout", "CartPole-v1", "--actions", "0,2"],
        &["rollout", "CartPole-v1", "--actions", "@missing"],
        &["config", "show", "--set", "train.sed=1"],
        &["presets", "nothing"],
        &["envs", "cartpole"],
    ];
    let mut said = String::new();
    for args in cases {
        let answer = desk.run(args);
        said.push_str(&format!("$ requel {}\n{}\n", args.join(" "), answer.err));
        assert_eq!(answer.code, 2, "{args:?}\n{}", answer.err);
        assert_eq!(answer.out, "", "{args:?}");
        assert!(answer.err.starts_with("error: "), "{args:?}\n{}", answer.err);
        assert_eq!(desk.files(), [] as [&str; 0], "{args:?}");
    }
    insta::assert_snapshot!(said);
}

#[test]
fn a_typo_in_a_file_is_shown_with_its_line() {
    let desk = Desk::new();
    for (name, text) in [
        ("key.toml", "[replay]\ncapacity = 1000\nbatchsize = 16\n"),
        ("type.toml", "[agent]\ngamma = \"high\"\n"),
        ("range.toml", "# mine\n[optimizer]\nlearning_rate = -1.0\n"),
        ("syntax.toml", "[agent]\ngamma = 0.9.9\n"),
        ("comma.toml", "[agent]\ngamma = 0,95\n"),
        ("list.toml", "[[agent]]\ngamma = 0.95\n"),
        ("large.toml", "[train]\nseed = 1\nenv_steps = 99999999999999999999\n"),
        ("date.toml", "preset = 1979-05-27T07:32:00Z\n"),
        ("preset.toml", "preset = \"rainbwo\"\n"),
    ] {
        std::fs::write(desk.path(name), text).unwrap();
    }
    let mut said = String::new();
    let names = [
        "key.toml",
        "type.toml",
        "range.toml",
        "syntax.toml",
        "comma.toml",
        "list.toml",
        "large.toml",
        "date.toml",
        "preset.toml",
    ];
    for name in names {
        let answer = desk.run(&["train", "--config", name]);
        assert_eq!(answer.code, 2, "{name}");
        assert!(answer.err.contains(&format!("{name}, line ")), "{}", answer.err);
        said.push_str(&format!("$ requel train --config {name}\n{}\n", answer.err));
    }
    assert_eq!(desk.files().len(), names.len());
    insta::assert_snapshot!(said);
}

#[test]
fn a_directory_that_is_no_run_is_left_alone() {
    let desk = Desk::new();
    std::fs::create_dir(desk.path("mine")).unwrap();
    std::fs::write(desk.path("mine/notes.txt"), "mine").unwrap();
    for args in [&["resume", "mine"][..], &["eval", "mine"], &["watch", "mine"], &["train", "--run-dir", "mine"]] {
        let answer = desk.run(args);
        assert_eq!(answer.code, 2, "{args:?}\n{}", answer.err);
        assert!(answer.err.contains("mine") && answer.err.contains("hint: "), "{}", answer.err);
    }
    assert_eq!(std::fs::read_dir(desk.path("mine")).unwrap().count(), 1);
}

/// A number that means nothing costs nothing: it is refused with its range, before a thread or a byte is taken for it.
#[test]
fn every_count_has_a_bound_that_is_said() {
    let desk = Desk::new();
    let cases: [(&[&str], &str); 6] = [
        (&["train", "--seeds", "2", "--jobs", "100000"], "0 to 1024"),
        (&["study", "notebook-ladder", "--jobs", "1025"], "0 to 1024"),
        (&["eval", "--episodes", "4000000000"], "1 to 1000000"),
        (&["train", "--set", "env.action_repeat=4294967295"], "not between 1 and 1000"),
        (&["train", "--set", "train.updates=1000000000"], "not between 1 and 10000"),
        (&["train", "--preset", "pqn", "--set", "pqn.epochs=100000"], "not between 1 and 1000"),
    ];
    for (args, range) in &cases {
        let answer = desk.run(args);
        assert!(answer.code == 2 && answer.err.contains(range), "{args:?}: {}\n{}", answer.code, answer.err);
    }
    println!("faults put in: {}", cases.len());
    assert_eq!(desk.files(), [] as [&str; 0]);
}

/// Every verb that takes a path says that there is nothing at it, and what there is of a similar name.
#[test]
fn a_path_that_leads_nowhere_is_called_that_with_what_is_spelt_like_it() {
    let desk = Desk::new();
    std::fs::create_dir_all(desk.path("runs/mine")).unwrap();
    std::fs::write(desk.path("mine.toml"), "").unwrap();
    let verbs = [
        "eval",
        "watch",
        "export",
        "report",
        "resume",
        "compare",
        "verify",
        "diagnose",
        "note",
        "pack",
        "serve",
        "train --from",
    ];
    for verb in verbs {
        let ask = |path: &str| {
            let args: Vec<&str> = verb.split(' ').chain([path]).collect();
            let answer = desk.run(&args);
            assert_eq!((answer.code, answer.out.as_str()), (2, ""), "{verb} {path}\n{}", answer.err);
            let (what, hint) = answer.err.split_once("\nhint: ").unwrap_or_else(|| panic!("{verb}: {}", answer.err));
            assert!(what.starts_with("error: there is no file") && what.contains(path), "{verb}: {}", answer.err);
            hint.trim_end().to_owned()
        };
        // A slip in the last name, and a run that is named without the directory that it is in.
        assert_eq!(ask("runs/mien"), "did you mean `runs/mine`?", "{verb}");
        assert_eq!(ask("mine"), "did you mean `runs/mine`?", "{verb}");
        assert!(ask("nothing/like/it").contains("name "), "{verb}");
    }
    let cases: [(&[&str], &str); 4] = [
        (&["train", "mine.toml"], "`--config mine.toml` reads settings from it"),
        (&["train", "runs/mine"], "`requel resume runs/mine` continues a run"),
        (&["watch", "nothing-like-it"], "or an environment: `requel envs` lists those"),
        (&["compare", "mine.toml"], "mine.toml is not a directory"),
    ];
    for (args, said) in cases {
        let answer = desk.run(args);
        assert!(answer.code == 2 && answer.err.contains(said), "{args:?}: {}\n{}", answer.code, answer.err);
    }
}
