//! `checksums.blake3`, by which damage to a run's files is found that no checkpoint knows of.
//!
//! From the beginning it knows `config.toml`; once a run is finished, every file that it came to. A line is a BLAKE3 in
//! hexadecimal, two spaces, and a path from the run's directory; the last line is that of the lines above it.

use std::collections::BTreeMap;
use std::path::Path;

use crate::checkpoint::CheckpointError;
use crate::storage::{RealStorage, Storage, replace};

use super::RunError;
use super::segments::is_of_settings;

/// Its name.
pub(super) const CHECKSUMS: &str = "checksums.blake3";
/// The file that is known from the beginning.
pub(super) const CONFIG: &str = "config.toml";

const LAST_LINE: &str = "lines above";
/// A handful of lines is never longer, bytes.
const MOST_BYTES: u64 = 1 << 20;

/// BLAKE3 of a file's contents, hexadecimal.
pub(super) fn of(contents: &[u8]) -> String {
    blake3::hash(contents).to_hex().to_string()
}

/// Writes the checksums of these files, by their paths from the run's directory.
pub(super) fn write(dir: &Path, files: &BTreeMap<String, String>) -> Result<(), RunError> {
    let mut text: String = files.iter().map(|(name, hash)| format!("{hash}  {name}\n")).collect();
    text.push_str(&format!("{}  {LAST_LINE}\n", of(text.as_bytes())));
    let path = dir.join(CHECKSUMS);
    Ok(replace(&RealStorage, &path, text.as_bytes()).map_err(CheckpointError::io("write", &path))?)
}

/// The checksums of a run; `None` where it has none: there was a time when none were written, and a person who changes a config
/// on purpose removes them.
///
/// # Errors
/// If the file cannot be read, or is not what was written.
pub(super) fn read(dir: &Path) -> Result<Option<BTreeMap<String, String>>, CheckpointError> {
    let path = dir.join(CHECKSUMS);
    let bytes = match RealStorage.len(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        len => len.map_err(CheckpointError::io("read", &path))?,
    };
    if bytes > MOST_BYTES {
        return Err(CheckpointError::damaged(&path, format!("{bytes} bytes are more than it ever has")));
    }
    let text = RealStorage.read(&path).map_err(CheckpointError::io("read", &path))?;
    parse(&text)
        .map(Some)
        .ok_or_else(|| CheckpointError::damaged(&path, "its last line is not the BLAKE3 of those above"))
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

/// Holds `config.toml` against what it was when the run began, and the config of each later segment against what was added.
///
/// # Errors
/// If either is damaged or was changed.
pub(super) fn check_config(dir: &Path) -> Result<(), CheckpointError> {
    let files = read(dir)?.unwrap_or_default();
    let mut settings = files.iter().filter(|(name, _)| is_of_settings(name));
    settings.try_for_each(|(name, hash)| check_file(dir, name, hash))
}

/// Everything that is wrong with the files that the checksums know.
pub(super) fn check(dir: &Path) -> Vec<CheckpointError> {
    match read(dir) {
        Err(error) => vec![error],
        Ok(files) => {
            files.unwrap_or_default().iter().filter_map(|(name, hash)| check_file(dir, name, hash).err()).collect()
        }
    }
}

fn check_file(dir: &Path, name: &str, expected: &str) -> Result<(), CheckpointError> {
    let path = dir.join(name);
    let mut hasher = blake3::Hasher::new();
    let read = std::fs::File::open(&path).and_then(|file| std::io::copy(&mut { file }, &mut hasher));
    read.map_err(CheckpointError::io("read", &path))?;
    let found = hasher.finalize().to_hex();
    if found.as_str() == expected {
        return Ok(());
    }
    let advice = if name == CONFIG { "; if it was changed on purpose, remove checksums.blake3" } else { "" };
    let reason = format!("its BLAKE3 is {}, not {expected} as {CHECKSUMS} has it{advice}", &found[..16]);
    Err(CheckpointError::damaged(&path, reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flipped_bit_and_every_cut_is_found() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(read(dir.path()).unwrap(), None);
        assert!(check_config(dir.path()).is_ok() && check(dir.path()).is_empty());
        let files = [(CONFIG, "x = 1\n"), ("summary.json", "{}")];
        let sums = files.map(|(name, text)| {
            std::fs::write(dir.path().join(name), text).unwrap();
            (name.to_owned(), of(text.as_bytes()))
        });
        write(dir.path(), &BTreeMap::from(sums)).unwrap();
        assert!(check_config(dir.path()).is_ok() && check(dir.path()).is_empty());
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
                assert_eq!(check_config(dir.path()).is_err(), name != "summary.json");
            }
            std::fs::write(&path, bytes).unwrap();
        }
        std::fs::remove_file(dir.path().join("summary.json")).unwrap();
        assert_eq!(check(dir.path()).len(), 1);
    }
}
