//! The runs of a page that have been made, kept in its comma-separated values, so that a table continues where it was stopped.
//!
//! A run that is on record is not made again. Whoever wants some anew deletes their lines; whether those that are there are of the
//! program checked out, `cargo xtask results --check --all` says.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use requel::study::{RunRow, Seeds};

use super::seeds::{Configuration, train_all};
use xtask::workspace;

/// The runs of one page.
#[derive(Debug)]
pub struct Record {
    path: PathBuf,
    header: String,
    runs: Vec<RunRow>,
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
        if !path.exists() {
            return Ok(Self { path, header: RunRow::header(None), runs: Vec::new() });
        }
        let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let runs =
            RunRow::read_all(&text).with_context(|| format!("cannot go on with {}; delete it", path.display()))?;
        Ok(Self { path, header: RunRow::header(Some(&text)), runs })
    }

    /// The runs of a configuration with these seeds, in the order of their seeds.
    pub fn of(&self, configuration: &Configuration, seeds: &Seeds) -> Vec<RunRow> {
        let wanted = |run: &&RunRow| run.configuration == configuration.name && seeds.as_slice().contains(&run.seed);
        let mut runs: Vec<RunRow> = self.runs.iter().filter(wanted).cloned().collect();
        runs.sort_by_key(|run| run.seed);
        runs
    }

    /// How many runs there are.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.runs.len()
    }

    /// These runs as the file has them.
    pub fn lines<'a>(&self, runs: impl IntoIterator<Item = &'a RunRow>) -> String {
        self.header.clone() + &runs.into_iter().map(|run| run.line(&self.header)).collect::<String>()
    }

    /// Those of `wanted` that are not on record, in their order.
    pub fn missing<'a>(
        &self,
        wanted: impl IntoIterator<Item = (&'a Configuration, u64)>,
    ) -> Vec<(&'a Configuration, u64)> {
        let has = |configuration: &Configuration, seed| {
            self.runs.iter().any(|run| run.configuration == configuration.name && run.seed == seed)
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
            self.append(run)?;
            after(self, configuration)
        })
    }

    fn append(&mut self, run: RunRow) -> Result<()> {
        let line = run.line(&self.header);
        let text = if self.path.exists() { line } else { self.header.clone() + &line };
        OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.path)
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .with_context(|| format!("cannot write {}", self.path.display()))?;
        self.runs.push(run);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_on_record_is_not_made_again() {
        let folder = workspace::target_dir().join("xtask").join(format!("record-test-{}", std::process::id()));
        workspace::empty_folder(&folder).unwrap();
        let named = |name: &str| Configuration { name: name.into(), arguments: Vec::new(), aim: None };
        let run = |name: &str, seed| RunRow { configuration: name.into(), seed, ..RunRow::default() };
        let (a, b) = (named("a"), named("b"));
        let path = folder.join("x.csv");
        let mut record = Record::at(path.clone()).unwrap();
        record.append(run("a", 8)).unwrap();
        record.append(run("a", 7)).unwrap();
        record.append(run("b", 7)).unwrap();

        let again = Record::at(path.clone()).unwrap();
        let seeds = |text: &str| again.of(&a, &text.parse().unwrap()).iter().map(|run| run.seed).collect::<Vec<_>>();
        assert_eq!((seeds("0..8"), seeds("0..9")), (vec![7], vec![7, 8]));
        let left = again.missing([(&a, 7), (&a, 9), (&b, 8)]);
        assert_eq!(left.iter().map(|(which, seed)| (&*which.name, *seed)).collect::<Vec<_>>(), [("a", 9), ("b", 8)]);
        assert_eq!(again.lines(&again.runs), std::fs::read_to_string(&path).unwrap());

        std::fs::write(&path, "other\n").unwrap();
        assert!(format!("{:#}", Record::at(path).unwrap_err()).contains("delete it"));
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
