//! `provenance.json`: which program made a run, how it was called, and on what machine. One record for each session.
//!
//! It contains what depends on no setting and decides no result, so that "same version, config and seed: same bits" can be checked later.
//! It contains nothing that could identify a person: no host name, no user, no directory except those in the command line itself.

use std::path::Path;
use std::sync::OnceLock;

use requel_nn::Kernel;
use serde::{Deserialize, Serialize};

use super::{Run, RunError, checksums, clock};
use crate::checkpoint::CheckpointError;
use crate::storage::{RealStorage, Storage, replace};

/// Its name.
pub(super) const PROVENANCE: &str = "provenance.json";

/// How one session of a run was started.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Provenance {
    /// Env steps that had been made before it.
    pub from_env_steps: u64,
    /// The segment of the run in which it started, from 1: see [`Run::segments`].
    pub segment: usize,
    /// When it started, UTC, such as `2026-01-31T23:59:59Z`.
    pub started: String,
    /// Version of requel.
    pub requel: String,
    /// What the program says about itself.
    #[serde(flatten)]
    pub program: Program,
    /// The machine it ran on.
    pub machine: MachineRecord,
}

/// Information that only a program has about itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Program {
    /// The commit it was built from, if known.
    pub commit: Option<String>,
    /// Whether the sources had uncommitted changes, if known.
    pub dirty: Option<bool>,
    /// Whether it was built with optimisation, as `release` or `development`.
    pub build: Option<String>,
    /// The command line; empty if a library was called.
    pub command: Vec<String>,
}

/// What is recorded about the machine that a session ran on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MachineRecord {
    /// Operating system, such as `linux`.
    pub os: String,
    /// Architecture, such as `x86_64`.
    pub arch: String,
    /// Model of the processor, if the system provides it.
    pub cpu: Option<String>,
    /// Number of threads that run at once.
    pub threads: usize,
    /// Instruction set that the matrix routines use; the results are the same for all.
    pub kernel: String,
    /// The device that networks are computed on, unless that is the CPU; the results are the same for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
}

static PROGRAM: OnceLock<Program> = OnceLock::new();

/// Sets, once and before the first session, the program information for all records of this process. Later calls change nothing.
pub fn introduce(program: Program) {
    PROGRAM.get_or_init(|| program);
}

impl MachineRecord {
    /// For this machine; `kernel` is the one that networks compute with, if there are networks of requel.
    pub fn here(kernel: Option<Kernel>) -> Self {
        let cpu = std::fs::read_to_string("/proc/cpuinfo").ok().and_then(|text| {
            let line = text.lines().find(|line| line.starts_with("model name"))?;
            Some(line.split_once(": ")?.1.trim().to_owned())
        });
        MachineRecord {
            os: std::env::consts::OS.into(),
            arch: std::env::consts::ARCH.into(),
            cpu,
            threads: std::thread::available_parallelism().map_or(1, |n| n.get()),
            kernel: kernel.map_or("none", Kernel::name).into(),
            device: None,
        }
    }
}

impl std::fmt::Display for MachineRecord {
    /// Processor, threads, system.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let cpu = self.cpu.as_ref().unwrap_or(&self.arch);
        write!(f, "{cpu}, {} threads, {} {}", self.threads, self.os, self.arch)
    }
}

impl Provenance {
    /// For a session that starts now.
    pub(super) fn now(from_env_steps: u64, segment: usize, machine: MachineRecord) -> Self {
        Provenance {
            from_env_steps,
            segment,
            started: clock::written_out(),
            requel: env!("CARGO_PKG_VERSION").into(),
            program: PROGRAM.get().cloned().unwrap_or_default(),
            machine,
        }
    }

    /// The version with its commit, such as `0.1.0 (commit 0123456789ab, changed)`.
    pub fn version(&self) -> String {
        let Program { commit, dirty, .. } = &self.program;
        match commit {
            None => self.requel.clone(),
            Some(commit) => {
                let changed = if *dirty == Some(true) { ", with changes" } else { "" };
                format!("{} (commit {commit}{changed})", self.requel)
            }
        }
    }
}

/// The file as stored on disk.
#[derive(Serialize, Deserialize)]
struct Sessions {
    sessions: Vec<Provenance>,
}

/// If a run is resumed very often, the first session and the latest are kept.
const MOST_SESSIONS: usize = 1_000;
/// The maximum size of a file with this many sessions, bytes.
const MOST_BYTES: u64 = 64 << 20;

