//! [`Run`], the directory of a training run.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::claim::{Claim, Made};
use super::lock::{LOCK, Lock};
use super::origin::{Beginning, ORIGIN};
use super::{RunError, Summary, checksums, origin, room};
use crate::checkpoint::CheckpointError;
use crate::config::{Config, ConfigError, Layers, Place};
use crate::log;
use crate::policy_file::PolicyFile;
use crate::storage::{RealStorage, Storage, check_regular, ensure_dir, remove_all_staged, remove_staged, replace};
use crate::train::Trainer;

/// A directory with a training run in it: `config.toml`, logs, `checkpoints/`, `best/`, and at the end `summary.json`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    dir: PathBuf,
}

pub(super) const SUMMARY: &str = "summary.json";
pub(super) const BEST_POLICY: &str = "best/policy.safetensors";
/// The page that the program adds.
const REPORT: &str = "report.html";

/// The maximum size of a config, bytes.
const MOST_CONFIG_BYTES: u64 = 1 << 20;
/// The maximum size of a summary, bytes; it has a dozen numbers.
pub(super) const MOST_SUMMARY_BYTES: u64 = 64 << 10;
/// One key from each section that every version has written into every run.
const ALWAYS_WRITTEN: [&str; 13] = [
    "preset",
    "env.id",
    "agent.gamma",
    "network.hidden",
    "optimizer.learning_rate",
    "loss.kind",
    "replay.capacity",
    "target.kind",
    "exploration.kind",
    "train.seed",
    "evaluation.episodes",
    "checkpoint.keep",
    "log.every_steps",
];

impl Run {
    /// Creates a run in `dir`, which does not exist yet or is empty, and writes the config into it. If several processes do so at the same
    /// time, one of them gets the directory. [`Session::create`](super::Session::create) also starts training in it, and leaves nothing
    /// behind if that fails.
    ///
    /// # Errors
    /// If a value in the config is out of range, the directory is not empty, or the disk refuses.
    pub fn create(dir: &Path, config: &Config) -> Result<Self, RunError> {
        Ok(Self::create_for_now(dir, config)?.0)
    }

    /// Like [`Run::create`], and returns what can undo it.
    pub(crate) fn create_for_now(dir: &Path, config: &Config) -> Result<(Self, Made), RunError> {
        let text = config_text(config)?;
        let claim = Claim::take(dir)?;
        let run = Self::begin_in(dir, &text, BTreeMap::new())?;
        Ok((run, claim.release()))
    }

    /// Creates a run in `dir` that starts from what was learned elsewhere, for `trainer`, to which it has been applied: see
    /// [`Beginning::apply`]. [`Session::resume_with`](super::Session::resume_with) starts training in it.
    ///
    /// # Errors
    /// As [`Run::create`]; nothing is left behind then.
    pub fn create_from(dir: &Path, trainer: &Trainer, beginning: &Beginning) -> Result<Self, RunError> {
        Self::create_from_in_first_free([dir.to_path_buf()], trainer, beginning)
    }

    /// Like [`Run::create_from`], in the first free one of `dirs`.
    ///
    /// # Errors
    /// As [`Run::create_from`], [`RunError::Occupied`] if none of them is free.
    ///
    /// # Panics
    /// If `dirs` is empty.
    pub fn create_from_in_first_free(
        dirs: impl IntoIterator<Item = PathBuf>,
        trainer: &Trainer,
        beginning: &Beginning,
    ) -> Result<Self, RunError> {
        let text = config_text(trainer.config())?;
        let claim = Claim::take_first(dirs, |dir| room::check(dir, trainer))?;
        let written = beginning.write(claim.dir(), trainer);
        let run = written.and_then(|hash| Self::begin_in(claim.dir(), &text, [(ORIGIN.to_owned(), hash)].into()));
        // An earlier error is reported, so what cannot be removed stays.
        let run = run.inspect_err(|_| drop(origin::remove_beginning(claim.dir())))?;
        claim.release();
        Ok(run)
    }

