//! Every verb of the program on a run in an environment of this crate: by the program that has it, by requel alone, and by a
//! program that has another environment of its id.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use requel::Trainer;
use requel::config::Layers;
use requel::run::{Control, Session};
use requel_envs::closure::from_closures;
use requel_envs::{Step, TimeLimit};
use tempfile::TempDir;

const OWN: &str = env!("CARGO_BIN_EXE_outside");
const PLAIN: &str = env!("CARGO_BIN_EXE_outside-plain");
const OTHER: &str = env!("CARGO_BIN_EXE_outside-other");

/// A short training that learns a little.
const SHORT: [&str; 5] = [
    "train.env_steps=800",
    "replay.start=100",
    "evaluation.every_steps=200",
    "evaluation.episodes=3",
    "evaluation.final_episodes=4",
];

/// What makes the environment of the run in `run`, a command a line.
const MAKES: &str = "\
resume run
resume run --set train.env_steps=900
eval run --episodes 3
eval run/best/policy.safetensors --episodes 3
eval packed.requel.tar --episodes 3
watch run --episodes 1
watch run/best/policy.safetensors --episodes 1
watch run --gif out.gif --steps 9
watch run --random --episodes 1
report run
export run --format safetensors --output out.safetensors --samples out.jsonl
train --from run --run-dir out --quiet
train --from run --weights last --run-dir out --quiet
train --from run/best/policy.safetensors --run-dir out --quiet --set train.env_steps=300 --set replay.start=100
train --config run/config.toml --run-dir out --quiet
train --config run/config.toml --seeds 0..2 --run-dir out --quiet
config show --config run/config.toml
study study.toml --out out --quiet";

/// What looks at the run and steps no environment.
const LOOKS: &str = "\
export run --output out.onnx
export run/best/policy.safetensors --output out.onnx
export run/best/policy.safetensors --format safetensors --output out.safetensors
export packed.requel.tar --output out.onnx
diagnose run";

/// What needs only what the run itself says.
const READS: &str = "\
verify run
compare run
compare run --png out.png
pack run --output out.requel.tar
note run --tag seen";

/// What needs no run.
const NAMES: &str = "\
envs Greenhouse-v0
rollout Greenhouse-v0 --actions 0,1,1
watch Greenhouse-v0 --episodes 1 --random
train Greenhouse-v0 --run-dir out --quiet --set train.env_steps=300 --set replay.start=100";

/// What makes the policy of an agent that has not learned a value network, and so has no file.
const WITHOUT_A_FILE: &str = "\
resume run
resume run --set train.env_steps=900
eval run --episodes 3
watch run --episodes 1
watch run --gif out.gif --steps 9
report run
diagnose run
verify run
compare run
pack run --output out.requel.tar
train --config run/config.toml --run-dir out --quiet";

