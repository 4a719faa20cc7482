//! [`Claim`], by which exactly one process starts a run in a directory.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::lock::{LOCK, Lock};
use super::{RunError, checksums, origin};
use crate::log;
use crate::storage::{RealStorage, Storage, is_staged, sync_parent};

/// A directory for a new run, locked and without files of another run. If dropped before it is kept, it removes everything it created: a
/// failed start leaves nothing behind.
#[derive(Debug)]
pub(super) struct Claim {
    made: Made,
    lock: Option<Lock>,
}

/// The directories that were created for a run, parents first.
#[derive(Debug)]
pub(crate) struct Made {
    dir: PathBuf,
    above: Vec<PathBuf>,
}

/// How often a directory is retried that others create and remove at the same time.
const ATTEMPTS: u32 = 100;

impl Claim {
    /// Claims a directory that does not exist yet or is empty.
    ///
    /// # Errors
    /// [`RunError::Occupied`] if it is not empty or another process has it; otherwise the error of the disk.
    pub fn take(dir: &Path) -> Result<Self, RunError> {
        let mut made = Made { dir: dir.to_path_buf(), above: Vec::new() };
        for _ in 0..ATTEMPTS {
            if let Err(error) = make(dir, &mut made.above) {
                made.remove_empty();
                return Err(RunError::io("create", dir)(error));
            }
            match take_in(dir) {
                Ok(Some(lock)) => return Ok(Claim { made, lock: Some(lock) }),
                Ok(None) => return Err(RunError::Occupied { path: dir.to_path_buf() }),
                // The process that had created it has removed it.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => {
                    made.remove_empty();
                    return Err(RunError::io("create a run in", dir)(error));
                }
            }
        }
        Err(RunError::Occupied { path: dir.to_path_buf() })
    }

    /// Claims the first free one of `dirs`; `check` examines each first.
    ///
    /// # Errors
    /// [`RunError::Occupied`] if none of them is free; otherwise the error of `check` or of the disk.
    ///
    /// # Panics
    /// If `dirs` is empty.
    pub fn take_first(
        dirs: impl IntoIterator<Item = PathBuf>,
        check: impl Fn(&Path) -> Result<(), RunError>,
    ) -> Result<Self, RunError> {
        let mut occupied = None;
        for dir in dirs {
            check(&dir)?;
            match Self::take(&dir) {
                Err(error @ RunError::Occupied { .. }) => occupied = Some(error),
                claim => return claim,
            }
        }
        Err(occupied.expect("at least one directory"))
    }

    /// The directory.
    pub fn dir(&self) -> &Path {
        &self.made.dir
    }

    /// Turns the claim into a run: everything in the directory stays, and so does the lock.
    pub fn keep(mut self) -> Lock {
        self.lock.take().expect("it is held until it is kept or dropped")
    }

    /// Like [`Claim::keep`], but releases the lock, for a run that may still be withdrawn.
    pub fn release(mut self) -> Made {
        self.lock = None;
        Made { dir: self.made.dir.clone(), above: std::mem::take(&mut self.made.above) }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if let Some(lock) = self.lock.take() {
            self.made.remove_start(lock);
        }
    }
}

impl Made {
    /// Removes a run that was started but not trained, unless somebody has taken it up in the meantime.
    pub fn undo(self) {
        let is_trained = self.dir.join(log::METRICS).exists();
        if let (false, Ok(Some(lock))) = (is_trained, Lock::try_take(&self.dir)) {
            self.remove_start(lock);
        }
    }

