//! [`AppendedFile`], a log that can be cut where a checkpoint knew it.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::Path;

/// A file that grows at its end and knows its length.
pub(super) struct AppendedFile {
    file: BufWriter<File>,
    len: u64,
}

impl AppendedFile {
    /// Opens or makes the file and cuts it to `len` bytes.
    ///
    /// # Errors
    /// If it cannot be opened, or is shorter than that: then part of a log is lost.
    pub fn open(path: &Path, len: u64) -> io::Result<Self> {
        let mut file = OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
        let found = file.metadata()?.len();
        if found < len {
            let reason = format!("{} has {found} bytes where its checkpoint knew {len}", path.display());
            return Err(io::Error::new(io::ErrorKind::InvalidData, reason));
        }
        file.set_len(len)?;
        file.seek(SeekFrom::Start(len))?;
        Ok(AppendedFile { file: BufWriter::new(file), len })
    }

    /// Appends.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.len += bytes.len() as u64;
        self.file.write_all(bytes)
    }

    /// Hands all to the system, so that others can read it.
    pub fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }

    /// Has all on the disk, and says how long the file is.
    pub fn sync(&mut self) -> io::Result<u64> {
        self.file.flush()?;
        self.file.get_ref().sync_data()?;
        Ok(self.len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_cut_where_it_was_known_and_grows_from_there() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let mut file = AppendedFile::open(&path, 0).unwrap();
        file.write(b"one two").unwrap();
        assert_eq!(file.sync().unwrap(), 7);
        drop(file);
        let mut file = AppendedFile::open(&path, 4).unwrap();
        file.write(b"three").unwrap();
        assert_eq!(file.sync().unwrap(), 9);
        assert_eq!(std::fs::read(&path).unwrap(), b"one three");
        let error = AppendedFile::open(&path, 10).err().unwrap();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        assert_eq!(std::fs::read(&path).unwrap(), b"one three");
    }
}
