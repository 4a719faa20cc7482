//! [`verify`], a look at every byte of a run that can be told right from wrong.

use std::io::BufRead;
use std::path::PathBuf;

use super::{Run, RunError, Summary, checksums};
use crate::agent::PolicyFile;
use crate::checkpoint::{self, CheckpointError};
use crate::log::check_logs;
use crate::storage::RealStorage;

/// What a look at a run came to.
#[derive(Debug, Default)]
pub struct Verified {
    /// Each checkpoint with its env steps, and whether it is whole.
    pub checkpoints: Vec<(u64, PathBuf, bool)>,
    /// Everything that is wrong, with the file and where there are blocks the block.
    pub damage: Vec<CheckpointError>,
}

/// Looks at all checkpoints of a run, at the logs as far as the checkpoints know them, at its config, its best policy and
/// its summary, and at all files of a finished run. Changes nothing, and may look while the run goes on.
///
/// # Errors
/// If the directory of the checkpoints cannot be read.
pub fn verify(run: &Run) -> Result<Verified, RunError> {
    let mut verified = Verified::default();
    let damage = &mut verified.damage;
    let mut policies = Vec::new();
    for (env_steps, path) in checkpoint::list(&RealStorage, &run.checkpoints())? {
        match checkpoint::read(&RealStorage, &path) {
            Ok(checkpoint) => {
                damage.extend(check_logs(run.dir(), &checkpoint.manifest).err());
                policies.push(checkpoint.state.tensors.get("best/parameters").map(|tensor| tensor.bytes.to_vec()));
                verified.checkpoints.push((env_steps, path, true));
            }
            // A run that goes on may have removed it meanwhile.
            Err(_) if !path.exists() => {}
            Err(first) => {
                let mut all = checkpoint::verify(&RealStorage, &path);
                if all.is_empty() {
                    all.push(first);
                }
                damage.extend(all);
                verified.checkpoints.push((env_steps, path, false));
            }
        }
    }
    if let Err(error) = run.config() {
        damage.push(CheckpointError::damaged(&run.config_path(), error));
    }
    damage.extend(checksums::check(run.dir()));
    if run.origin().is_ok_and(|origin| origin.is_some()) && verified.checkpoints.is_empty() && run.summary().is_none() {
        damage.push(CheckpointError::damaged(
            &run.checkpoints(),
            "it holds no checkpoint of a run that began from other weights",
        ));
    }
    damage.extend(run.provenance().err().map(|error| match error {
        RunError::Checkpoint(error) => error,
        error => CheckpointError::damaged(run.dir(), error),
    }));
    let finished = check_summary(run, damage);
    check_policy(run, policies.pop().flatten().filter(|_| finished), damage);
    damage.extend(check_metrics(run));
    Ok(verified)
}

/// Whether there is a summary, which must be one.
fn check_summary(run: &Run, damage: &mut Vec<CheckpointError>) -> bool {
    let path = run.dir().join("summary.json");
    let Ok(text) = std::fs::read(&path) else { return false };
    let parsed: Result<Summary, _> = serde_json::from_slice(&text);
    damage.extend(parsed.err().map(|e| CheckpointError::damaged(&path, e)));
    true
}

/// The best policy must be one; that of a finished run is the one in its last checkpoint.
fn check_policy(run: &Run, expected: Option<Vec<u8>>, damage: &mut Vec<CheckpointError>) {
    let path = run.best_policy_path();
    if !path.exists() {
        return;
    }
    match PolicyFile::read(&path) {
        Err(error) => damage.push(CheckpointError::damaged(&path, error)),
        Ok(policy) => {
            let found: &[u8] = bytemuck::cast_slice(&policy.parameters);
            if expected.is_some_and(|expected| expected != found) {
                damage.push(CheckpointError::damaged(&path, "it is not the best policy of the last checkpoint"));
            }
        }
    }
}

/// Every line of the metrics is JSON; the last one may be half written while a run goes on or after it was killed.
fn check_metrics(run: &Run) -> Option<CheckpointError> {
    let path = run.dir().join("metrics.jsonl");
    let file = std::fs::File::open(&path).ok()?;
    let mut reader = std::io::BufReader::new(file);
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        match reader.read_until(b'\n', &mut line) {
            Err(error) => return Some(CheckpointError::io("read", &path)(error)),
            Ok(0) => return None,
            Ok(_) if line.last() != Some(&b'\n') => return None,
            Ok(_) => {}
        }
        if let Err(error) = serde_json::from_slice::<serde::de::IgnoredAny>(&line) {
            return Some(CheckpointError::damaged(&path, format!("line {number}: {error}")));
        }
    }
    None
}
