//! [`Storage`], what saving asks of a file system.

use std::io;
use std::path::Path;

/// A file that is being written.
pub trait StoredFile: Send {
    /// Appends all of `bytes`. A crash may leave any part of what was not synced.
    ///
    /// # Errors
    /// What the system says; part of the bytes may have been written.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Returns once the contents survive a crash. The file's name does not, until its directory is synced.
    ///
    /// # Errors
    /// What the system says; the contents are then as if never synced.
    fn sync(&mut self) -> io::Result<()>;
}

/// A file system, as far as saving needs one. Each call is one that can fail, and one that a crash can come at.
pub trait Storage: Send + Sync {
    /// Makes one directory in one that is there.
    ///
    /// # Errors
    /// `AlreadyExists` where something is there, else what the system says.
    fn create_dir(&self, path: &Path) -> io::Result<()>;

    /// Makes a file, or empties the one that is there.
    ///
    /// # Errors
    /// What the system says.
    fn create(&self, path: &Path) -> io::Result<Box<dyn StoredFile>>;

    /// Gives a file or directory another name in the same directory, in place of a file that may be there.
    ///
    /// # Errors
    /// What the system says; the names are then as they were.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Gives a file a second name. Neither file is written to afterwards.
    ///
    /// # Errors
    /// What the system says; some file systems have no such thing.
    fn link(&self, file: &Path, second: &Path) -> io::Result<()>;

    /// Returns once the names in a directory survive a crash.
    ///
    /// # Errors
    /// What the system says.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;

    /// All of a plain file.
    ///
    /// # Errors
    /// As [`Storage::len`].
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;

    /// The length of a plain file, bytes.
    ///
    /// # Errors
    /// `IsADirectory` or `InvalidInput` for what is no plain file, else what the system says.
    fn len(&self, path: &Path) -> io::Result<u64>;

    /// The names in a directory, sorted.
    ///
    /// # Errors
    /// What the system says.
    fn list(&self, path: &Path) -> io::Result<Vec<String>>;

    /// Removes a file.
    ///
    /// # Errors
    /// What the system says.
    fn remove_file(&self, path: &Path) -> io::Result<()>;

    /// Removes an empty directory.
    ///
    /// # Errors
    /// What the system says.
    fn remove_dir(&self, path: &Path) -> io::Result<()>;
}
