//! [`verify`], which checks every byte of a run that can be checked.

use std::io::{BufRead, ErrorKind};
use std::path::{Path, PathBuf};

use super::directory::SUMMARY;
use super::{Run, RunError, checksums};
use crate::checkpoint::{self, CheckpointError};
use crate::log::check_logs;
use crate::policy_file::PolicyFileError;
use crate::storage::{RealStorage, open_regular};

/// The result of verifying a run.
#[derive(Debug, Default)]
pub struct Verified {
    /// Each checkpoint with its env steps, and whether it is intact.
    pub checkpoints: Vec<(u64, PathBuf, bool)>,
    /// Everything that is wrong, with the file and, if there are blocks, the block.
    pub damage: Vec<CheckpointError>,
    /// Whether there are checksums, without which a changed config, log or policy may go unnoticed.
    pub sealed: bool,
}

/// Checks all checkpoints of a run, the logs up to what the checkpoints recorded, its config, its best policy and its summary, and all
/// files of a finished run. Changes nothing, and can be used during training.
///
/// # Errors
/// If the directory of the checkpoints cannot be read.
pub fn verify(run: &Run) -> Result<Verified, RunError> {
    let mut verified = Verified { sealed: checksums::are_there(run.dir()), ..Verified::default() };
    let damage = &mut verified.damage;
    let mut policies = Vec::new();
    for (env_steps, path) in checkpoint::list(&RealStorage, &run.checkpoints())? {
        match checkpoint::read(&RealStorage, &path) {
            Ok(checkpoint) => {
                damage.extend(check_logs(run.dir(), &checkpoint.manifest).err());
                let best = checkpoint.state.tensors.get("best/parameters");
                policies.push(best.map(|tensor| tensor.bytes.contiguous().into_owned()));
                verified.checkpoints.push((env_steps, path, true));
            }
            // A running training may have removed it in the meantime.
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
    let sealed = checksums::check(run.dir());
    let is_sealed = |path: &Path| sealed.iter().any(|error| error.path() == path);
    let (config, summary) = (run.config(), run.summary());
    let finished = !matches!(summary, Ok(None));
    let mut more = Vec::new();
    // A problem already reported by the seal of a file is not repeated.
    let config = config.err().map(|error| into_damage(&run.config_path(), error));
    let provenance = run.provenance().err().map(|error| into_damage(run.dir(), error));
    more.extend([config, provenance].into_iter().flatten().filter(|error| !is_sealed(error.path())));
    let path = run.dir().join(SUMMARY);
    if !is_sealed(&path) {
        more.extend(summary.err().map(|error| into_damage(&path, error)));
    }
    if !finished && verified.checkpoints.is_empty() && run.origin().is_ok_and(|origin| origin.is_some()) {
        let reason = "it has no checkpoint although the run started from other weights";
        more.push(CheckpointError::damaged(&run.checkpoints(), reason));
    }
    if !is_sealed(&run.best_policy_path()) {
        more.extend(check_policy(run, policies.pop().flatten(), finished));
    }
    let path = run.dir().join("metrics.jsonl");
    if !is_sealed(&path) {
        more.extend(check_metrics(&path));
    }
    more.extend(run.lacking());
    damage.extend(sealed.into_iter().chain(more));
    Ok(verified)
}

fn into_damage(path: &Path, error: RunError) -> CheckpointError {
    match error {
        RunError::Checkpoint(error) => error,
        error => CheckpointError::damaged(path, error),
    }
}

/// The best policy must be valid and have the network of the last checkpoint; in a finished run it must be the one in that checkpoint.
fn check_policy(run: &Run, expected: Option<Vec<u8>>, finished: bool) -> Option<CheckpointError> {
    let path = run.best_policy_path();
    let policy = match run.best_policy() {
        Err(RunError::NoPolicy { .. }) => return None,
        Err(RunError::Policy(PolicyFileError::File { source, .. })) => {
            return Some(CheckpointError::damaged(&path, source));
        }
        Err(error) => return Some(into_damage(&path, error)),
        Ok(policy) => policy,
    };
    let (found, expected) = (bytemuck::cast_slice::<f32, u8>(&policy.parameters), expected?);
    if found.len() != expected.len() {
        return Some(CheckpointError::damaged(&path, "its network differs from that of the last checkpoint"));
    }
    (finished && found != expected)
        .then(|| CheckpointError::damaged(&path, "it is not the best policy in the last checkpoint"))
}

/// Every line of the metrics must be JSON; the last one may be incomplete during training or after a kill.
fn check_metrics(path: &Path) -> Option<CheckpointError> {
    let file = match open_regular(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return None,
        Err(error) => return Some(CheckpointError::io("read", path)(error)),
        Ok(file) => file,
    };
    let mut reader = std::io::BufReader::new(file);
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        match reader.read_until(b'\n', &mut line) {
            Err(error) => return Some(CheckpointError::io("read", path)(error)),
            Ok(0) => return None,
            Ok(_) if line.last() != Some(&b'\n') => return None,
            Ok(_) => {}
        }
        if let Err(error) = serde_json::from_slice::<serde::de::IgnoredAny>(&line) {
            return Some(CheckpointError::damaged(path, format!("line {number}: {error}")));
        }
    }
    None
}