    /// Writes the config into a claimed directory; `sealed` is the BLAKE3 of what was written before it.
    pub(super) fn begin_in(
        dir: &Path,
        config_text: &str,
        mut sealed: BTreeMap<String, String>,
    ) -> Result<Self, RunError> {
        let run = Run { dir: dir.to_path_buf() };
        // Before the config, which makes a directory a run.
        sealed.insert(checksums::CONFIG.to_owned(), checksums::of(config_text.as_bytes()));
        checksums::write(dir, &sealed)?;
        write_replacing(&RealStorage, &run.config_path(), config_text.as_bytes())?;
        Ok(run)
    }

    /// The name of a run of `config` that starts at `time`, such as `CartPole-v1__cartpole__0__20260101T120000`.
    pub fn name(config: &Config, time: &str) -> String {
        let plain = |text: &str| text.replace(|c: char| !c.is_ascii_alphanumeric() && !"-_.".contains(c), "-");
        format!("{}__{}__{}__{time}", plain(&config.env.id), plain(config.label()), config.train.seed)
    }

    /// Opens a run.
    ///
    /// # Errors
    /// If the directory is not a run.
    pub fn open(dir: &Path) -> Result<Self, RunError> {
        let run = Run { dir: dir.to_path_buf() };
        if !run.config_path().is_file() {
            return Err(RunError::NotARun { path: dir.to_path_buf() });
        }
        Ok(run)
    }

    /// The most recently started run below `root`.
    ///
    /// # Errors
    /// If there is none.
    pub fn newest(root: &Path) -> Result<Self, RunError> {
        let entries = fs::read_dir(root).map_err(|_| RunError::NoRuns { root: root.to_path_buf() })?;
        let runs = entries.filter_map(|entry| Run::open(&entry.ok()?.path()).ok());
        let begun = |run: &Run| fs::metadata(run.config_path()).and_then(|m| m.modified()).ok();
        runs.max_by_key(|run| (begun(run), run.dir.clone()))
            .ok_or_else(|| RunError::NoRuns { root: root.to_path_buf() })
    }

    /// Its path.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Its config: that of its last segment, if its settings changed during training.
    ///
    /// # Errors
    /// If a config cannot be read, differs from the sealed one, or is not valid in this version.
    pub fn config(&self) -> Result<Config, RunError> {
        Ok(self.segments()?.pop().expect("there is always one").config)
    }

    /// The config in one of its files, checked against its seal.
    pub(super) fn read_config(&self, name: &str) -> Result<Config, RunError> {
        let path = self.dir.join(name);
        let damaged = |reason: String| CheckpointError::damaged(&path, reason);
        let text = checksums::read_sealed(&self.dir, name, MOST_CONFIG_BYTES)?;
        let text = String::from_utf8(text).map_err(|_| damaged("it is not UTF-8 text".into()))?;
        let layers = Layers::new().record_text(&path.display().to_string(), &text)?;
        // A missing key would get its default, and so the config of another run.
        if let Some(key) = ALWAYS_WRITTEN.iter().find(|key| layers.place(key).is_none()) {
            let reason = format!("it lacks `{key}`, and the config of a run must be complete");
            return Err(damaged(reason).into());
        }
        Ok(layers.resolve()?)
    }

    /// Where its checkpoints are.
    pub fn checkpoints(&self) -> PathBuf {
        self.dir.join("checkpoints")
    }

    /// The file of its best policy.
    pub fn best_policy_path(&self) -> PathBuf {
        self.dir.join(BEST_POLICY)
    }

    /// Its best policy so far.
    ///
    /// # Errors
    /// If there is none yet, the file is not a policy, or it differs from the one that the finished run was sealed with. The caller must
    /// check which environment it is for: [`PolicyFile::check_env`].
    pub fn best_policy(&self) -> Result<PolicyFile, RunError> {
        let path = self.best_policy_path();
        match checksums::read_sealed(&self.dir, BEST_POLICY, PolicyFile::most_bytes()) {
            Err(error) if is_not_there(&error) => Err(RunError::NoPolicy { path: self.dir.clone() }),
            bytes => Ok(PolicyFile::from_bytes(&bytes?).map_err(|error| error.in_file(&path))?),
        }
    }

