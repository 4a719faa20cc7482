//! [`AppendedFile`], a log that can be truncated to the length recorded in a checkpoint.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::Path;

use super::prefix::hash_prefix;
use crate::checkpoint::LogEntry;
use crate::storage::check_regular;

/// A file that grows at its end and knows its length and its BLAKE3.
pub(super) struct AppendedFile {
    file: BufWriter<File>,
    len: u64,
    hasher: blake3::Hasher,
}

impl AppendedFile {
    /// Opens or creates the file and truncates it to `len` bytes.
    ///
    /// # Errors
    /// If it cannot be opened, or is shorter than that: then part of a log is lost.
    pub fn open(path: &Path, len: u64) -> io::Result<Self> {
        match check_regular(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            checked => checked.map_err(|error| of_file(path, error))?,
        }
        part_from_copies(path).map_err(|error| of_file(path, error))?;
        let file = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(path);
        let mut file = file.map_err(|error| of_file(path, error))?;
        let found = file.metadata()?.len();
        if found < len {
            let reason = format!("{} has {found} bytes, but its checkpoint recorded {len}", path.display());
            return Err(io::Error::new(io::ErrorKind::InvalidData, reason));
        }
        file.set_len(len)?;
        let hasher = hash_prefix(&mut file, len)?;
        file.seek(SeekFrom::Start(len))?;
        Ok(AppendedFile { file: BufWriter::new(file), len, hasher })
    }

    /// Appends.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.len += bytes.len() as u64;
        self.hasher.update(bytes);
        self.file.write_all(bytes)
    }

    /// Passes all data to the system, so that others can read it.
    pub fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }

    /// Passes all data to the system, and returns length and hash of the file, with a handle for syncing it to disk.
    pub fn mark(&mut self) -> io::Result<(LogEntry, File)> {
        self.file.flush()?;
        let blake3 = Some(self.hasher.finalize().to_hex().to_string());
        Ok((LogEntry { bytes: self.len, blake3 }, self.file.get_ref().try_clone()?))
    }
}

/// The error of the system, with the file.
pub(super) fn of_file(path: &Path, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// A file that also has another name, as in a copy made with hard links (`cp -al`), is replaced by a copy before it is changed: otherwise
/// the other file would change too.
#[cfg(unix)]
fn part_from_copies(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt;
    match std::fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        metadata if metadata.as_ref().is_ok_and(|metadata| metadata.nlink() < 2) => return Ok(()),
        metadata => metadata?,
    };
    // Not read into memory: a log may be large.
    let mut staged = path.as_os_str().to_owned();
    staged.push(format!(".{}.new", std::process::id()));
    let copied = std::fs::copy(path, &staged).and_then(|_| File::open(&staged)?.sync_all());
    if let Err(error) = copied.and_then(|()| std::fs::rename(&staged, path)) {
        // The error of the copy is the relevant one.
        let _ = std::fs::remove_file(&staged);
        return Err(error);
    }
    Ok(())
}

#[cfg(not(unix))]
fn part_from_copies(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    /// The length that is marked; the hash must be that of the file's contents, which are handed back.
    fn entry(file: &mut AppendedFile) -> (u64, Vec<u8>) {
        let (entry, mut handle) = file.mark().unwrap();
        let mut contents = Vec::new();
        handle.seek(SeekFrom::Start(0)).unwrap();
        handle.read_to_end(&mut contents).unwrap();
        assert_eq!(entry.blake3.unwrap(), blake3::hash(&contents).to_hex().to_string());
        (entry.bytes, contents)
    }

    #[test]
    fn is_cut_where_it_was_known_and_grows_from_there() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let mut file = AppendedFile::open(&path, 0).unwrap();
        file.write(b"one two").unwrap();
        assert_eq!(entry(&mut file), (7, b"one two".to_vec()));
        drop(file);
        let mut file = AppendedFile::open(&path, 4).unwrap();
        file.write(b"three").unwrap();
        assert_eq!(entry(&mut file), (9, b"one three".to_vec()));
        assert_eq!(std::fs::read(&path).unwrap(), b"one three");
        let error = AppendedFile::open(&path, 10).err().unwrap();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        assert_eq!(std::fs::read(&path).unwrap(), b"one three");
    }

    #[cfg(unix)]
    #[test]
    fn a_file_with_a_second_name_is_parted_from_it_before_it_is_changed() {
        let dir = tempfile::tempdir().unwrap();
        let (path, copy) = (dir.path().join("log"), dir.path().join("copy"));
        for (len, written, expected) in [(3, "", &b"one"[..]), (7, " three", b"one two three")] {
            std::fs::write(&path, "one two").unwrap();
            std::fs::hard_link(&path, &copy).unwrap();
            let mut file = AppendedFile::open(&path, len).unwrap();
            file.write(written.as_bytes()).unwrap();
            assert_eq!(entry(&mut file).1, expected);
            assert_eq!(std::fs::read(&copy).unwrap(), b"one two");
            std::fs::remove_file(&copy).unwrap();
            assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
        }
    }
}
