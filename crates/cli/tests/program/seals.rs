//! Every reader of a run checks what it reads: a damaged, foreign or impossible file is named, and the program exits with 1.

use std::path::{Path, PathBuf};

use crate::tool::{Answer, Desk};

/// Every command that reads a run's best policy.
const POLICY_READERS: [&[&str]; 6] = [
    &["eval", "run", "--episodes", "2"],
    &["watch", "run", "--episodes", "1", "--steps", "5"],
    &["watch", "run", "--png", "out.png", "--steps", "5"],
    &["report", "run"],
    &["export", "run", "--output", "out.onnx"],
    &["export", "run", "--format", "safetensors", "--output", "out.safetensors"],
];

/// A run of fewer steps than those of other tests: here nothing is looked at but its files.
const TINY: &[&str] = &[
    "--set",
    "train.env_steps=400",
    "--set",
    "train.episodes=0",
    "--set",
    "evaluation.every_steps=200",
    "--set",
    "evaluation.every_episodes=0",
    "--set",
    "evaluation.episodes=2",
    "--set",
    "evaluation.final_episodes=2",
    "--set",
    "evaluation.max_episode_steps=60",
    "--set",
    "network.hidden=[8]",
];

fn tiny(desk: &Desk, env: &str, dir: &str) {
    desk.ok(&[&["train", env, "--quiet", "--preset", "notebook", "--run-dir", dir], TINY].concat());
}

fn with<T>(path: &Path, change: impl FnOnce(Vec<u8>) -> Vec<u8>, look: impl FnOnce() -> T) -> T {
    let whole = std::fs::read(path).unwrap();
    std::fs::write(path, change(whole.clone())).unwrap();
    let seen = look();
    std::fs::write(path, whole).unwrap();
    seen
}

fn flipped(mut bytes: Vec<u8>) -> Vec<u8> {
    let last = bytes.len() - 3;
    bytes[last] ^= 1;
    bytes
}

/// How many commands were refused, for the table of faults.
fn count(commands: usize) {
    println!("faults put in: {commands}");
}

/// Exit code 1, the file named, nothing on stdout and nothing written.
fn assert_refused(desk: &Desk, args: &[&str], answer: &Answer, names: &str) {
    assert_eq!(answer.code, 1, "{args:?}\n{}{}", answer.out, answer.err);
    assert!(answer.err.contains(names), "{args:?}: {names} is not named\n{}", answer.err);
    assert!(answer.out.is_empty(), "{args:?}\n{}", answer.out);
    assert!(!desk.files().iter().any(|name| name.starts_with("out.")), "{args:?}: {:?}", desk.files());
}

#[test]
fn no_reader_takes_a_damaged_or_foreign_policy() {
    let desk = Desk::new();
    tiny(&desk, "CartPole-v1", "run");
    tiny(&desk, "Acrobot-v1", "other");
    let policy = desk.path("run/best/policy.safetensors");
    let refused = |what: &str| {
        for args in POLICY_READERS {
            assert_refused(&desk, args, &desk.run(args), what);
        }
        let verified = desk.run(&["verify", "run"]);
        assert!(verified.code == 1 && verified.out.contains("best/policy.safetensors"), "{}", verified.out);
    };
    with(&policy, flipped, || refused("best/policy.safetensors is damaged: its BLAKE3"));
    let foreign = std::fs::read(desk.path("other/best/policy.safetensors")).unwrap();
    with(&policy, |_| foreign.clone(), || refused("best/policy.safetensors is damaged: its BLAKE3"));
    with(&policy, |_| Vec::new(), || refused("best/policy.safetensors is damaged: its BLAKE3"));

    // Without a seal, as while a run goes on: what the file says of itself is checked all the same.
    std::fs::remove_file(desk.path("run/checksums.blake3")).unwrap();
    with(&policy, |_| foreign, || refused("best/policy.safetensors"));
    let nan = |mut bytes: Vec<u8>| {
        let at = bytes.len() - 4;
        bytes[at..].copy_from_slice(&f32::NAN.to_le_bytes());
        bytes
    };
    with(&policy, nan, || refused("best/policy.safetensors: `layers.1.weight` contains NaN"));
    with(&policy, |_| b"no policy".to_vec(), || refused("best/policy.safetensors: not a policy"));
    for args in POLICY_READERS {
        desk.ok(args);
    }
    count(6 * (POLICY_READERS.len() + 1));
}

