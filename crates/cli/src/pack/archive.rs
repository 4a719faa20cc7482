//! The archive: a plain tar of plain files, all below one directory, the same bytes for the same files.
//!
//! Archives may come from anybody. Only the files of a run are accepted: plain files with the names that a run has, each once. Links,
//! devices, directories with other names, absolute paths and paths that lead outside are refused before anything is written; no file is
//! larger in the archive than it will be on disk, so that a small archive cannot fill the disk.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Component, Path, PathBuf};

use requel::storage::open_regular;
use tar::{EntryType, Header};

use crate::exit::{Exit, Failure};

/// The maximum number of files in a run.
const MOST_FILES: usize = 100_000;
/// The longest path that the oldest version of the format can store.
const MOST_NAME: usize = 255;

/// A file to put into an archive.
pub enum Source {
    /// A file on disk.
    File(PathBuf),
    /// A file made for the archive.
    Bytes(Vec<u8>),
}

/// Which files of an archive to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// All files.
    All,
    /// All files except the state needed to continue training.
    WithoutCheckpoints,
}

/// Writes an archive of `files`, given by their paths relative to `root`, in this order.
///
/// # Errors
/// If a file cannot be read, its name is too long, or the disk refuses.
pub fn write(out: impl Write, root: &str, files: Vec<(String, Source)>) -> io::Result<()> {
    let mut builder = tar::Builder::new(BufWriter::new(out));
    for (name, source) in files {
        let mut header = Header::new_ustar();
        header.set_path(format!("{root}/{name}"))?;
        header.set_entry_type(EntryType::Regular);
        // Nothing specific to this machine: no times, no owner.
        header.set_mode(0o644);
        header.set_mtime(0);
        header.set_uid(0);
        header.set_gid(0);
        match source {
            Source::Bytes(bytes) => {
                header.set_size(bytes.len() as u64);
                header.set_cksum();
                builder.append(&header, &bytes[..])?;
            }
            Source::File(path) => {
                let file = open_regular(&path)?;
                let len = file.metadata()?.len();
                header.set_size(len);
                header.set_cksum();
                // If a log grows in the meantime, only its previous length is taken.
                builder.append(&header, file.take(len))?;
            }
        }
    }
    builder.into_inner()?.flush()
}

/// Reads an archive into `dir`, which exists and is empty. Returns the name of the directory in the archive.
///
/// # Errors
/// If it is not an archive of a run, or the disk refuses. The caller must remove what was written until then.
pub fn unpack(path: &Path, dir: &Path, wanted: Wanted) -> Result<String, Failure> {
    let wrong = |what: String| {
        let failure = Failure { exit: Exit::Failure, ..Failure::bad_input(format_args!("{}: {what}", path.display())) };
        failure.hint("`requel unpack` reads the archives that `requel pack RUN` writes")
    };
    let metadata =
        fs::metadata(path).map_err(|e| Failure::bad_input(format_args!("cannot read {}: {e}", path.display())))?;
    if !metadata.is_file() {
        return Err(Failure::bad_input(format_args!("{} is not a plain file", path.display())));
    }
    let file =
        open_regular(path).map_err(|e| Failure::bad_input(format_args!("cannot read {}: {e}", path.display())))?;
    let mut archive = tar::Archive::new(BufReader::new(file));
    let mut root: Option<String> = None;
    let mut seen = HashSet::new();
    // Raw entries: extensions that would change the name or length of the next file appear as entries of their own and are refused.
    let entries = archive.entries().map_err(|e| wrong(format!("not an archive: {e}")))?.raw(true);
    for entry in entries {
        let mut entry = entry.map_err(|e| wrong(format!("not an archive, or truncated: {e}")))?;
        if entry.header().entry_type() != EntryType::Regular {
            let kind = entry.header().entry_type();
            return Err(wrong(format!("it has an entry of the kind {kind:?}, and a run has only plain files")));
        }
        let name = name(&entry.path_bytes()).map_err(&wrong)?;
        let (top, name) = name.split_once('/').ok_or_else(|| wrong(format!("`{name}` is not in a directory")))?;
        let known = root.get_or_insert_with(|| top.to_owned());
        if known != top {
            return Err(wrong(format!("it has two directories, `{known}` and `{top}`, instead of one")));
        }
        if !is_of_run(name) {
            return Err(wrong(format!("`{name}` is not a file that a run has")));
        }
        if !seen.insert(name.to_lowercase()) {
            return Err(wrong(format!("it has `{name}` twice")));
        }
        if seen.len() > MOST_FILES {
            return Err(wrong(format!("it has more than {MOST_FILES} files")));
        }
        if wanted == Wanted::WithoutCheckpoints && name.starts_with("checkpoints/") {
            continue;
        }
        let size = entry.header().size().map_err(|e| wrong(format!("`{name}`: {e}")))?;
        let to = dir.join(name);
        let written = (|| {
            fs::create_dir_all(to.parent().unwrap_or(dir))?;
            io::copy(&mut entry, &mut File::create_new(&to)?)
        })();
        match written {
            Ok(written) if written == size => {}
            Ok(_) => return Err(wrong(format!("it is truncated within `{name}`"))),
            Err(error) => {
                return Err(Failure::failed(format_args!(
                    "cannot unpack {} to {}: {error}",
                    path.display(),
                    to.display()
                )));
            }
        }
    }
    match root {
        Some(root) if seen.contains("config.toml") => Ok(root),
        _ => Err(wrong("it does not contain a run".into())),
    }
}

