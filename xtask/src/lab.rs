//! The verbs of the crate `lab`, which is built when one of them is asked for.

use std::process::ExitCode;

use anyhow::Result;
use xtask::command::CommandLine;
use xtask::workspace;

/// What it measures and makes.
pub const VERBS: &[&str] = &["bench", "faults", "fuzz", "kernels", "planted", "results"];

/// Does what `arguments` ask for, a verb first, and exits as it does.
///
/// # Errors
/// When it cannot be built or started.
pub fn run(arguments: &[String]) -> Result<ExitCode> {
    let code = command(arguments).exit_code()?;
    Ok(ExitCode::from(u8::try_from(code).unwrap_or(1)))
}

/// The command for these arguments.
pub fn command(arguments: &[impl AsRef<str>]) -> CommandLine {
    let lab = workspace::cargo().args(["run", "--quiet", "--locked", "--package", "lab", "--"]);
    lab.args(arguments.iter().map(AsRef::as_ref))
}
