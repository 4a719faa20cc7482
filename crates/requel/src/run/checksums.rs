//! `checksums.blake3`, which reveals damage to files of a run that no checkpoint covers.
//!
//! It covers `config.toml` from the start, and every file of the results once a run is finished. Each line is a BLAKE3 in hexadecimal, two
//! spaces, and a path from the run's directory; the last line is the hash of the lines above it.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;

use crate::checkpoint::CheckpointError;
use crate::storage::{RealStorage, Storage, open_regular, read_regular, replace};

use super::RunError;
use super::segments::is_of_settings;

/// Its name.
pub(super) const CHECKSUMS: &str = "checksums.blake3";
/// The file that is covered from the start.
pub(super) const CONFIG: &str = "config.toml";

const LAST_LINE: &str = "lines above";
/// The maximum size of its few lines, bytes.
const MOST_BYTES: u64 = 1 << 20;

/// BLAKE3 of a file's contents, hexadecimal.
pub(super) fn of(contents: &[u8]) -> String {
    blake3::hash(contents).to_hex().to_string()
}

/// Writes the checksums of these files, by their paths from the run's directory.
pub(super) fn write(dir: &Path, files: &BTreeMap<String, String>) -> Result<(), RunError> {
    write_through(&RealStorage, dir, files)
}

/// Like [`write`], through the storage of the process that has the run.
pub(super) fn write_through(
    storage: &dyn Storage,
    dir: &Path,
    files: &BTreeMap<String, String>,
) -> Result<(), RunError> {
    let mut text: String = files.iter().map(|(name, hash)| format!("{hash}  {name}\n")).collect();
    text.push_str(&format!("{}  {LAST_LINE}\n", of(text.as_bytes())));
    let path = dir.join(CHECKSUMS);
    Ok(replace(storage, &path, text.as_bytes()).map_err(CheckpointError::io("write", &path))?)
}

/// Whether a run has checksums, whatever they contain.
pub(super) fn are_there(dir: &Path) -> bool {
    dir.join(CHECKSUMS).symlink_metadata().is_ok()
}

/// The checksums of a run; `None` if it has none: early versions wrote none, and a user who changes a config on purpose removes them.
///
/// # Errors
/// If the file cannot be read, or was changed.
pub(super) fn read(dir: &Path) -> Result<Option<BTreeMap<String, String>>, CheckpointError> {
    let path = dir.join(CHECKSUMS);
    let text = match read_regular(&path, MOST_BYTES) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) if error.kind() == ErrorKind::FileTooLarge => return Err(CheckpointError::damaged(&path, error)),
        text => text.map_err(CheckpointError::io("read", &path))?,
    };
    parse(&text)
        .map(Some)
        .ok_or_else(|| CheckpointError::damaged(&path, "its last line is not the BLAKE3 of the lines above"))
}

/// A file of a run with at most this many bytes, checked against its seal if it has one: `config.toml` from the start, the others once the
/// run is finished.
///
/// # Errors
/// If the file cannot be read, is larger, or differs from what was sealed.
pub(super) fn read_sealed(dir: &Path, name: &str, most_bytes: u64) -> Result<Vec<u8>, CheckpointError> {
    let path = dir.join(name);
    against_seal(dir, name, |expected| {
        let bytes = match read_regular(&path, most_bytes) {
            Err(error) if error.kind() == ErrorKind::FileTooLarge => Err(CheckpointError::damaged(&path, error)),
            bytes => bytes.map_err(missing_or_unreadable(&path, expected)),
        }?;
        compare(&path, expected, || of(&bytes))?;
        Ok(bytes)
    })
}

/// Checks a file of a run against its seal, if it has one, without keeping its contents.
///
/// # Errors
/// If the file cannot be read or differs from what was sealed.
pub(super) fn check_sealed(dir: &Path, name: &str) -> Result<(), CheckpointError> {
    against_seal(dir, name, |expected| expected.map_or(Ok(()), |_| check_file(dir, name, expected)))
}

/// The result of `look` for a file, checked against its BLAKE3 if it is sealed. A session that continues a finished run removes the seals
/// before it changes a file, so on a mismatch the check is repeated.
fn against_seal<T>(
    dir: &Path,
    name: &str,
    look: impl Fn(Option<&str>) -> Result<T, CheckpointError>,
) -> Result<T, CheckpointError> {
    let sealed = || Ok(read(dir)?.and_then(|mut files| files.remove(name)));
    let mut expected = sealed()?;
    loop {
        let found = look(expected.as_deref());
        if found.is_ok() || expected.is_none() {
            return found;
        }
        let now = sealed()?;
        if now == expected {
            return found;
        }
        expected = now;
    }
}

fn parse(text: &[u8]) -> Option<BTreeMap<String, String>> {
    let text = std::str::from_utf8(text).ok()?.strip_suffix('\n')?;
    let end = text.rfind('\n')? + 1;
    let (lines, last) = text.split_at(end);
    if last != format!("{}  {LAST_LINE}", of(lines.as_bytes())) {
        return None;
    }
    lines.lines().map(|line| line.split_once("  ").map(|(hash, name)| (name.to_owned(), hash.to_owned()))).collect()
}

/// Checks `config.toml` against its seal from the start of the run, and the config of each later segment against the seal from when it was
/// added.
///
/// # Errors
/// If any of them is damaged or was changed.
pub(super) fn check_config(dir: &Path) -> Result<(), CheckpointError> {
    let files = read(dir)?.unwrap_or_default();
    let mut settings = files.iter().filter(|(name, _)| is_of_settings(name));
    settings.try_for_each(|(name, hash)| check_file(dir, name, Some(hash)))
}

