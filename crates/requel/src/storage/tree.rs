//! Several calls of a [`Storage`] that belong together.

use std::io::{self, ErrorKind};
use std::path::Path;

use super::Storage;

/// Makes a directory and those above it; each that is new survives a crash.
pub(crate) fn create_dir_all(storage: &dyn Storage, path: &Path) -> io::Result<()> {
    match ensure_dir(storage, path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            create_dir_all(storage, path.parent().ok_or(error)?)?;
            ensure_dir(storage, path)
        }
        other => other,
    }
}

/// Makes a directory in one that is there, unless it is there itself; if it is new it survives a crash.
pub(crate) fn ensure_dir(storage: &dyn Storage, path: &Path) -> io::Result<()> {
    if path.as_os_str().is_empty() {
        return Ok(());
    }
    match storage.create_dir(path) {
        Ok(()) => sync_parent(storage, path),
        // A file in its place shows here. One that is there may still be unsynced: a crash came right after it was made.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            storage.list(path)?;
            sync_parent(storage, path)
        }
        Err(error) => Err(error),
    }
}

/// Returns once the name of a file or directory survives a crash.
pub(crate) fn sync_parent(storage: &dyn Storage, path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => storage.sync_dir(Path::new(".")),
        Some(parent) => storage.sync_dir(parent),
        None => Ok(()),
    }
}

/// Writes a new file whose contents survive a crash when this returns.
pub(crate) fn write_synced(storage: &dyn Storage, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = storage.create(path)?;
    file.write(bytes)?;
    file.sync()
}

/// Writes a file in place of one that may be there: at any moment one of the two is there, whole.
pub(crate) fn replace(storage: &dyn Storage, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut staged = path.as_os_str().to_owned();
    staged.push(".new");
    let staged = Path::new(&staged);
    write_synced(storage, staged, bytes)?;
    storage.rename(staged, path)?;
    sync_parent(storage, path)
}

/// Removes a file or a directory with all in it, if it is there.
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
            // A directory, which a checkpoint has none of, but a person may have made.
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