/// Whether a file is an archive, judged by its contents and not by its name.
///
/// # Errors
/// If it cannot be read.
pub fn is_packed(file: &Path) -> Result<bool, Failure> {
    let mut start = Vec::new();
    open_regular(file)
        .and_then(|file| file.take(512).read_to_end(&mut start))
        .map_err(|e| Failure::bad_input(format_args!("cannot read {}: {e}", file.display())))?;
    Ok(start.get(257..262) == Some(b"ustar"))
}

/// A path below the directory that it is unpacked into, in plain letters.
fn name(bytes: &[u8]) -> Result<String, String> {
    let shown = || String::from_utf8_lossy(bytes).chars().take(80).collect::<String>();
    let text = std::str::from_utf8(bytes).map_err(|_| format!("`{}` is not UTF-8", shown()))?;
    let plain = Path::new(text).components().all(|part| matches!(part, Component::Normal(_)));
    let parts_are_plain = text.split('/').all(|part| !part.is_empty() && part != "." && part != "..");
    let letters = |c: char| c.is_control() || "\\:*?\"<>|".contains(c);
    if !plain || !parts_are_plain || text.len() > MOST_NAME || text.contains(letters) {
        return Err(format!("`{}` is not a path inside a directory", shown().escape_debug()));
    }
    Ok(text.to_owned())
}