impl Run {
    /// How each session of the run was started, oldest first. Empty if none was recorded.
    ///
    /// # Errors
    /// If the file cannot be read or was changed.
    pub fn provenance(&self) -> Result<Vec<Provenance>, RunError> {
        let path = self.dir().join(PROVENANCE);
        let bytes = match RealStorage.len(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            len => len.map_err(RunError::io("read", &path))?,
        };
        if bytes > MOST_BYTES {
            return Err(CheckpointError::damaged(&path, format!("{bytes} bytes is too large")).into());
        }
        let text = RealStorage.read(&path).map_err(RunError::io("read", &path))?;
        parse(&path, &text)
    }

    /// Adds the record of a session that starts.
    pub(super) fn add_provenance(&self, record: Provenance) -> Result<(), RunError> {
        let path = self.dir().join(PROVENANCE);
        let mut sessions = match self.provenance() {
            Ok(sessions) => sessions,
            // An unreadable record must not keep a run from continuing, nor be lost.
            Err(_) => {
                let aside = self.dir().join("provenance.damaged.json");
                std::fs::rename(&path, &aside).map_err(RunError::io("set aside", &path))?;
                Vec::new()
            }
        };
        if sessions.len() >= MOST_SESSIONS {
            sessions.remove(1);
        }
        sessions.push(record);
        let text = serde_json::to_vec_pretty(&Sessions { sessions }).expect("records are plain data");
        Ok(replace(&RealStorage, &path, &text).map_err(CheckpointError::io("write", &path))?)
    }

    /// The BLAKE3 of the file, for the seal of a finished run; `None` if there is none.
    pub(super) fn provenance_hash(&self) -> Option<String> {
        std::fs::read(self.dir().join(PROVENANCE)).ok().map(|bytes| checksums::of(&bytes))
    }
}

fn parse(path: &Path, text: &[u8]) -> Result<Vec<Provenance>, RunError> {
    let Sessions { sessions } = serde_json::from_slice(text).map_err(|e| CheckpointError::damaged(path, e))?;
    Ok(sessions)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Config;

    #[test]
    fn a_record_for_each_session_and_the_first_is_never_lost() {
        let dir = tempfile::tempdir().unwrap();
        let run = Run::create(&dir.path().join("run"), &Config::default()).unwrap();
        assert_eq!(run.provenance().unwrap(), []);
        for from in 0..3 {
            run.add_provenance(Provenance::now(from, 1, MachineRecord::here(None))).unwrap();
        }
        let records = run.provenance().unwrap();
        assert_eq!(records.iter().map(|record| record.from_env_steps).collect::<Vec<_>>(), [0, 1, 2]);
        assert!(
            records.iter().all(|r| r.requel == env!("CARGO_PKG_VERSION") && r.machine == MachineRecord::here(None))
        );

        let many = Sessions {
            sessions: (0..MOST_SESSIONS as u64)
                .map(|from| Provenance::now(from, 1, MachineRecord::here(None)))
                .collect(),
        };
        std::fs::write(run.dir().join(PROVENANCE), serde_json::to_vec(&many).unwrap()).unwrap();
        run.add_provenance(Provenance::now(7_777, 2, MachineRecord::here(None))).unwrap();
        let records = run.provenance().unwrap();
        assert_eq!(records.len(), MOST_SESSIONS);
        assert_eq!([records[0].from_env_steps, records[MOST_SESSIONS - 1].from_env_steps], [0, 7_777]);
    }

    #[test]
    fn a_damaged_file_is_told_and_set_aside_by_the_next_session() {
        let dir = tempfile::tempdir().unwrap();
        let run = Run::create(&dir.path().join("run"), &Config::default()).unwrap();
        std::fs::write(run.dir().join(PROVENANCE), "{").unwrap();
        let error = run.provenance().unwrap_err().to_string();
        assert!(error.contains("provenance.json is damaged"), "{error}");
        run.add_provenance(Provenance::now(5, 1, MachineRecord::here(None))).unwrap();
        assert_eq!(run.provenance().unwrap().len(), 1);
        assert_eq!(std::fs::read(run.dir().join("provenance.damaged.json")).unwrap(), b"{");
    }

    #[test]
    fn it_has_these_notes_and_none_that_says_who_or_where() {
        let record = serde_json::to_value(Provenance::now(0, 1, MachineRecord::here(None))).unwrap();
        let keys = |value: &serde_json::Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        let own = ["build", "command", "commit", "dirty", "from_env_steps", "machine", "requel", "segment", "started"];
        assert_eq!(keys(&record), own);
        assert_eq!(keys(&record["machine"]), ["arch", "cpu", "kernel", "os", "threads"]);
    }
}
