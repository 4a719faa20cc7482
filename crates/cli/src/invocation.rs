//! How the program was called: the arguments that it works with, which need not be those of the process.

use std::ffi::OsString;
use std::path::Path;
use std::sync::OnceLock;

/// What the program is called in this crate's texts.
pub const NAME: &str = "requel";

/// Set once, by the first call of the program in a process: hints and provenance ask from far below `main`.
static ARGUMENTS: OnceLock<Vec<OsString>> = OnceLock::new();

/// Remembers what the program was called with, the name first. A later call in the same process changes nothing.
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