/// Whether a run may have a file of this name.
pub fn is_of_run(name: &str) -> bool {
    const FILES: [&str; 14] = [
        "README.md",
        "best/policy.safetensors",
        "checksums.blake3",
        "config.toml",
        "metrics.jsonl",
        "monitor.csv",
        "notes.toml",
        "environment.json",
        "origin.json",
        "progress.csv",
        "provenance.json",
        "report.html",
        "summary.json",
        "timing.csv",
    ];
    let ends =
        |parts: &[&str], ends: &[&str]| ends.iter().any(|end| parts.last().is_some_and(|name| name.ends_with(end)));
    let parts: Vec<&str> = name.split('/').collect();
    if parts.iter().any(|part| part.starts_with('.')) {
        return false;
    }
    FILES.contains(&name)
        || match parts[..] {
            ["segments", _] => ends(&parts, &[".toml", ".json"]),
            ["tensorboard", _] => parts[1].starts_with("events.out.tfevents."),
            ["checkpoints", step, _] => {
                step.strip_prefix("ckpt-").is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_digit()))
                    && ends(&parts, &[".json", ".blake3", ".safetensors", ".segment"])
            }
            _ => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive(entries: &[(&str, EntryType, &[u8])]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (name, kind, bytes) in entries {
            let mut header = Header::new_gnu();
            // Written as it is: the library would refuse some of these.
            header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
            header.set_entry_type(*kind);
            header.set_size(bytes.len() as u64);
            header.set_mode(0o777);
            if matches!(kind, EntryType::Symlink | EntryType::Link) {
                header.set_size(0);
                header.set_link_name("/etc/passwd").unwrap();
            }
            header.set_cksum();
            builder.append(&header, *bytes).unwrap();
        }
        builder.into_inner().unwrap()
    }

    fn refusal(bytes: &[u8]) -> String {
        let root = tempfile::tempdir().unwrap();
        let (path, dir) = (root.path().join("x.tar"), root.path().join("in/here"));
        fs::write(&path, bytes).unwrap();
        fs::create_dir_all(&dir).unwrap();
        let failure = unpack(&path, &dir, Wanted::All).expect_err("refused");
        // Nothing outside of where it was to go.
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 2);
        assert_eq!(fs::read_dir(root.path().join("in")).unwrap().count(), 1);
        failure.what
    }

    const CONFIG: (&str, EntryType, &[u8]) = ("run/config.toml", EntryType::Regular, b"");

    #[test]
    fn what_leads_out_is_refused() {
        for name in [
            "../config.toml",
            "run/../../config.toml",
            "/run/config.toml",
            "run//config.toml",
            "run/./config.toml",
            "run\\config.toml",
            "c:/config.toml",
        ] {
            let said = refusal(&archive(&[CONFIG, (name, EntryType::Regular, b"x")]));
            assert!(said.contains("is not a path inside a directory"), "{name}: {said}");
        }
        for name in [
            "run/.bashrc",
            "run/notes.txt",
            "run/best/run.sh",
            "run/checkpoints/ckpt-1x/state.json",
            "run/segments/a/b.toml",
        ] {
            let said = refusal(&archive(&[CONFIG, (name, EntryType::Regular, b"x")]));
            assert!(said.contains("is not a file that a run has"), "{name}: {said}");
        }
        assert!(
            refusal(&archive(&[CONFIG, ("other/summary.json", EntryType::Regular, b"")])).contains("two directories")
        );
        assert!(refusal(&archive(&[("config.toml", EntryType::Regular, b"")])).contains("is not in a directory"));
    }

    #[test]
    fn links_devices_and_changed_names_are_refused() {
        use EntryType::*;
        for kind in
            [Symlink, Link, Fifo, Block, Char, Directory, GNUSparse, GNULongName, GNULongLink, XHeader, XGlobalHeader]
        {
            let said = refusal(&archive(&[CONFIG, ("run/summary.json", kind, b"")]));
            assert!(said.contains("only plain files"), "{kind:?}: {said}");
        }
    }

    #[test]
    fn what_is_there_twice_or_cut_off_is_refused() {
        let twice = archive(&[
            CONFIG,
            ("run/summary.json", EntryType::Regular, b"1"),
            ("run/Summary.json", EntryType::Regular, b"2"),
        ]);
        assert!(refusal(&twice).contains("is not a file") || refusal(&twice).contains("twice"));
        let twice = archive(&[
            CONFIG,
            ("run/summary.json", EntryType::Regular, b"1"),
            ("run/summary.json", EntryType::Regular, b"2"),
        ]);
        assert!(refusal(&twice).contains("` twice"));
        let whole = archive(&[CONFIG, ("run/summary.json", EntryType::Regular, &[7; 2000])]);
        // A length that the file does not have, as of a bomb.
        for len in [100, 600, 1100, 1500, 2500] {
            refusal(&whole[..len]);
        }
        assert!(refusal(b"").contains("it does not contain a run"));
        assert!(refusal(&[0xff; 4096]).contains("not an archive"));
        assert!(
            refusal(&archive(&[("run/summary.json", EntryType::Regular, b"")])).contains("it does not contain a run")
        );
    }

    #[test]
    fn what_is_written_is_read_and_always_the_same() {
        let files = || {
            let names = [
                "config.toml",
                "best/policy.safetensors",
                "checkpoints/ckpt-000000000300/replay.records.00001.segment",
            ];
            names.map(|name| (name.to_owned(), Source::Bytes(name.as_bytes().to_vec()))).into()
        };
        let root = "MinAtar-SpaceInvaders-v1__minatar-dqn__0__20260101T120000";
        let (mut bytes, mut again) = (Vec::new(), Vec::new());
        write(&mut bytes, root, files()).unwrap();
        write(&mut again, root, files()).unwrap();
        assert_eq!(bytes, again);
        for (wanted, count) in [(Wanted::All, 3), (Wanted::WithoutCheckpoints, 2)] {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("x.tar");
            fs::write(&path, &bytes).unwrap();
            let to = dir.path().join("run");
            fs::create_dir(&to).unwrap();
            assert_eq!(unpack(&path, &to, wanted).unwrap(), root);
            let found =
                files().into_iter().filter(|(name, _)| fs::read(to.join(name)).is_ok_and(|b| b == name.as_bytes()));
            assert_eq!(found.count(), count);
        }
    }
}