    /// Its result; `None` while it is not finished.
    ///
    /// # Errors
    /// If `summary.json` cannot be read, is damaged, or is missing from a run that was sealed with it.
    pub fn summary(&self) -> Result<Option<Summary>, RunError> {
        match checksums::read_sealed(&self.dir, SUMMARY, MOST_SUMMARY_BYTES) {
            Err(error) if is_not_there(&error) => Ok(None),
            text => {
                let summary = Summary::parse(&text?);
                Ok(Some(summary.map_err(|reason| CheckpointError::damaged(&self.dir.join(SUMMARY), reason))?))
            }
        }
    }

    /// Checks one of its files, such as `metrics.jsonl`, against the BLAKE3 that the finished run was sealed with. Files that are not
    /// sealed (all except the config during training) are not checked.
    ///
    /// # Errors
    /// If the file is damaged or missing.
    pub fn check_file(&self, name: &str) -> Result<(), RunError> {
        Ok(checksums::check_sealed(&self.dir, name)?)
    }

    /// Returns the BLAKE3 of what was written.
    pub(super) fn write_summary(&self, storage: &dyn Storage, summary: &Summary) -> Result<String, RunError> {
        let text = serde_json::to_vec_pretty(summary).expect("a summary is plain data");
        write_replacing(storage, &self.dir.join(SUMMARY), &text)?;
        Ok(checksums::of(&text))
    }

    /// Returns the BLAKE3 of what was written.
    pub(super) fn write_best_policy(&self, storage: &dyn Storage, policy: &PolicyFile) -> Result<String, RunError> {
        let dir = self.dir.join("best");
        ensure_dir(storage, &dir).map_err(CheckpointError::io("create", &dir))?;
        let bytes = policy.to_bytes()?;
        write_replacing(storage, &self.best_policy_path(), &bytes)?;
        Ok(checksums::of(&bytes))
    }

    /// Whether a process is training in it right now.
    pub fn is_in_use(&self) -> bool {
        Lock::is_held(&self.dir)
    }

    /// Keeps other processes out while the lock is held.
    pub(super) fn lock(&self) -> Result<Lock, RunError> {
        let path = self.dir.join(LOCK);
        match check_regular(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            checked => checked.map_err(RunError::io("lock", &path))?,
        }
        let lock = Lock::try_take(&self.dir).map_err(RunError::io("lock", &self.dir))?;
        lock.ok_or_else(|| RunError::InUse { path: self.dir.clone() })
    }