    /// Removes what the start of a run writes, and the directories if nothing else is in them. An earlier error is reported, so what cannot
    /// be removed stays.
    fn remove_start(&self, lock: Lock) {
        let names = RealStorage.list(&self.dir).unwrap_or_default();
        for name in names.iter().filter(|name| *name != LOCK && (is_of_start(name) || *name == checksums::CONFIG)) {
            let _ = fs::remove_file(self.dir.join(name));
        }
        for name in log::NAMES.into_iter().chain([log::MONITOR]) {
            let path = self.dir.join(name);
            let _ = fs::remove_file(&path);
            if let Some(inner) = path.parent().filter(|parent| *parent != self.dir) {
                let _ = fs::remove_dir(inner);
            }
        }
        // Last: without it anybody can take the directory.
        let _ = fs::remove_file(self.dir.join(LOCK));
        drop(lock);
        self.remove_empty();
    }

    fn remove_empty(&self) {
        for dir in self.above.iter().rev() {
            let _ = fs::remove_dir(dir);
        }
    }
}

/// Refuses a directory in which no run can start. Changes nothing.
///
/// # Errors
/// As [`Claim::take`].
pub(crate) fn check(dir: &Path) -> Result<(), RunError> {
    match is_free(dir) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(RunError::io("create a run in", dir)(error)),
        Ok(false) => Err(RunError::Occupied { path: dir.to_path_buf() }),
        Ok(true) => Ok(()),
    }
}

/// Locks an existing directory; `None` if it is not free.
fn take_in(dir: &Path) -> io::Result<Option<Lock>> {
    // A directory that belongs to somebody is not touched, not even by a lock.
    if !is_free(dir)? {
        return Ok(None);
    }
    let Some(lock) = Lock::try_take(dir)? else { return Ok(None) };
    // Another process may have started its run before we got the lock.
    if !is_free(dir)? {
        return Ok(None);
    }
    // A leftover checkpoint of a dead start would otherwise be resumed by a run that did not start from it.
    origin::remove_beginning(dir)?;
    Ok(Some(lock))
}

