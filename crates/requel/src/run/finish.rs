//! Finishing a run: the last step of a training, made again until it is whole.
//!
//! The seal over the finished run, which `checksums.blake3` is then, comes last. A process that dies before leaves a run that is
//! not finished, whatever else it has written: going on from its last checkpoint makes the end again, with the same bytes.

use std::collections::BTreeMap;

use super::directory::{BEST_POLICY, SUMMARY};
use super::provenance::PROVENANCE;
use super::segments::is_of_settings;
use super::{Run, RunError, Summary, checksums};
use crate::checkpoint::CheckpointError;
use crate::log;
use crate::policy_file::PolicyFile;
use crate::storage::Storage;

impl Run {
    /// Whether its training came to its end, and all that belongs to it was written.
    pub fn is_finished(&self) -> bool {
        // One whose summary is damaged has it written again from its last checkpoint.
        if !matches!(self.summary(), Ok(Some(_))) {
            return false;
        }
        match checksums::read(self.dir()) {
            Ok(Some(sealed)) => self.unsealed(&sealed).next().is_none(),
            // There was a time when none were written.
            Ok(None) => true,
            // Whoever goes on with it is told what is wrong.
            Err(_) => false,
        }
    }

    /// Writes what a finished run has beside its logs, whose BLAKE3 are given, and the seal over all of it, through the storage of
    /// whoever holds the run: one that was taken over is ended by nobody else.
    pub(super) fn finish(
        &self,
        storage: &dyn Storage,
        policy: Option<&PolicyFile>,
        summary: &Summary,
        logs: BTreeMap<String, String>,
    ) -> Result<(), RunError> {
        let policy = policy.map(|policy| self.write_best_policy(storage, policy)).transpose()?;
        let summary = self.write_summary(storage, summary)?;
        // A run whose checksums were taken away goes on without.
        if let Some(mut files) = checksums::read(self.dir())? {
            files.extend(policy.map(|policy| (BEST_POLICY.to_owned(), policy)));
            files.insert(SUMMARY.to_owned(), summary);
            files.extend(self.provenance_hash().map(|hash| (PROVENANCE.to_owned(), hash)));
            files.extend(logs);
            debug_assert_eq!(self.unsealed(&files).collect::<Vec<_>>(), [""; 0]);
            checksums::write_through(storage, self.dir(), &files)?;
        }
        Ok(())
    }

    /// Takes the seal from what a finished run came to, which is about to change. Its config is not.
    pub(super) fn unfinish(&self) -> Result<(), RunError> {
        if let Some(mut files) = checksums::read(self.dir())?.filter(|files| files.len() > 1) {
            files.retain(|name, _| is_of_settings(name));
            checksums::write(self.dir(), &files)?;
        }
        Ok(())
    }

    /// What a run lacks that has a summary, and so came to its end.
    pub(super) fn lacking(&self) -> Vec<CheckpointError> {
        let dir = self.dir();
        if !dir.join(SUMMARY).is_file() {
            return Vec::new();
        }
        match checksums::read(dir) {
            Ok(Some(sealed)) => {
                let names: Vec<&str> = self.unsealed(&sealed).collect();
                // At this moment somebody may be about to seal it.
                if names.is_empty() || self.is_in_use() {
                    return Vec::new();
                }
                let reason = format!(
                    "it does not know {}: the end of the run was cut off, and going on with it makes that again",
                    names.join(", ")
                );
                vec![CheckpointError::damaged(&dir.join(checksums::CHECKSUMS), reason)]
            }
            Ok(None) => {
                let missing = of_finished().map(|name| dir.join(name)).filter(|path| !path.exists());
                missing.map(|path| CheckpointError::damaged(&path, "it is missing, and the run is finished")).collect()
            }
            Err(_) => Vec::new(),
        }
    }

    /// What the seal of a finished run does not know. An agent without a network of values leaves no policy file.
    fn unsealed(&self, sealed: &BTreeMap<String, String>) -> impl Iterator<Item = &'static str> {
        let is_left = |name: &str| name != BEST_POLICY || self.best_policy_path().exists();
        of_finished().filter(move |name| !sealed.contains_key(*name) && is_left(name))
    }
}

/// The files that every finished run has, by their paths from its directory.
fn of_finished() -> impl Iterator<Item = &'static str> {
    [checksums::CONFIG, BEST_POLICY, SUMMARY].into_iter().chain(log::NAMES)
}