    /// Removes the remains of a process that died while writing one of the run's files. Does nothing while another process trains in the
    /// run: that process cleans up when it starts.
    ///
    /// # Errors
    /// If the disk refuses.
    pub fn clear_up(&self) -> Result<(), RunError> {
        match self.lock() {
            Ok(_lock) => self.remove_staged(),
            Err(RunError::InUse { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Removes the remains of a process that died while writing one of the run's files. Only for the holder of the lock.
    pub(super) fn remove_staged(&self) -> Result<(), RunError> {
        let best = self.dir.join(BEST_POLICY).parent().map(Path::to_path_buf).filter(|dir| dir.is_dir());
        for dir in [self.dir.clone()].into_iter().chain(best) {
            remove_all_staged(&RealStorage, &dir).map_err(RunError::io("clean up in", &dir))?;
        }
        // Separated copies of logs, and files of earlier versions, have names without a number.
        let names = [checksums::CONFIG, checksums::CHECKSUMS, SUMMARY, BEST_POLICY, REPORT];
        names.into_iter().chain(log::NAMES).chain([log::MONITOR]).try_for_each(|name| {
            let path = self.dir.join(name);
            remove_staged(&RealStorage, &path).map_err(RunError::io("clean up next to", &path))
        })
    }

    pub(super) fn config_path(&self) -> PathBuf {
        self.dir.join(checksums::CONFIG)
    }
}

/// The contents of `config.toml` for a config.
pub(super) fn config_text(config: &Config) -> Result<String, RunError> {
    config.check()?;
    let text = toml::to_string(config).map_err(|e| ConfigError::Syntax {
        reason: e.to_string(),
        place: Place { source: "the config".into(), line: None },
    })?;
    Ok(format!("# The complete config of this run, requel {}.\n\n{text}", env!("CARGO_PKG_VERSION")))
}

/// Whether a file is missing although nothing says that it should exist.
fn is_not_there(error: &CheckpointError) -> bool {
    matches!(error, CheckpointError::Io { source, .. } if source.kind() == ErrorKind::NotFound)
}

/// Writes a file, replacing an existing one: at any moment one of the two is there in full.
fn write_replacing(storage: &dyn Storage, path: &Path, bytes: &[u8]) -> Result<(), RunError> {
    Ok(replace(storage, path, bytes).map_err(CheckpointError::io("write", path))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_in_use_while_its_lock_is_held() {
        let dir = tempfile::tempdir().unwrap();
        let run = Run::create(dir.path(), &Config::default()).unwrap();
        assert!(!run.is_in_use());
        let lock = run.lock().unwrap();
        // Asking takes nothing from who holds it, and leaves nothing.
        assert!(run.is_in_use() && run.is_in_use() && run.lock().is_err());
        drop(lock);
        assert!(!run.is_in_use());
        assert!(run.lock().is_ok());
    }

    #[test]
    fn a_name_is_one_plain_path_component() {
        let mut config = Config { preset: "my preset/2".into(), ..Config::default() };
        config.env.id = "Toy/Catch-v0".into();
        config.train.seed = 7;
        assert_eq!(Run::name(&config, "20260101T120000"), "Toy-Catch-v0__my-preset-2__7__20260101T120000");
    }

    #[test]
    fn the_newest_run_is_the_one_begun_last() {
        let root = tempfile::tempdir().unwrap();
        for name in ["b", "a"] {
            Run::create(&root.path().join(name), &Config::default()).unwrap();
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        fs::create_dir(root.path().join("z")).unwrap();
        assert_eq!(Run::newest(root.path()).unwrap().dir(), root.path().join("a"));
    }

    #[test]
    fn a_config_that_was_cut_or_emptied_is_damaged_with_and_without_its_seal() {
        let root = tempfile::tempdir().unwrap();
        let run = Run::create(root.path(), &Config::default()).unwrap();
        let whole = fs::read_to_string(run.config_path()).unwrap();
        let sections = whole.match_indices("\n[").map(|(at, _)| &whole[..at + 1]);
        let cuts: Vec<&str> = std::iter::once("").chain(sections).collect();
        assert!(cuts.len() > 12);
        for sealed in [true, false] {
            assert_eq!(run.config().unwrap(), Config::default());
            for cut in &cuts {
                fs::write(run.config_path(), cut).unwrap();
                let error = run.config().unwrap_err().to_string();
                assert!(error.contains("config.toml is damaged"), "sealed: {sealed}, {} bytes: {error}", cut.len());
            }
            fs::write(run.config_path(), &whole).unwrap();
            if sealed {
                fs::remove_file(root.path().join("checksums.blake3")).unwrap();
            }
        }
    }

    #[test]
    fn a_summary_that_cannot_be_read_is_damaged_and_not_missing() {
        let root = tempfile::tempdir().unwrap();
        let run = Run::create(root.path(), &Config::default()).unwrap();
        assert_eq!(run.summary().unwrap(), None);
        for text in ["", "{", "{}", r#"{"env_steps": 1e400}"#] {
            fs::write(root.path().join(SUMMARY), text).unwrap();
            let error = run.summary().unwrap_err().to_string();
            assert!(error.contains("summary.json is damaged"), "{text}: {error}");
        }
        fs::remove_file(root.path().join(SUMMARY)).unwrap();
        fs::create_dir(root.path().join(SUMMARY)).unwrap();
        assert!(run.summary().unwrap_err().to_string().contains("is a directory"));
    }
}