/// Whether a directory contains nothing except the remains of a start that died before it wrote a config.
fn is_free(dir: &Path) -> io::Result<bool> {
    let names = RealStorage.list(dir)?;
    // Without a lock no start was ever made here: checkpoints belong to somebody else, whatever their names.
    let is_locked = names.iter().any(|name| name == LOCK);
    for name in names.iter().filter(|name| !is_of_start(name)) {
        if !is_locked || !origin::is_of_beginning(dir, name)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether a file is one that is written before the config.
fn is_of_start(name: &str) -> bool {
    let written = [checksums::CHECKSUMS, checksums::CONFIG];
    name == LOCK || name == checksums::CHECKSUMS || written.iter().any(|written| is_staged(name, written))
}

/// Creates a directory and its parents, and adds the new ones to `made`. A new directory survives a crash.
fn make(dir: &Path, made: &mut Vec<PathBuf>) -> io::Result<()> {
    if dir.as_os_str().is_empty() {
        return Ok(());
    }
    for attempt in 1.. {
        match fs::create_dir(dir) {
            Ok(()) => {
                made.push(dir.to_path_buf());
                break;
            }
            // An existing one may still be unsynced, if a crash came right after it was created.
            Err(error) if error.kind() == ErrorKind::AlreadyExists && dir.is_dir() => break,
            Err(error) if error.kind() == ErrorKind::NotFound && attempt < ATTEMPTS => {
                make(dir.parent().ok_or(error)?, made)?;
            }
            Err(error) => return Err(error),
        }
    }
    sync_parent(&RealStorage, dir)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(dir: &Path) -> Vec<String> {
        RealStorage.list(dir).unwrap()
    }

    #[test]
    fn a_claim_that_is_not_kept_leaves_nothing() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("a/b/run");
        let claim = Claim::take(&dir).unwrap();
        for name in ["config.toml", "checksums.blake3", "config.toml.7-0.new", log::METRICS] {
            fs::write(dir.join(name), "x").unwrap();
        }
        fs::create_dir(dir.join("tensorboard")).unwrap();
        drop(claim);
        assert_eq!(names(root.path()), [""; 0]);
        // What was there before stays, and what somebody else has put there.
        fs::create_dir_all(&dir).unwrap();
        drop(Claim::take(&dir).unwrap());
        assert_eq!(names(&dir), [""; 0]);
        let inner = dir.join("run");
        let claim = Claim::take(&inner).unwrap();
        fs::write(inner.join("notes.txt"), "x").unwrap();
        drop(claim);
        assert_eq!(names(&inner), ["notes.txt"]);
    }

    #[test]
    fn what_is_claimed_or_occupied_is_nobody_elses_and_untouched() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("run");
        let claim = Claim::take(&dir).unwrap();
        assert!(matches!(Claim::take(&dir), Err(RunError::Occupied { .. })));
        fs::write(dir.join("config.toml"), "x").unwrap();
        drop(claim.keep());
        assert!(matches!(Claim::take(&dir), Err(RunError::Occupied { .. })));
        assert!(matches!(check(&dir), Err(RunError::Occupied { .. })));
        let other = root.path().join("other");
        fs::create_dir(&other).unwrap();
        fs::write(other.join("notes.txt"), "x").unwrap();
        assert!(matches!(Claim::take(&other), Err(RunError::Occupied { .. })));
        assert_eq!(names(&other), ["notes.txt"]);
    }

    #[test]
    fn a_start_that_died_before_its_config_is_begun_again() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("run");
        drop(Claim::take(&dir).unwrap().keep());
        for name in ["checksums.blake3", "checksums.blake3.1-0.new", "config.toml.1-1.new"] {
            fs::write(dir.join(name), "x").unwrap();
        }
        check(&dir).unwrap();
        Claim::take(&dir).unwrap();
        // Without the claim's directory, which an earlier process had made.
        assert_eq!(names(&dir), [""; 0]);
    }

    #[test]
    fn a_start_that_died_while_it_wrote_what_it_begins_from_is_begun_again() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("run");
        let lay = |locked: bool, files: &[&str]| {
            let _ = fs::remove_dir_all(&dir);
            for file in files {
                fs::create_dir_all(dir.join(file).parent().unwrap()).unwrap();
                fs::write(dir.join(file), "x").unwrap();
            }
            if locked {
                fs::write(dir.join(LOCK), "").unwrap();
            }
        };
        let (staged, whole) = ("checkpoints/.staged-ckpt-000000000000/a", "checkpoints/ckpt-000000000000/a");
        for left in [&[staged][..], &[whole], &[whole, "origin.json.9-3.new"], &[whole, "origin.json"]] {
            lay(true, left);
            check(&dir).unwrap();
            let claim = Claim::take(&dir).unwrap();
            assert_eq!(names(&dir), [LOCK], "{left:?}");
            drop(claim);
            // Where no start was made these are somebody's files.
            lay(false, left);
            assert!(matches!(Claim::take(&dir), Err(RunError::Occupied { .. })), "{left:?}");
        }
        for other in ["checkpoints/ckpt-000000000500/a", "checkpoints/epoch-3.pt", "origin.txt"] {
            lay(true, &[whole, other]);
            assert!(matches!(Claim::take(&dir), Err(RunError::Occupied { .. })), "{other}");
            assert!(dir.join(other).exists() && dir.join(whole).exists());
        }
    }

    #[test]
    fn of_many_at_once_one_gets_a_directory() {
        let root = tempfile::tempdir().unwrap();
        for round in 0..10 {
            let dir = root.path().join(format!("{}/run", round % 2));
            let barrier = std::sync::Barrier::new(4);
            let claims = std::thread::scope(|scope| {
                let take = || {
                    barrier.wait();
                    Claim::take(&dir)
                };
                let threads: Vec<_> = (0..4).map(|_| scope.spawn(take)).collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
            });
            let refused = claims.iter().filter(|claim| matches!(claim, Err(RunError::Occupied { .. }))).count();
            assert_eq!(refused, 3, "{claims:?}");
            drop(claims);
            // One of those that were refused may have made it.
            assert!(!dir.exists() || names(&dir).is_empty());
        }
    }
}
