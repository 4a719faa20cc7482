//! Reading files that the user names: only regular files, and never more than a sensible size.
//!
//! Reading a named pipe could wait forever, and a device such as `/dev/zero` has no end.

use std::fs::{self, File, FileType};
use std::io::{self, ErrorKind, Read};
use std::path::Path;

use crate::memory::display_bytes;

/// Opens a regular file for reading.
///
/// # Errors
/// `IsADirectory` for a directory, `InvalidInput` for a pipe, a device or a socket; otherwise the error of the system.
pub fn open_regular(path: &Path) -> io::Result<File> {
    check_regular(path)?;
    open_without_waiting(path)
}

/// Opens a file so that neither opening nor reading ever waits: a regular file may have been replaced by a pipe since it was checked, and
/// some system files claim to be regular but never return data, such as `/proc/kmsg`.
#[cfg(unix)]
fn open_without_waiting(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    File::options().read(true).custom_flags(rustix::fs::OFlags::NONBLOCK.bits() as i32).open(path)
}

#[cfg(not(unix))]
fn open_without_waiting(path: &Path) -> io::Result<File> {
    File::open(path)
}

/// Refuses an existing path that is not a regular file: opening it could wait forever, also for writing.
///
/// # Errors
/// As [`open_regular`]; `NotFound` if there is nothing.
pub(crate) fn check_regular(path: &Path) -> io::Result<()> {
    match fs::metadata(path)?.file_type() {
        kind if kind.is_file() => Ok(()),
        kind if kind.is_dir() => Err(io::Error::new(ErrorKind::IsADirectory, "it is a directory, not a file")),
        kind => Err(io::Error::new(ErrorKind::InvalidInput, format!("it is {}, not a file", name_of(kind)))),
    }
}

/// The bytes of a regular file with at most this many.
///
/// # Errors
/// As [`open_regular`], and `FileTooLarge`.
pub fn read_regular(path: &Path, most_bytes: u64) -> io::Result<Vec<u8>> {
    read_bounded(open_regular(path)?, most_bytes)
}

/// The text of a regular file with at most this many bytes.
///
/// # Errors
/// As [`read_regular`], and `InvalidData` if it is not UTF-8.
pub fn read_regular_text(path: &Path, most_bytes: u64) -> io::Result<String> {
    text(read_regular(path, most_bytes)?)
}

/// The text of an input that the user gave: a regular file, or the pipe that a shell holds open for `/dev/stdin` or `<(command)`.
///
/// # Errors
/// As [`read_regular_text`]; a named pipe is refused, since perhaps nobody ever writes to it.
pub fn read_input(path: &Path, most_bytes: u64) -> io::Result<String> {
    let file = if is_handed_over(path) { File::open(path)? } else { open_regular(path)? };
    text(read_bounded(file, most_bytes)?)
}

/// Whether the path names a file that this process was started with.
fn is_handed_over(path: &Path) -> bool {
    path == Path::new("/dev/stdin") || path.starts_with("/dev/fd") || path.starts_with("/proc/self/fd")
}

fn read_bounded(file: File, most_bytes: u64) -> io::Result<Vec<u8>> {
    let too_large = || {
        let reason = format!("it has more than {}, which is too large for this file", display_bytes(most_bytes));
        io::Error::new(ErrorKind::FileTooLarge, reason)
    };
    // A large file is recognised by its length and takes no memory; system files without a length, by reading them.
    let len = file.metadata()?.len();
    if len > most_bytes {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(usize::try_from(len).unwrap_or(usize::MAX))?;
    file.take(most_bytes.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most_bytes { Err(too_large()) } else { Ok(bytes) }
}

fn text(bytes: Vec<u8>) -> io::Result<String> {
    String::from_utf8(bytes).map_err(|_| io::Error::new(ErrorKind::InvalidData, "it is not UTF-8 text"))
}

#[cfg(unix)]
fn name_of(kind: FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt;
    match kind {
        kind if kind.is_fifo() => "a pipe",
        kind if kind.is_socket() => "a socket",
        kind if kind.is_char_device() || kind.is_block_device() => "a device",
        _ => "something else",
    }
}

#[cfg(not(unix))]
fn name_of(_: FileType) -> &'static str {
    "something else"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_up_to_its_bound() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        std::fs::write(&path, "four").unwrap();
        assert_eq!(read_regular(&path, 4).unwrap(), b"four");
        assert_eq!(read_input(&path, 4).unwrap(), "four");
        assert_eq!(read_regular(&path, 3).unwrap_err().kind(), ErrorKind::FileTooLarge);
        std::fs::write(&path, [0xff]).unwrap();
        assert_eq!(read_regular_text(&path, 4).unwrap_err().kind(), ErrorKind::InvalidData);
        assert_eq!(read_regular(&dir.path().join("none"), 4).unwrap_err().kind(), ErrorKind::NotFound);
    }

    #[test]
    fn a_sparse_file_of_a_terabyte_takes_no_memory() {
        let file = tempfile::NamedTempFile::new().unwrap();
        file.as_file().set_len(1 << 40).unwrap();
        assert_eq!(read_regular(file.path(), 1 << 20).unwrap_err().kind(), ErrorKind::FileTooLarge);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn pipes_devices_and_directories_are_no_files() {
        let dir = tempfile::tempdir().unwrap();
        let pipe = dir.path().join("pipe");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &pipe,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
            0,
        )
        .unwrap();
        for (path, name) in [(&*pipe, "a pipe"), (Path::new("/dev/zero"), "a device"), (dir.path(), "a directory")] {
            for error in [open_regular(path).unwrap_err(), read_input(path, 100).unwrap_err()] {
                assert!(error.to_string().contains(name), "{error}");
            }
        }
        // What has no length is bounded all the same.
        assert_eq!(read_regular(Path::new("/proc/self/smaps"), 100).unwrap_err().kind(), ErrorKind::FileTooLarge);
    }
}
