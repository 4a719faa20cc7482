//! [`Lock`], which one process at a time holds on a run's directory.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;
use std::time::Duration;

/// The file that is locked. It stays when nobody holds it, and means nothing then.
pub(super) const LOCK: &str = ".lock";

/// Keeps other processes from working in a directory while it exists.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

/// Checking whether a lock is held takes it for a moment, so a process that wants it tries again.
const ATTEMPTS: u32 = 10;
const PAUSE: Duration = Duration::from_millis(3);

impl Lock {
    /// The lock on a directory; `None` if another process holds it.
    ///
    /// # Errors
    /// The error of the system; `NotFound` if the directory does not exist.
    pub fn try_take(dir: &Path) -> io::Result<Option<Self>> {
        let path = dir.join(LOCK);
        let mut attempts = 0;
        loop {
            part_from_copies(dir, &path)?;
            let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path)?;
            match file.try_lock() {
                Ok(()) if is_at(&file, &path)? => return Ok(Some(Lock { _file: file })),
                // The previous holder has removed it with the directory, or another file has replaced it.
                Ok(()) => {}
                Err(TryLockError::Error(error)) => return Err(error),
                Err(TryLockError::WouldBlock) => {
                    attempts += 1;
                    if attempts == ATTEMPTS {
                        return Ok(None);
                    }
                    std::thread::sleep(PAUSE);
                }
            }
        }
    }

    /// Whether some process holds the lock on a directory right now.
    pub fn is_held(dir: &Path) -> bool {
        let file = crate::storage::open_regular(&dir.join(LOCK));
        file.is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }
}

/// Whether the file still has this name.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let held = file.metadata()?;
    match std::fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        named => named.map(|named| (named.dev(), named.ino()) == (held.dev(), held.ino())),
    }
}

/// A file that is open cannot be removed here.
#[cfg(not(unix))]
fn is_at(_: &File, _: &Path) -> io::Result<bool> {
    Ok(true)
}

/// A directory that was copied with hard links (`cp -al`) shares its lock with the original: it gets its own.
#[cfg(unix)]
fn part_from_copies(dir: &Path, path: &Path) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt;
    let is_shared = || std::fs::metadata(path).is_ok_and(|metadata| metadata.nlink() > 1);
    if !is_shared() {
        return Ok(());
    }
    // One process at a time. If a directory cannot be locked, the copies keep sharing the lock, which keeps out more than necessary.
    let dir = File::open(dir)?;
    if dir.lock().is_ok() && is_shared() {
        crate::storage::replace(&crate::storage::RealStorage, path, b"")?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn part_from_copies(_: &Path, _: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn one_at_a_time_holds_it_and_asking_takes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        assert!(!Lock::is_held(dir.path()));
        let lock = Lock::try_take(dir.path()).unwrap().unwrap();
        assert!(Lock::is_held(dir.path()) && Lock::is_held(dir.path()));
        assert!(Lock::try_take(dir.path()).unwrap().is_none());
        drop(lock);
        assert!(!Lock::is_held(dir.path()));
        assert!(Lock::try_take(dir.path()).unwrap().is_some());
        assert_eq!(Lock::try_take(&dir.path().join("not")).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[cfg(unix)]
    #[test]
    fn a_copy_by_hard_links_is_locked_by_itself() {
        let root = tempfile::tempdir().unwrap();
        let (original, copy) = (root.path().join("a"), root.path().join("b"));
        [&original, &copy].into_iter().for_each(|dir| fs::create_dir(dir).unwrap());
        let held = Lock::try_take(&original).unwrap();
        fs::hard_link(original.join(LOCK), copy.join(LOCK)).unwrap();
        assert!(held.is_some() && Lock::try_take(&copy).unwrap().is_some());
        assert!(Lock::is_held(&original) && !Lock::is_held(&copy));
    }

    #[test]
    fn those_that_ask_at_once_get_it_one_after_another() {
        let dir = tempfile::tempdir().unwrap();
        let inside = std::sync::atomic::AtomicU32::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..20 {
                        if let Ok(Some(_lock)) = Lock::try_take(dir.path()) {
                            assert_eq!(inside.fetch_add(1, std::sync::atomic::Ordering::SeqCst), 0);
                            inside.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
                            // Whoever leaves may take the file along, and has left with that.
                            let _ = fs::remove_file(dir.path().join(LOCK));
                        }
                    }
                });
            }
        });
    }
}
