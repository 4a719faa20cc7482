//! [`Storage`], the operations of a file system that saving needs.

use std::io;
use std::path::Path;

/// A file that is being written.
pub trait StoredFile: Send {
    /// Appends all of `bytes`. A crash may leave any part of what was not synced.
    ///
    /// # Errors
    /// The error of the system; part of the bytes may have been written.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Returns once the contents would survive a crash. The file's name would not, until its directory is synced.
    ///
    /// # Errors
    /// The error of the system; the contents are then as if never synced.
    fn sync(&mut self) -> io::Result<()>;
}

/// The part of a file system that saving needs. Each call can fail, and each is a point at which a crash can come.
pub trait Storage: Send + Sync {
    /// Creates a directory in an existing one.
    ///
    /// # Errors
    /// `AlreadyExists` if the name is taken; otherwise the error of the system.
    fn create_dir(&self, path: &Path) -> io::Result<()>;

    /// Creates a file, or truncates an existing one.
    ///
    /// # Errors
    /// The error of the system.
    fn create(&self, path: &Path) -> io::Result<Box<dyn StoredFile>>;

    /// Renames a file or directory within its directory, replacing a file that may have the new name.
    ///
    /// # Errors
    /// The error of the system; the names are then unchanged.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Gives a file a second name. Neither name is written to afterwards.
    ///
    /// # Errors
    /// The error of the system; some file systems do not support this.
    fn link(&self, file: &Path, second: &Path) -> io::Result<()>;

    /// Returns once the names in a directory would survive a crash.
    ///
    /// # Errors
    /// The error of the system.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;

    /// The contents of a plain file.
    ///
    /// # Errors
    /// As [`Storage::len`].
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;

    /// The length of a plain file, bytes.
    ///
    /// # Errors
    /// `IsADirectory` or `InvalidInput` for anything but a plain file; otherwise the error of the system.
    fn len(&self, path: &Path) -> io::Result<u64>;

    /// The names in a directory, sorted.
    ///
    /// # Errors
    /// The error of the system.
    fn list(&self, path: &Path) -> io::Result<Vec<String>>;

    /// Removes a file.
    ///
    /// # Errors
    /// The error of the system.
    fn remove_file(&self, path: &Path) -> io::Result<()>;

    /// Removes an empty directory.
    ///
    /// # Errors
    /// The error of the system.
    fn remove_dir(&self, path: &Path) -> io::Result<()>;
}