#[test]
fn a_policy_of_another_environment_is_told_by_name() {
    let desk = Desk::new();
    tiny(&desk, "CartPole-v1", "run");
    tiny(&desk, "Acrobot-v1", "other");
    std::fs::remove_file(desk.path("run/checksums.blake3")).unwrap();
    let from = desk.path("other/best/policy.safetensors");
    std::fs::copy(from, desk.path("run/best/policy.safetensors")).unwrap();
    let said = "run/best/policy.safetensors: it is a policy for Acrobot-v1, not for CartPole-v1";
    for args in POLICY_READERS.into_iter().chain([&["resume", "run", "--quiet"][..]]) {
        assert_refused(&desk, args, &desk.run(args), said);
    }
    count(POLICY_READERS.len() + 1);
}

#[test]
fn no_reader_takes_a_config_that_was_cut_emptied_or_swapped() {
    let desk = Desk::new();
    tiny(&desk, "CartPole-v1", "run");
    tiny(&desk, "Acrobot-v1", "other");
    let config = desk.path("run/config.toml");
    let foreign = std::fs::read(desk.path("other/config.toml")).unwrap();
    let changes: [&dyn Fn(Vec<u8>) -> Vec<u8>; 4] = [
        &|_| Vec::new(),
        &|whole| whole[..String::from_utf8(whole.clone()).unwrap().find("[evaluation]").unwrap()].to_vec(),
        &|_| foreign.clone(),
        &|_| vec![0xff; 64],
    ];
    let readers = POLICY_READERS.into_iter().chain([&["resume", "run", "--quiet"][..], &["compare", "run"]]);
    for change in changes {
        with(&config, change, || {
            for args in readers.clone() {
                assert_refused(&desk, args, &desk.run(args), "run/config.toml is damaged");
            }
            let verified = desk.run(&["verify", "run"]);
            assert!(
                verified.code == 1 && verified.out.matches("config.toml is damaged").count() == 1,
                "{}",
                verified.out
            );
        });
    }
    // Nor when nobody can tell any more what it was: another run's config does not go with the policy.
    std::fs::remove_file(desk.path("run/checksums.blake3")).unwrap();
    for change in [changes[0], changes[1], changes[3]] {
        with(&config, change, || {
            for args in readers.clone() {
                assert_refused(&desk, args, &desk.run(args), "run/config.toml is damaged");
            }
        });
    }
    with(
        &config,
        |_| foreign.clone(),
        || {
            for args in POLICY_READERS {
                assert_refused(&desk, args, &desk.run(args), "the environment here is `Acrobot-v1`");
            }
        },
    );
}

#[test]
fn a_damaged_summary_or_log_is_damage_and_not_an_unfinished_run() {
    let desk = Desk::new();
    tiny(&desk, "CartPole-v1", "run");
    let readers: [&[&str]; 3] = [&["compare", "run"], &["report", "run"], &["diagnose", "run"]];
    let mut refused = 0;
    for (file, sealed) in
        [("summary.json", true), ("metrics.jsonl", true), ("timing.csv", true), ("summary.json", false)]
    {
        if !sealed {
            std::fs::remove_file(desk.path("run/checksums.blake3")).unwrap();
        }
        let cut = |whole: Vec<u8>| whole[..whole.len() / 2].to_vec();
        with(&desk.path("run").join(file), cut, || {
            // How long a training took is nothing that it can be sick of.
            for args in readers.iter().filter(|args| file != "timing.csv" || args[0] != "diagnose") {
                assert_refused(&desk, args, &desk.run(args), &format!("run/{file} is damaged"));
                refused += 1;
            }
        });
    }
    let huge = |whole: Vec<u8>| {
        let text = String::from_utf8(whole).unwrap();
        let (before, after) = text.split_once("\"mean_return\": ").unwrap();
        format!("{before}\"mean_return\": 1e400{}", &after[after.find(',').unwrap()..]).into_bytes()
    };
    with(&desk.path("run/summary.json"), huge, || {
        assert_refused(&desk, &["compare", "run"], &desk.run(&["compare", "run"]), "run/summary.json is damaged");
        let resumed = desk.run(&["resume", "run"]);
        assert!(resumed.code == 0 && resumed.err.contains("summary.json is damaged"), "{}", resumed.err);
    });
    desk.ok(&["compare", "run"]);
    count(refused + 2);
}

