//! What this build of the program is.

use requel::run::Program;

/// The commit it was built from, if known at build time.
pub const COMMIT: Option<&str> = option_env!("REQUEL_COMMIT");

/// Whether the sources had uncommitted changes, if known at build time.
pub fn is_dirty() -> Option<bool> {
    option_env!("REQUEL_DIRTY").map(|dirty| dirty == "true")
}

/// Whether it was built with optimisation.
pub const PROFILE: &str = if cfg!(debug_assertions) { "development" } else { "release" };

/// What every run records about this process: the build, and the command line without the directory of the program.
pub fn program() -> Program {
    Program {
        commit: COMMIT.map(str::to_owned),
        dirty: is_dirty(),
        build: Some(PROFILE.into()),
        command: crate::invocation::command_line(),
    }
}
