//! Sequences of [`Storage`] calls that belong together.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::Storage;

/// Creates a directory in an existing one, unless it already exists; a new one survives a crash.
pub(crate) fn ensure_dir(storage: &dyn Storage, path: &Path) -> io::Result<()> {
    if path.as_os_str().is_empty() {
        return Ok(());
    }
    match storage.create_dir(path) {
        Ok(()) => sync_parent(storage, path),
        // A file in its place is detected here. An existing directory may still be unsynced, if a crash came right after it was created.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            storage.list(path)?;
            sync_parent(storage, path)
        }
        Err(error) => Err(error),
    }
}

/// Returns once the name of a file or directory would survive a crash.
pub(crate) fn sync_parent(storage: &dyn Storage, path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => storage.sync_dir(Path::new(".")),
        Some(parent) => storage.sync_dir(parent),
        None => Ok(()),
    }
}

/// Writes a new file whose contents survive a crash once this returns.
pub(crate) fn write_synced(storage: &dyn Storage, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = storage.create(path)?;
    file.write(bytes)?;
    file.sync()
}

/// Writes a file, replacing an existing one: at any moment one of the two is there in full. The new contents are first written under a name
/// that no other process or thread uses.
///
/// # Errors
/// The error of the system; an existing file is then unchanged.
pub fn replace(storage: &dyn Storage, path: &Path, bytes: &[u8]) -> io::Result<()> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let mut staged = path.as_os_str().to_owned();
    staged.push(format!(".{}-{number}{STAGED}", std::process::id()));
    let staged = PathBuf::from(staged);
    let write = || write_synced(storage, &staged, bytes).and_then(|()| storage.rename(&staged, path));
    let written = match write() {
        // A process that cleaned up mistook it for the remains of a dead process.
        Err(error) if error.kind() == ErrorKind::NotFound => write(),
        written => written,
    };
    if let Err(error) = written {
        // The error of the write is the relevant one.
        let _ = storage.remove_file(&staged);
        return Err(error);
    }
    sync_parent(storage, path)
}

/// The suffix of a file that does not have its final name yet.
const STAGED: &str = ".new";

/// Removes the remains of processes that died while replacing files in `dir`, whatever files these were. Only for the sole writer of that
/// directory.
pub(crate) fn remove_all_staged(storage: &dyn Storage, dir: &Path) -> io::Result<()> {
    let is_staged = |name: &str| {
        let number = name.strip_suffix(STAGED).and_then(|rest| rest.rsplit_once('.')).map(|(_, number)| number);
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        number
            .and_then(|number| number.split_once('-'))
            .is_some_and(|(process, count)| digits(process) && digits(count))
    };
    for name in storage.list(dir)?.iter().filter(|name| is_staged(name)) {
        storage.remove_file(&dir.join(name))?;
    }
    Ok(())
}

/// Removes the remains of a process that died while replacing the file `path`. Only for the sole writer of that file.
pub(crate) fn remove_staged(storage: &dyn Storage, path: &Path) -> io::Result<()> {
    let (Some(dir), Some(name)) = (path.parent(), path.file_name()) else { return Ok(()) };
    let name = name.to_string_lossy();
    let names = match storage.list(dir) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        names => names?,
    };
    for staged in names.iter().filter(|staged| is_staged(staged, &name)) {
        storage.remove_file(&dir.join(staged))?;
    }
    Ok(())
}

/// Whether a file called `staged` was to become one called `name`.
pub(crate) fn is_staged(staged: &str, name: &str) -> bool {
    let number = staged.strip_prefix(name).and_then(|rest| rest.strip_suffix(STAGED));
    // Earlier versions had no numbers.
    number.is_some_and(|number| number.is_empty() || number.starts_with('.'))
}

/// Removes a file, or a directory with all its contents, if it exists.
pub(crate) fn remove_tree(storage: &dyn Storage, path: &Path) -> io::Result<()> {
    let names = match storage.list(path) {
        Ok(names) => names,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) if error.kind() == ErrorKind::NotADirectory => return storage.remove_file(path),
        Err(error) => return Err(error),
    };
    for name in names {
        let inner = path.join(name);
        match storage.remove_file(&inner) {
            // A directory, which a checkpoint never has, but a user may have created one.
            Err(error) if matches!(error.kind(), ErrorKind::IsADirectory | ErrorKind::PermissionDenied) => {
                match storage.list(&inner) {
                    Ok(_) => remove_tree(storage, &inner)?,
                    Err(_) => return Err(error),
                }
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            other => other?,
        }
    }
    storage.remove_dir(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::RealStorage;

    #[test]
    fn whatever_was_being_replaced_is_cleared_up() {
        let dir = tempfile::tempdir().unwrap();
        let kept = ["config.toml", "a.new", "notes.7.new", "x-1.new", "model.1-2.safetensors"];
        let staged = ["config.toml.12-0.new", "provenance.json.17250-3.new", "anything.1-2.new"];
        kept.iter().chain(&staged).for_each(|name| std::fs::write(dir.path().join(name), "").unwrap());
        remove_all_staged(&RealStorage, dir.path()).unwrap();
        let mut expected = kept.to_vec();
        expected.sort_unstable();
        assert_eq!(RealStorage.list(dir.path()).unwrap(), expected);
    }

    #[test]
    fn many_that_replace_one_file_do_not_meet() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        std::thread::scope(|scope| {
            for byte in b'a'..b'e' {
                let path = &path;
                let write = move || (0..50).for_each(|_| replace(&RealStorage, path, &[byte; 64]).unwrap());
                scope.spawn(write);
            }
        });
        let found = std::fs::read(&path).unwrap();
        assert!(found.len() == 64 && found.iter().all(|byte| *byte == found[0]), "{found:?}");
        assert_eq!(RealStorage.list(dir.path()).unwrap(), ["file"]);
    }

    #[test]
    fn what_a_dead_process_staged_is_removed_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let names = ["file", "file.new", "file.12-0.new", "file2.1-0.new", "file.txt", "new"];
        names.iter().for_each(|name| std::fs::write(dir.path().join(name), "x").unwrap());
        remove_staged(&RealStorage, &dir.path().join("file")).unwrap();
        assert_eq!(RealStorage.list(dir.path()).unwrap(), ["file", "file.txt", "file2.1-0.new", "new"]);
        remove_staged(&RealStorage, &dir.path().join("not/there")).unwrap();
    }

    #[test]
    fn a_write_that_fails_leaves_nothing_staged() {
        let dir = tempfile::tempdir().unwrap();
        // A directory cannot be replaced by a file.
        let path = dir.path().join("taken");
        std::fs::create_dir(&path).unwrap();
        replace(&RealStorage, &path, b"x").unwrap_err();
        assert_eq!(RealStorage.list(dir.path()).unwrap(), ["taken"]);
    }
}