const STUDY: &str = "\
name = \"vents\"
description = \"Whether a smaller step helps.\"
env = \"Greenhouse-v0\"
seeds = [1]
set = [\"train.env_steps=400\", \"replay.start=100\", \"evaluation.final_episodes=2\"]

[[variant]]
name = \"as-it-is\"

[[variant]]
name = \"smaller\"
set = [\"optimizer.learning_rate=1e-4\"]
";

fn call(program: &str, line: &str, desk: &Path) -> Output {
    let arguments: Vec<&str> = line.split(' ').collect();
    Command::new(program).args(arguments).current_dir(desk).output().expect("the program starts")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// All files below a directory, with what is in them.
fn files(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![dir.to_path_buf()];
    while let Some(dir) = open.pop() {
        for entry in std::fs::read_dir(&dir).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => open.push(path),
                false => drop(found.insert(path.clone(), std::fs::read(&path).unwrap())),
            }
        }
    }
    found
}

/// A short run by the program of this crate, in `run`.
fn trained(what: &str) -> TempDir {
    let desk = tempfile::tempdir().unwrap();
    let set: Vec<String> = SHORT.iter().map(|setting| format!("--set {setting}")).collect();
    let output = call(OWN, &format!("train {what} --run-dir run --quiet {}", set.join(" ")), desk.path());
    assert!(output.status.success(), "{}", said(&output));
    desk
}

/// A run in the environment of this crate, and the same packed.
fn registered() -> TempDir {
    let desk = trained("Greenhouse-v0");
    std::fs::write(desk.path().join("study.toml"), STUDY).unwrap();
    let packed = call(OWN, "pack run --output packed.requel.tar", desk.path());
    assert!(packed.status.success(), "{}", said(&packed));
    desk
}

/// A run in an environment that a program gave to the trainer, of the shape and even with the id of CartPole.
fn given() -> TempDir {
    let desk = tempfile::tempdir().unwrap();
    let layers = SHORT.iter().fold(Layers::new(), |layers, setting| layers.set(setting).unwrap());
    let factory = || {
        let env = from_closures(
            "CartPole-v1",
            2,
            |_| [0.0; 4],
            |[count, _, _, _], action, _| {
                *count += 0.2 + 0.1 * action as f64;
                Step { reward: 1.0, terminated: *count >= 2.0, truncated: false }
            },
        );
        Ok(Box::new(TimeLimit::new(env, 500)?) as Box<dyn requel_envs::Env>)
    };
    let trainer = Trainer::with_envs(layers.resolve().unwrap(), Box::new(factory)).unwrap();
    let session = Session::create(&desk.path().join("run"), trainer).unwrap();
    session.train(&mut (), &Control::new()).unwrap();
    let packed = call(PLAIN, "pack run --output packed.requel.tar", desk.path());
    assert!(packed.status.success(), "{}", said(&packed));
    std::fs::write(desk.path().join("study.toml"), STUDY.replace("Greenhouse-v0", "Other-v0")).unwrap();
    desk
}

/// Has a program do what each line says on a desk of its own, which `desk` is copied to.
fn each(lines: &str, program: &str, desk: &TempDir, look: impl Fn(&str, &Output, bool)) {
    for line in lines.lines() {
        let copy = tempfile::tempdir().unwrap();
        let before = files(desk.path());
        for (path, bytes) in &before {
            let path = copy.path().join(path.strip_prefix(desk.path()).unwrap());
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
        let before = files(copy.path());
        let output = call(program, line, copy.path());
        look(line, &output, files(copy.path()) == before);
    }
}

#[test]
fn the_program_that_has_the_environment_has_every_verb_for_it() {
    let desk = registered();
    for lines in [MAKES, LOOKS, READS, NAMES] {
        each(lines, OWN, &desk, |line, output, _| {
            assert!(output.status.success(), "{line}: {:?} {}", output.status, said(output));
        });
    }
    let page = std::fs::read_to_string(desk.path().join("run/report.html")).unwrap();
    assert!(page.contains("open the vents"), "the page names the actions");
    let listed = String::from_utf8(call(OWN, "envs", desk.path()).stdout).unwrap();
    assert!(listed.contains("Greenhouse-v0") && listed.contains("CartPole-v1"), "{listed}");
}

#[test]
fn an_agent_that_is_no_network_has_every_verb_but_export() {
    let desk = trained("Greenhouse-v0 --set agent.name=tabular");
    each(WITHOUT_A_FILE, OWN, &desk, |line, output, _| {
        assert!(output.status.success(), "{line}: {:?} {}", output.status, said(output));
    });
    each("export run --output out.onnx", OWN, &desk, |line, output, is_untouched| {
        assert_eq!(output.status.code(), Some(2), "{line}: {}", said(output));
        assert!(said(output).contains("has not learned a value network") && is_untouched, "{line}: {}", said(output));
    });
}

/// What takes the part of the program that a run was trained by.
const NEEDS_ITS_PARTS: &str = "\
resume run
resume run --set train.env_steps=900
eval run --episodes 3
train --config run/config.toml --run-dir out --quiet";

#[test]
fn a_program_without_the_agent_reads_what_is_written_down_and_says_who_has_the_rest() {
    let desk = trained("CartPole-v1 --set agent.name=tabular");
    each("diagnose run\nverify run\ncompare run\npack run --output out.requel.tar", PLAIN, &desk, |line, output, _| {
        assert!(output.status.success(), "{line}: {}", said(output));
        let is_looked_into = !said(output).contains("cannot be read");
        assert_eq!(is_looked_into, line != "diagnose run", "{line}: {}", said(output));
    });
    each(NEEDS_ITS_PARTS, PLAIN, &desk, |line, output, is_untouched| {
        let text = said(output);
        assert_eq!(output.status.code(), Some(2), "{line}: {text}");
        assert!(text.contains("`agent.name` is `tabular`, but this program has not registered it"), "{line}: {text}");
        // A run's is somebody else's; of a config it may be a mistake.
        let hint = if line.starts_with("train") {
            "leave `agent.name` empty"
        } else {
            "run this with the program that registers it"
        };
        assert!(text.contains(hint) && is_untouched, "{line}: {text}");
    });
}

#[test]
fn a_program_without_the_environment_refuses_by_name_and_writes_nothing() {
    let desk = registered();
    each(MAKES, PLAIN, &desk, |line, output, is_untouched| {
        let text = said(output);
        assert_eq!(output.status.code(), Some(2), "{line}: {text}");
        assert!(text.contains("Greenhouse-v0"), "{line}: {text}");
        assert!(is_untouched, "{line} has written something");
    });
    for lines in [LOOKS, READS] {
        each(lines, PLAIN, &desk, |line, output, _| assert!(output.status.success(), "{line}: {}", said(output)));
    }
}

#[test]
fn a_study_of_what_a_program_lacks_says_which_program_has_it() {
    let desk = registered();
    let part =
        STUDY.replace("Greenhouse-v0", "CartPole-v1").replace("optimizer.learning_rate=1e-4", "agent.name=tabular");
    std::fs::write(desk.path().join("part.toml"), part).unwrap();
    let cases = [("study.toml", "use the program that registers it"), ("part.toml", "leave `agent.name` empty")];
    for (file, hint) in cases {
        let output = call(PLAIN, &format!("study {file} --out out"), desk.path());
        let text = said(&output);
        assert_eq!(output.status.code(), Some(2), "{file}: {text}");
        let hints: Vec<&str> = text.lines().filter(|line| line.starts_with("hint: ") && line.contains(hint)).collect();
        assert_eq!(hints.len(), 1, "{file}: {text}");
    }
}

#[test]
fn another_environment_of_the_same_id_is_refused_by_what_differs() {
    let desk = registered();
    // What names the environment alone, and not the run, is of the other one then.
    let of_settings = |line: &str| line.starts_with("study");
    each(&format!("{MAKES}\n{LOOKS}"), OTHER, &desk, |line, output, is_untouched| {
        let text = said(output);
        if of_settings(line) {
            return;
        }
        assert!(!output.status.success() && text.contains("has observations of 2 numbers"), "{line}: {text}");
        assert!(is_untouched, "{line} has written something");
    });
}

#[test]
fn an_environment_with_the_id_of_one_of_ours_is_not_taken_for_it() {
    let desk = given();
    let of_settings = |line: &str| line.starts_with("study");
    each(&format!("{MAKES}\n{LOOKS}"), PLAIN, &desk, |line, output, is_untouched| {
        let text = said(output);
        if of_settings(line) {
            return;
        }
        assert_ne!(output.status.code(), Some(0), "{line}: {text}");
        assert!(text.contains("requel's own"), "{line}: {text}");
        assert!(is_untouched, "{line} has written something");
    });
}

#[test]
fn a_study_is_merged_in_its_own_environment_alone() {
    let desk = registered();
    let trained = call(OWN, "study study.toml --out st --quiet", desk.path());
    assert!(trained.status.success(), "{}", said(&trained));
    each("study study.toml --out st --merge", OTHER, &desk, |line, output, is_untouched| {
        let text = said(output);
        assert!(!output.status.success() && text.contains("has observations of 2 numbers"), "{line}: {text}");
        assert!(is_untouched, "{line} has written something");
    });
    each("study study.toml --out st --merge", OWN, &desk, |line, output, _| {
        assert!(output.status.success(), "{line}: {}", said(output));
    });
}

#[test]
fn a_run_that_begins_from_weights_has_lost_no_episode_and_one_that_has_says_so() {
    let desk = registered();
    let begun = call(OWN, "train --from run --run-dir begun --quiet", desk.path());
    assert!(begun.status.success(), "{}", said(&begun));
    let summary = desk.path().join("begun/summary.json");
    let text = std::fs::read_to_string(&summary).unwrap();
    assert!(!text.contains("inexact_resumes"), "{text}");
    let compared = |desk: &Path| String::from_utf8(call(OWN, "compare begun", desk).stdout).unwrap();
    assert!(!compared(desk.path()).contains("resumed with new episodes"));
    std::fs::write(&summary, text.replace("\"skipped\": 0,", "\"skipped\": 0, \"inexact_resumes\": 2,")).unwrap();
    std::fs::remove_file(desk.path().join("begun/checksums.blake3")).unwrap();
    let table = compared(desk.path());
    assert!(table.contains("1 of 1 runs were interrupted and resumed with new episodes"), "{table}");
}

#[test]
fn weights_of_an_agent_without_a_network_are_refused_by_what_they_are() {
    let desk = trained("Greenhouse-v0 --set agent.name=tabular");
    let lines = "train --from run --run-dir out\ntrain --from run --weights last --run-dir out";
    each(lines, OWN, &desk, |line, output, is_untouched| {
        let text = said(output);
        assert!(output.status.code() == Some(2) && text.contains("has not learned a value network"), "{line}: {text}");
        assert!(is_untouched, "{line} has written something");
    });
}
