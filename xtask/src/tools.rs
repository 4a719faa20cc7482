//! Tools that cargo builds and that no check may install unasked, because that takes minutes.

use std::path::PathBuf;

use anyhow::Result;

use xtask::command::CommandLine;
use xtask::workspace;

/// The version that `deny.toml` is written for.
const CARGO_DENY_VERSION: &str = "0.20.2";

/// Installs cargo-deny into the target folder, where [`cargo_deny`] finds it.
///
/// # Errors
/// When the registry or the build refuses.
pub fn install_cargo_deny() -> Result<()> {
    workspace::cargo()
        .args(["install", "--locked", "--version", CARGO_DENY_VERSION, "--root"])
        .arg(tools_dir())
        .arg("cargo-deny")
        .run()
}

/// cargo-deny, from the path or from the target folder; `None` where it is in neither.
pub fn cargo_deny() -> Option<CommandLine> {
    let installed = tools_dir().join("bin").join(format!("cargo-deny{}", std::env::consts::EXE_SUFFIX));
    [CommandLine::new("cargo-deny"), CommandLine::new(installed)]
        .into_iter()
        .find(|program| program.clone().arg("--version").succeeds())
}

fn tools_dir() -> PathBuf {
    workspace::target_dir().join("tools")
}
