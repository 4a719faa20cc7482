//! The verbs.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;

use super::programs;
use xtask::command::CommandLine;
use xtask::python::VirtualEnvironment;
use xtask::workspace;

/// Runs the checks with a real terminal and a real browser: all, or those named. Pictures of what they saw stay in the
/// target folder, under `xtask/ui/`.
///
/// # Errors
/// When something that they need cannot be had, or one fails.
pub fn test(checks: &[String]) -> Result<ExitCode> {
    let folder = folder("ui")?;
    // A script's own lines say what failed.
    script("check.py")?.arg(workspace::release_binary()?).arg(&folder).args(checks).run()?;
    eprintln!("pictures of what was seen: {}", folder.display());
    Ok(ExitCode::SUCCESS)
}

/// Creates the pictures in `docs/images/` again by running the program.
///
/// # Errors
/// When something that is needed cannot be had, or the program fails.
pub fn screenshots(names: &[String]) -> Result<()> {
    let folder = folder("screenshots")?;
    script("screenshots.py")?
        .arg(workspace::release_binary()?)
        .arg(folder)
        .arg(workspace::root().join("docs").join("images"))
        .args(names)
        .run()
}

fn script(name: &str) -> Result<CommandLine> {
    programs::prepare()?;
    Ok(VirtualEnvironment::for_ui()?.python().arg(format!("xtask/ui/{name}")))
}

fn folder(name: &str) -> Result<PathBuf> {
    let folder = workspace::target_dir().join("xtask").join(name);
    workspace::empty_folder(&folder)?;
    Ok(folder)
}
