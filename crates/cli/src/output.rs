//! Files that the user asks to be written.

use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use requel::run::Run;
use requel::storage::{RealStorage, replace};

use crate::exit::Failure;
use crate::pack::is_of_run;
use crate::style::{self, COMMAND, MUTED, paint};

/// Refuses a path that is or would be a file of a run: overwriting it would damage the run.
///
/// # Errors
/// If it is such a path.
pub fn check(path: &Path) -> Result<(), Failure> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let (Ok(parent), Some(name)) = (parent.canonicalize(), path.file_name()) else { return Ok(()) };
    let full = parent.join(name);
    for dir in full.ancestors().skip(1) {
        let inner = full.strip_prefix(dir).ok().and_then(Path::to_str).unwrap_or_default();
        // A config by itself may belong to anything.
        if is_of_run(inner) && dir.join("checksums.blake3").is_file() && Run::open(dir).is_ok() {
            let what = format_args!("{} is a file of the run {}", path.display(), dir.display());
            return Err(Failure::bad_input(what).hint("choose another file: overwriting this one would damage the run"));
        }
    }
    Ok(())
}

/// Whether a file exists and cannot be written, because of permissions or the file system: the run or study is then finished and can only
/// be shown.
pub fn is_read_only(path: &Path) -> bool {
    let open = OpenOptions::new().append(true).open(path);
    open.is_err_and(|error| matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem))
}

/// Lists the files that were written with what each is, below the printed output.
pub fn say(written: &[(PathBuf, &str)]) {
    if written.is_empty() {
        return;
    }
    style::say("");
    for (path, what) in written {
        style::say(format_args!("  {}   {}", paint(COMMAND, path.display()), paint(MUTED, what)));
    }
}

/// Writes a file, completely or not at all; anything that is not a plain file, such as a pipe or a link, is written to directly.
///
/// # Errors
/// If the disk refuses, or as [`check`]; the error names the file.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    check(path)?;
    let plain = std::fs::symlink_metadata(path).map_or(true, |metadata| metadata.is_file());
    let written = if plain { replace(&RealStorage, path, bytes) } else { std::fs::write(path, bytes) };
    written.map_err(|error| Failure::failed(format_args!("cannot write {}: {error}", path.display())))
}