/// Everything that is wrong with the files covered by the checksums.
pub(super) fn check(dir: &Path) -> Vec<CheckpointError> {
    match read(dir) {
        Err(error) => vec![error],
        Ok(files) => {
            let check = |(name, hash): (&String, &String)| check_file(dir, name, Some(hash)).err();
            files.unwrap_or_default().iter().filter_map(check).collect()
        }
    }
}

fn check_file(dir: &Path, name: &str, expected: Option<&str>) -> Result<(), CheckpointError> {
    let path = dir.join(name);
    let mut hasher = blake3::Hasher::new();
    let read = open_regular(&path).and_then(|mut file| std::io::copy(&mut file, &mut hasher));
    read.map_err(missing_or_unreadable(&path, expected))?;
    compare(&path, expected, || hasher.finalize().to_hex().to_string())
}

fn compare(path: &Path, expected: Option<&str>, found: impl Fn() -> String) -> Result<(), CheckpointError> {
    let Some((expected, found)) = expected.map(|expected| (expected, found())) else { return Ok(()) };
    if found == expected {
        return Ok(());
    }
    let advice = if path.ends_with(CONFIG) { "; if it was changed on purpose, remove checksums.blake3" } else { "" };
    let reason = format!("its BLAKE3 is {}, but {CHECKSUMS} has {expected}{advice}", &found[..16]);
    Err(CheckpointError::damaged(path, reason))
}

/// A missing sealed file is damage; a file that is not sealed may not exist yet.
fn missing_or_unreadable(path: &Path, expected: Option<&str>) -> impl FnOnce(std::io::Error) -> CheckpointError {
    move |error| match error.kind() {
        ErrorKind::NotFound if expected.is_some() => {
            CheckpointError::damaged(path, format_args!("it is missing, but {CHECKSUMS} lists it"))
        }
        _ => CheckpointError::io("read", path)(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flipped_bit_and_every_cut_is_found() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(read(dir.path()).unwrap(), None);
        assert!(check_sealed(dir.path(), CONFIG).is_ok() && check(dir.path()).is_empty());
        let files = [(CONFIG, "x = 1\n"), ("summary.json", "{}")];
        let sums = files.map(|(name, text)| {
            std::fs::write(dir.path().join(name), text).unwrap();
            (name.to_owned(), of(text.as_bytes()))
        });
        write(dir.path(), &BTreeMap::from(sums)).unwrap();
        assert!(check_sealed(dir.path(), CONFIG).is_ok() && check(dir.path()).is_empty());
        for name in [CONFIG, "summary.json", CHECKSUMS] {
            let path = dir.path().join(name);
            let bytes = std::fs::read(&path).unwrap();
            let flips = (0..bytes.len() * 8).map(|bit| {
                let mut flipped = bytes.clone();
                flipped[bit / 8] ^= 1 << (bit % 8);
                flipped
            });
            for damaged in flips.chain((0..bytes.len()).map(|len| bytes[..len].to_vec())) {
                std::fs::write(&path, damaged).unwrap();
                let found = check(dir.path());
                assert!(found.len() == 1 && found[0].to_string().contains(name), "{name}: {found:?}");
                for read in [CONFIG, "summary.json"] {
                    let is_seen = name == read || name == CHECKSUMS;
                    assert_eq!(check_sealed(dir.path(), read).is_err(), is_seen, "{name}, reading {read}");
                    assert_eq!(read_sealed(dir.path(), read, 1000).is_err(), is_seen, "{name}, reading {read}");
                }
            }
            std::fs::write(&path, bytes).unwrap();
        }
        std::fs::remove_file(dir.path().join("summary.json")).unwrap();
        assert_eq!(check(dir.path()).len(), 1);
        let gone = read_sealed(dir.path(), "summary.json", 1000).unwrap_err().to_string();
        assert!(gone.contains("summary.json is damaged: it is missing"), "{gone}");
        // What is not sealed is read as it is.
        let unsealed = read_sealed(dir.path(), "metrics.jsonl", 1000).unwrap_err();
        assert!(matches!(unsealed, CheckpointError::Io { source, .. } if source.kind() == ErrorKind::NotFound));
        std::fs::write(dir.path().join("metrics.jsonl"), "anything").unwrap();
        assert_eq!(read_sealed(dir.path(), "metrics.jsonl", 1000).unwrap(), b"anything");
        assert!(read_sealed(dir.path(), "metrics.jsonl", 7).unwrap_err().to_string().contains("more than 7 B"));
    }

    #[test]
    fn a_seal_that_is_taken_off_meanwhile_is_looked_for_again() {
        let dir = tempfile::tempdir().unwrap();
        let seal = |hash: String| write(dir.path(), &[("file".to_owned(), hash)].into()).unwrap();
        seal(of(b"old"));
        let looks = std::cell::Cell::new(0);
        let found = against_seal(dir.path(), "file", |expected| {
            looks.set(looks.get() + 1);
            match expected {
                Some(_) => {
                    // A session continues the run at this moment.
                    write(dir.path(), &[(CONFIG.to_owned(), of(b""))].into()).unwrap();
                    compare(&dir.path().join("file"), expected, || of(b"new"))
                }
                None => Ok(()),
            }
        });
        assert!(found.is_ok() && looks.get() == 2);
    }
}