#[cfg(target_os = "linux")]
#[test]
fn pipes_devices_and_directories_in_the_place_of_files_are_refused_at_once() {
    use std::process::Command;

    let desk = Desk::new();
    tiny(&desk, "CartPole-v1", "run");
    let pipe = |path: &Path| assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
    let all: Vec<&[&str]> = [
        POLICY_READERS.to_vec(),
        vec![&["compare", "run"], &["verify", "run"], &["diagnose", "run"], &["resume", "run", "--quiet"]],
    ]
    .concat();
    let said = |answer: &Answer| format!("{}{}", answer.out, answer.err);
    let mut refused = 0;
    // Who reads what: a file that nobody reads may be anything.
    let read_by = |file: &str, verb: &str| match file {
        "best/policy.safetensors" => !matches!(verb, "compare" | "diagnose" | "resume"),
        "timing.csv" => matches!(verb, "report" | "compare" | "verify"),
        "summary.json" | "metrics.jsonl" => matches!(verb, "report" | "compare" | "diagnose" | "verify"),
        _ => true,
    };
    for file in
        ["config.toml", "best/policy.safetensors", "summary.json", "metrics.jsonl", "timing.csv", "checksums.blake3"]
    {
        let path = desk.path("run").join(file);
        let kept: PathBuf = desk.path("kept");
        std::fs::rename(&path, &kept).unwrap();
        for kind in ["pipe", "directory", "device"] {
            match kind {
                "pipe" => pipe(&path),
                "directory" => std::fs::create_dir(&path).unwrap(),
                _ => std::os::unix::fs::symlink("/dev/zero", &path).unwrap(),
            }
            for args in all.iter().filter(|args| read_by(file, args[0])) {
                let answer = desk.run(args);
                refused += 1;
                // Without a config it is no run.
                let code = if file == "config.toml" { 2 } else { 1 };
                assert_eq!(answer.code, code, "{file} is a {kind}: {args:?}\n{}", said(&answer));
                let name = if file == "config.toml" { "run" } else { file };
                assert!(said(&answer).contains(name), "{args:?}\n{}", said(&answer));
            }
            if kind == "directory" { std::fs::remove_dir(&path).unwrap() } else { std::fs::remove_file(&path).unwrap() }
        }
        std::fs::rename(&kept, &path).unwrap();
    }
    desk.ok(&["verify", "run"]);
    count(refused);
}

#[cfg(target_os = "linux")]
#[test]
fn what_is_given_as_input_is_a_file_or_an_open_pipe_and_bounded() {
    use std::process::Command;

    let desk = Desk::new();
    assert!(Command::new("mkfifo").arg(desk.path("pipe")).status().unwrap().success());
    std::fs::create_dir(desk.path("directory")).unwrap();
    let sparse = std::fs::File::create(desk.path("sparse.toml")).unwrap();
    sparse.set_len(1 << 40).unwrap();
    for (name, why) in [
        ("pipe", "it is a pipe, not a file"),
        ("directory", "it is a directory, not a file"),
        ("/dev/zero", "it is a device, not a file"),
        ("sparse.toml", "it has more than"),
    ] {
        for args in [
            &["train", "--config", name][..],
            &["config", "show", "--config", name],
            &["study", name],
            &["rollout", "CartPole-v1", "--actions", &format!("@{name}")],
        ] {
            let answer = desk.run(args);
            assert!(answer.code == 2 && answer.err.contains(why), "{args:?}: {}\n{}", answer.code, answer.err);
            assert!(answer.err.contains(name), "{args:?}\n{}", answer.err);
        }
    }
    // What a shell hands over is read, as far as a config goes.
    let shown = |input: &str| {
        let mut command = assert_cmd::Command::from_std(desk.command(&["config", "show", "--config", "/dev/stdin"]));
        command.write_stdin(input.to_owned()).output().unwrap()
    };
    let output = shown("[agent]\ngamma = 0.75\n");
    assert!(String::from_utf8_lossy(&output.stdout).contains("gamma = 0.75"), "{output:?}");
    let output = shown(&"#".repeat(2 << 20));
    assert!(String::from_utf8_lossy(&output.stderr).contains("it has more than 1.0 MiB"), "{output:?}");
    count(4 * 4 + 1);
}
