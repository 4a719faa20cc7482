//! The runs of a page that have been made, kept in its comma-separated values, so that a table goes on where it was stopped.
//!
//! A run that is on record is not made again. Whoever wants some anew deletes their lines; whether those that are there are of the
//! program checked out, `cargo xtask results --check --all` says.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::rows;
use super::seeds::{Configuration, SeedRun, train_all};
use xtask::workspace;

/// The runs of one page.
#[derive(Debug)]
pub struct Record {
    path: PathBuf,
    runs: Vec<(String, SeedRun)>,
}

impl Record {
    /// Of the page called `name`; empty where it has none.
    ///
    /// # Errors
    /// When the file is there and cannot be read or has another header.
    pub fn open(name: &str) -> Result<Self> {
        Self::at(workspace::root().join("results").join(format!("{name}.csv")))
    }

    fn at(path: PathBuf) -> Result<Self> {
        let runs = match path.exists() {
            true => {
                let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
                rows::read(&text).with_context(|| format!("cannot go on with {}; delete it", path.display()))?
            }
            false => Vec::new(),
        };
        Ok(Self { path, runs })
    }

    /// The runs of a configuration with these seeds, in their order.
    pub fn of(&self, configuration: &Configuration, seeds: &Range<u64>) -> Vec<SeedRun> {
        let wanted = |(name, run): &&(String, SeedRun)| *name == configuration.name && seeds.contains(&run.seed);
        let mut runs: Vec<SeedRun> = self.runs.iter().filter(wanted).map(|(_, run)| run.clone()).collect();
        runs.sort_by_key(|run| run.seed);
        runs
    }

    /// Those of `wanted` that are not on record, in their order.
    pub fn missing<'a>(
        &self,
        wanted: impl IntoIterator<Item = (&'a Configuration, u64)>,
    ) -> Vec<(&'a Configuration, u64)> {
        let has = |configuration: &Configuration, seed| {
            self.runs.iter().any(|(name, run)| *name == configuration.name && run.seed == seed)
        };
        wanted.into_iter().filter(|(configuration, seed)| !has(configuration, *seed)).collect()
    }

    /// Trains what is missing of `wanted`, `jobs` processes at a time, and writes each run down as it ends, after which `after` is
    /// told its configuration.
    ///
    /// # Errors
    /// As [`train_all`], and when the file cannot be written.
    pub fn train<'a>(
        &mut self,
        binary: &Path,
        wanted: impl IntoIterator<Item = (&'a Configuration, u64)>,
        jobs: usize,
        after: &mut (dyn FnMut(&Self, &Configuration) -> Result<()> + Send),
    ) -> Result<()> {
        let missing = self.missing(wanted);
        train_all(binary, &missing, jobs, &mut |configuration, run| {
            self.append(configuration, run)?;
            after(self, configuration)
        })
    }

    /// Trains these configurations, one after the other, with these seeds, as far as they are missing.
    ///
    /// # Errors
    /// As [`Record::train`].
    pub fn complete<'a>(
        &mut self,
        binary: &Path,
        configurations: impl IntoIterator<Item = &'a Configuration>,
        seeds: &Range<u64>,
        jobs: usize,
    ) -> Result<()> {
        let of = |configuration| seeds.clone().map(move |seed| (configuration, seed));
        let wanted: Vec<_> = configurations.into_iter().flat_map(of).collect();
        self.train(binary, wanted, jobs, &mut |_, _| Ok(()))
    }

    fn append(&mut self, configuration: &Configuration, run: SeedRun) -> Result<()> {
        let line = rows::line(&configuration.name, &run);
        let text = if self.path.exists() { line } else { rows::HEADER.to_owned() + &line };
        OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.path)
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .with_context(|| format!("cannot write {}", self.path.display()))?;
        self.runs.push((configuration.name.to_string(), run));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::finished::Finished;

    fn run(seed: u64) -> SeedRun {
        let finished = Finished { env_steps: 10, updates: 2, episodes: 1, wall_seconds: 0.5, ..Finished::sample() };
        SeedRun { seed, finished, process_seconds: 0.75 }
    }

    #[test]
    fn what_is_on_record_is_not_made_again() {
        let folder = workspace::target_dir().join("xtask").join(format!("record-test-{}", std::process::id()));
        workspace::empty_folder(&folder).unwrap();
        let (a, b) = (Configuration::new("a", &["train"]), Configuration::new("b", &["train"]));
        let path = folder.join("x.csv");
        let mut record = Record::at(path.clone()).unwrap();
        record.append(&a, run(8)).unwrap();
        record.append(&a, run(7)).unwrap();
        record.append(&b, run(7)).unwrap();

        let again = Record::at(path.clone()).unwrap();
        assert_eq!(again.of(&a, &(0..8)).iter().map(|run| run.seed).collect::<Vec<_>>(), [7]);
        assert_eq!(again.of(&a, &(0..9)).iter().map(|run| run.seed).collect::<Vec<_>>(), [7, 8]);
        let left = again.missing([(&a, 7), (&a, 9), (&b, 8)]);
        assert_eq!(
            left.iter().map(|(which, seed)| (which.name.as_ref(), *seed)).collect::<Vec<_>>(),
            [("a", 9), ("b", 8)]
        );

        std::fs::write(&path, "other\n").unwrap();
        assert!(format!("{:#}", Record::at(path).unwrap_err()).contains("delete it"));
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
