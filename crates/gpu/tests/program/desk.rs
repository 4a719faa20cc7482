//! Running `examples/program.rs` in an empty directory, with a driver of the test's own.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

pub struct Desk {
    dir: TempDir,
    /// Where the program finds `libcuda.so.1`.
    driver: PathBuf,
    settings: Vec<(&'static str, String)>,
}

pub struct Answer {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Desk {
    /// With the host twin as driver.
    pub fn with_twin() -> Desk {
        let library = requel_gpu::twin::build(env!("CARGO_TARGET_TMPDIR")).expect("a C++ compiler builds the kernels");
        let driver = library.parent().expect("a folder").to_owned();
        Desk { dir: tempfile::tempdir().unwrap(), driver, settings: Vec::new() }
    }

    /// With a library of that name that is none: on a machine with a real driver that one is not found either.
    pub fn without_driver() -> Desk {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("libcuda.so.1"), b"no library").unwrap();
        Desk { driver: dir.path().to_owned(), dir, settings: Vec::new() }
    }

    /// Where something goes wrong: see `kernels/host/driver.cpp`.
    pub fn where_it_says(mut self, name: &'static str, value: impl ToString) -> Desk {
        self.settings.push((name, value.to_string()));
        self
    }

    /// The same place with a driver on which nothing goes wrong.
    pub fn mended(mut self) -> Desk {
        self.settings.clear();
        self
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn run(&self, arguments: &[&str]) -> Answer {
        let mut command = Command::new(program());
        command.args(arguments).current_dir(self.dir.path()).env("LD_LIBRARY_PATH", &self.driver);
        command.envs(self.settings.iter().map(|(name, value)| (name, value)));
        let output = command.output().expect("the program starts");
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Answer { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// Trains a short run in `dir` on a device, with other settings.
    pub fn train(&self, dir: &str, device: &str, settings: &[&str]) -> Answer {
        let device = format!("train.device={device}");
        let mut arguments = vec!["train", "--preset", "dqn", "--run-dir", dir, "--set", &device];
        for setting in SHORT.iter().chain(settings) {
            arguments.extend(["--set", *setting]);
        }
        self.run(&arguments)
    }
}

const SHORT: [&str; 8] = [
    "train.env_steps=600",
    "replay.start=200",
    "replay.capacity=1000",
    "evaluation.every_steps=0",
    "evaluation.final_episodes=2",
    "evaluation.max_episode_steps=50",
    "checkpoint.every_steps=300",
    "log.every_steps=100",
];

/// Beside this test's own folder.
fn program() -> PathBuf {
    let own = std::env::current_exe().expect("a path");
    let folder = own.parent().and_then(Path::parent).expect("target/PROFILE/deps");
    let program = folder.join("examples").join("program");
    assert!(program.exists(), "`cargo test -p requel-gpu` builds it, or `cargo build -p requel-gpu --examples`");
    program
}

impl Answer {
    #[track_caller]
    pub fn says(&self, code: i32, texts: &[&str]) {
        let Answer { code: found, out, err } = self;
        assert_eq!(*found, Some(code), "{out}\n{err}");
        for text in texts {
            assert!(err.contains(text), "`{text}` is not in:\n{err}");
        }
        assert!(!err.contains("panicked"), "{err}");
    }
}
