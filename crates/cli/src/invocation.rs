//! How the program was called: its arguments, which may differ from those of the process.

use std::ffi::OsString;
use std::path::Path;
use std::sync::OnceLock;

/// The program's name in the texts of this crate.
pub const NAME: &str = "requel";

/// Set once, by the first call of the program in a process: hints and provenance need it far below `main`.
static ARGUMENTS: OnceLock<Vec<OsString>> = OnceLock::new();

/// Remembers the arguments that the program was called with, its name first. Later calls in the same process change nothing.
pub fn remember(arguments: &[OsString]) {
    let _ = ARGUMENTS.set(arguments.to_vec());
}

/// The name of this program, as it was called.
pub fn own_name() -> String {
    let stem = arguments().first().map(Path::new).and_then(Path::file_stem).and_then(|stem| stem.to_str());
    stem.unwrap_or(NAME).to_owned()
}

/// The command line, with the program's name but without its directory.
pub fn command_line() -> Vec<String> {
    let rest = arguments().iter().skip(1).map(|argument| argument.to_string_lossy().into_owned());
    std::iter::once(own_name()).chain(rest).collect()
}

fn arguments() -> &'static [OsString] {
    ARGUMENTS.get_or_init(|| std::env::args_os().collect())
}
