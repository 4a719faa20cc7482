//! Real runs to put faults into.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};

use xtask::workspace;

/// What is trained: short, with learning, evaluations and many saves.
pub struct Training {
    /// For names of directories.
    pub name: &'static str,
    /// How often it is killed.
    pub kills: usize,
    preset: &'static str,
    /// Settings in addition to those that all have, `key=value`.
    settings: &'static [&'static str],
}

/// A plain agent; one with a distribution, priorities and several steps; and one whose buffer is written in segments.
pub const TRAININGS: [Training; 3] = [
    Training {
        name: "dqn",
        kills: 200,
        preset: "notebook",
        settings: &["train.env_steps=4000", "evaluation.every_steps=1300", "checkpoint.every_steps=100"],
    },
    Training {
        name: "c51, prioritized",
        kills: 200,
        preset: "c51",
        settings: &[
            "train.env_steps=1200",
            "train.num_envs=2",
            "network.hidden=[32]",
            "replay.kind=prioritized",
            "replay.start=200",
            "agent.n_step=3",
            "evaluation.every_steps=600",
            "checkpoint.every_steps=30",
        ],
    },
    Training {
        name: "dqn, segments",
        kills: 60,
        preset: "notebook",
        // More than 4 MiB of transitions.
        settings: &[
            "train.env_steps=110000",
            "train.every_steps=500",
            "replay.capacity=100000",
            "replay.start=20000",
            "evaluation.every_steps=40000",
            "checkpoint.every_steps=2500",
        ],
    },
];

const COMMON: [&str; 5] = [
    "train.episodes=0",
    "evaluation.every_episodes=0",
    "evaluation.episodes=5",
    "evaluation.final_episodes=5",
    "log.every_steps=500",
];

/// A network and environments that are large enough to be worked on by several threads.
pub const WIDE: Training = Training {
    name: "wide",
    kills: 0,
    preset: "notebook",
    settings: &[
        "train.env_steps=8192",
        "train.num_envs=512",
        "train.every_steps=512",
        "network.hidden=[256,256]",
        "replay.capacity=8000",
        "replay.batch_size=128",
        "replay.start=1000",
        "evaluation.every_steps=4096",
        "checkpoint.every_steps=2048",
    ],
};

impl Training {
    /// The command that trains into `dir`.
    pub fn command(&self, binary: &Path, dir: &Path) -> Command {
        let mut command = quiet(binary);
        command.args(["train", "--quiet", "--run-dir"]).arg(dir).args(self.arguments());
        command
    }

    /// The arguments of `requel train` for this training, without its directory.
    pub fn arguments(&self) -> Vec<&'static str> {
        let settings = COMMON.iter().chain(self.settings).flat_map(|setting| ["--set", *setting]);
        ["--preset", self.preset].into_iter().chain(settings).collect()
    }
}

/// The command that continues the run in `dir`.
pub fn resume(binary: &Path, dir: &Path) -> Command {
    let mut command = quiet(binary);
    command.args(["resume", "--quiet"]).arg(dir);
    command
}

/// The program with nothing of it shown.
pub fn quiet(binary: &Path) -> Command {
    let mut command = Command::new(binary);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Starts a command.
///
/// # Errors
/// When the system refuses.
pub fn start(mut command: Command) -> Result<Child> {
    command.spawn().with_context(|| format!("cannot start {command:?}"))
}

/// Runs a command, which must succeed.
///
/// # Errors
/// When it does not, with what it said.
pub fn succeed(mut command: Command) -> Result<()> {
    let output = command.stdout(Stdio::piped()).stderr(Stdio::piped()).output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command:?} ended with {}: {said}", output.status);
    Ok(())
}

/// An empty directory under the target folder.
///
/// # Errors
/// When the file system refuses.
pub fn desk(name: &str) -> Result<PathBuf> {
    let desk = workspace::target_dir().join("xtask").join(format!("faults-{name}"));
    workspace::empty_folder(&desk)?;
    Ok(desk)
}

/// What must not depend on any interruption, by name: metrics, table, summary, policy, and the last checkpoint without its
/// manifest, which says how often was saved.
///
/// # Errors
/// When a file is missing.
pub fn bytes(dir: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut found = BTreeMap::new();
    for name in ["config.toml", "metrics.jsonl", "progress.csv", "summary.json", "best/policy.safetensors"] {
        let path = dir.join(name);
        found.insert(name.to_owned(), std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?);
    }
    let last = checkpoints(dir)?.pop().context("no checkpoint")?;
    for entry in std::fs::read_dir(&last)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if !name.starts_with("manifest") {
            found.insert(format!("checkpoint/{name}"), std::fs::read(&path)?);
        }
    }
    // A buffer lies in one file, or a large one in segments.
    for part in ["network.", "optimizer.", "replay.", "state.json"] {
        let part = format!("checkpoint/{part}");
        ensure!(found.keys().any(|name| name.starts_with(&part)), "{} has no {part}", last.display());
    }
    Ok(found)
}

/// The checkpoints of a run, the oldest first.
///
/// # Errors
/// When there is no such directory.
pub fn checkpoints(dir: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(dir.join("checkpoints"))?.map(|entry| Ok(entry?.path()));
    let mut all = entries.collect::<Result<Vec<PathBuf>>>()?;
    all.retain(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("ckpt-")));
    all.sort();
    Ok(all)
}

/// Says which files differ.
///
/// # Errors
/// If any does.
pub fn same(expected: &BTreeMap<String, Vec<u8>>, dir: &Path) -> Result<()> {
    let found = bytes(dir)?;
    let differs = |(name, bytes): &(&String, &Vec<u8>)| found.get(*name) != Some(bytes);
    let different: Vec<&String> = expected.iter().filter(differs).map(|(name, _)| name).collect();
    ensure!(different.is_empty() && found.len() == expected.len(), "{}: {different:?} differ", dir.display());
    Ok(())
}

/// Whole numbers from a fixed sequence (SplitMix64): the same faults every time.
pub struct Draws(pub u64);

impl Draws {
    /// Below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n as u64) as usize
    }
}
