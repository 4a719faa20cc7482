//! Running the program in an empty directory of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use assert_cmd::assert::Assert;
use serde_json::Value;
use tempfile::TempDir;

/// A run of a few seconds without optimisation, with everything in it: learning, evaluations, checkpoints.
pub const SHORT: &[&str] = &[
    "--preset",
    "notebook",
    "--set",
    "train.episodes=0",
    "--set",
    "train.env_steps=3000",
    "--set",
    "evaluation.every_steps=1000",
    "--set",
    "evaluation.every_episodes=0",
    "--set",
    "evaluation.episodes=3",
    "--set",
    "evaluation.final_episodes=5",
    "--set",
    "checkpoint.every_steps=500",
    "--set",
    "log.every_steps=250",
];

/// An empty directory to run the program in.
pub struct Desk {
    dir: TempDir,
}

/// What the program answered.
pub struct Answer {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Desk {
    pub fn new() -> Self {
        Desk { dir: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Runs the program to its end.
    pub fn run(&self, args: &[&str]) -> Answer {
        let mut command = assert_cmd::Command::from_std(self.command(args));
        let assert: Assert = command.timeout(Duration::from_secs(300)).assert();
        let output = assert.get_output();
        Answer {
            code: output.status.code().expect("ended by itself"),
            out: String::from_utf8(output.stdout.clone()).unwrap(),
            err: String::from_utf8(output.stderr.clone()).unwrap(),
        }
    }

    /// Runs the program, which must succeed.
    pub fn ok(&self, args: &[&str]) -> Answer {
        let answer = self.run(args);
        assert_eq!(answer.code, 0, "{args:?}\n{}", answer.err);
        answer
    }

    /// `train` with [`SHORT`], into the directory `run_dir`, as JSON lines.
    pub fn train(&self, run_dir: &str, more: &[&str]) -> Answer {
        self.ok(&[&["train", "--json", "--quiet", "--run-dir", run_dir], SHORT, more].concat())
    }

    /// The program, ready to be started.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_requel"));
        command.args(args).current_dir(self.dir.path()).stdin(Stdio::null());
        for variable in ["NO_COLOR", "CLICOLOR_FORCE", "COLORTERM", "LC_ALL", "LC_CTYPE"] {
            command.env_remove(variable);
        }
        command.env("LANG", "C.UTF-8").env("COLUMNS", "80");
        command
    }

    /// What lies in the directory.
    pub fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.dir.path()).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }
}

impl Answer {
    /// The lines on stdout as JSON.
    pub fn json(&self) -> Vec<Value> {
        self.out.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))).collect()
    }

    /// The last line on stdout as JSON.
    pub fn last(&self) -> Value {
        self.json().pop().expect("at least one line")
    }
}

/// The newest checkpoint of a run.
pub fn newest_checkpoint(run: &Path) -> PathBuf {
    let entries = std::fs::read_dir(run.join("checkpoints")).unwrap();
    entries.map(|entry| entry.unwrap().path()).filter(|path| path.join("manifest.json").exists()).max().unwrap()
}
