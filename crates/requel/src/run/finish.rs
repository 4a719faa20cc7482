//! Finishing a run: the last step of training, repeated until it is complete.
//!
//! The seal over the finished run (`checksums.blake3`) is written last. If a process dies before that, the run is not finished, whatever
//! else it has written: resuming from its last checkpoint writes the end again, with the same bytes.

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
    /// Whether its training has ended, and all its files were written.
    pub fn is_finished(&self) -> bool {
        // If the summary is damaged, it is written again from the last checkpoint.
        if !matches!(self.summary(), Ok(Some(_))) {
            return false;
        }
        match checksums::read(self.dir()) {
            Ok(Some(sealed)) => self.unsealed(&sealed).next().is_none(),
            // Early versions wrote none.
            Ok(None) => true,
            // Resuming it reports what is wrong.
            Err(_) => false,
        }
    }

    /// Writes what a finished run has in addition to its logs, whose BLAKE3 are given, and the seal over everything, through the storage of
    /// the process that has the run: if another process has taken over the run, this fails.
    pub(super) fn finish(
        &self,
        storage: &dyn Storage,
        policy: Option<&PolicyFile>,
        summary: &Summary,
        logs: BTreeMap<String, String>,
    ) -> Result<(), RunError> {
        let policy = policy.map(|policy| self.write_best_policy(storage, policy)).transpose()?;
        let summary = self.write_summary(storage, summary)?;
        // A run whose checksums were removed continues without.
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

    /// Removes the seal from the results of a finished run, which are about to change. The config stays sealed.
    pub(super) fn unfinish(&self) -> Result<(), RunError> {
        if let Some(mut files) = checksums::read(self.dir())?.filter(|files| files.len() > 1) {
            files.retain(|name, _| is_of_settings(name));
            checksums::write(self.dir(), &files)?;
        }
        Ok(())
    }

    /// What is missing from a run that has a summary, and so has ended.
    pub(super) fn lacking(&self) -> Vec<CheckpointError> {
        let dir = self.dir();
        if !dir.join(SUMMARY).is_file() {
            return Vec::new();
        }
        match checksums::read(dir) {
            Ok(Some(sealed)) => {
                let names: Vec<&str> = self.unsealed(&sealed).collect();
                // Another process may be about to seal it right now.
                if names.is_empty() || self.is_in_use() {
                    return Vec::new();
                }
                let reason = format!(
                    "it does not list {}: the end of the run was interrupted; resume the run to write it again",
                    names.join(", ")
                );
                vec![CheckpointError::damaged(&dir.join(checksums::CHECKSUMS), reason)]
            }
            Ok(None) => {
                let missing = of_finished().map(|name| dir.join(name)).filter(|path| !path.exists());
                missing
                    .map(|path| {
                        CheckpointError::damaged(
                            &path,
                            "it is missing although the run is \
                    finished",
                        )
                    })
                    .collect()
            }
            Err(_) => Vec::new(),
        }
    }

    /// Files that the seal of a finished run does not cover. An agent without a value network writes no policy file.
    fn unsealed(&self, sealed: &BTreeMap<String, String>) -> impl Iterator<Item = &'static str> {
        let is_left = |name: &str| name != BEST_POLICY || self.best_policy_path().exists();
        of_finished().filter(move |name| !sealed.contains_key(*name) && is_left(name))
    }
}

/// The files that every finished run has, by their paths from its directory.
fn of_finished() -> impl Iterator<Item = &'static str> {
    [checksums::CONFIG, BEST_POLICY, SUMMARY].into_iter().chain(log::NAMES)
}
