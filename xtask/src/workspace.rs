//! Where things are in the repository.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::{Context, Result};

use crate::command::CommandLine;

/// The repository's root folder.
pub fn root() -> PathBuf {
    // cargo names the manifest's folder at run time; the compiled-in one serves a binary that is started by hand.
    let manifest =
        std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    manifest.parent().map_or_else(|| manifest.clone(), Path::to_path_buf)
}

/// Cargo's target folder: `CARGO_TARGET_DIR` where that is set, else `target/` in the root.
pub fn target_dir() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        // A relative one is meant from where the person stands, as cargo itself reads it.
        Some(folder) => std::path::absolute(&folder).unwrap_or_else(|_| folder.into()),
        None => root().join("target"),
    }
}

/// The cargo that runs this program, or the one on the path.
pub fn cargo() -> CommandLine {
    CommandLine::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".into()))
}

/// Existing programs to use instead of building them.
static BUILT: OnceLock<PathBuf> = OnceLock::new();

/// Has [`release_binary`] and [`development_binary`] take `release/requel` and `debug/requel` below `dir` from now on.
pub fn use_built(dir: PathBuf) {
    // Whoever asks twice has said the same.
    BUILT.get_or_init(|| dir);
}

/// The built tests of this name, in `tests/` below that directory, where there are such.
pub fn built_tests(name: &str) -> Option<PathBuf> {
    let tests = BUILT.get()?.join("tests").join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    tests.is_file().then_some(tests)
}

/// Builds the optimised `requel` program and says where it is.
///
/// # Errors
/// When the build fails.
pub fn release_binary() -> Result<PathBuf> {
    if let Some(built) = BUILT.get() {
        return Ok(built.join("release").join(format!("requel{}", std::env::consts::EXE_SUFFIX)));
    }
    cargo().args(["build", "--release", "--package", "requel-cli", "--locked"]).run()?;
    Ok(target_dir().join("release").join(format!("requel{}", std::env::consts::EXE_SUFFIX)))
}

/// Builds the development `requel` program (the one the tests use) and says where it is.
///
/// # Errors
/// When the build fails.
pub fn development_binary() -> Result<PathBuf> {
    if let Some(built) = BUILT.get() {
        return Ok(built.join("debug").join(format!("requel{}", std::env::consts::EXE_SUFFIX)));
    }
    // As the tests build the program: `cargo build` would choose other features of its dependencies, and build them all again.
    cargo().args(["test", "--workspace", "--no-run", "--locked"]).run()?;
    Ok(target_dir().join("debug").join(format!("requel{}", std::env::consts::EXE_SUFFIX)))
}

/// Every file that git tracks or would track, relative to the root, in sorted order.
///
/// # Errors
/// When git is missing or this is no checkout.
pub fn files() -> Result<Vec<PathBuf>> {
    let listing = CommandLine::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .output()
        .context("cannot list the repository's files")?;
    let root = root();
    // A file that was deleted but not yet committed is still listed.
    let mut files: Vec<PathBuf> = listing.lines().map(PathBuf::from).filter(|file| root.join(file).is_file()).collect();
    files.sort();
    Ok(files)
}

/// Empties `folder`, or creates it if it does not exist.
///
/// # Errors
/// When the file system refuses.
pub fn empty_folder(folder: &Path) -> Result<()> {
    if folder.exists() {
        std::fs::remove_dir_all(folder).with_context(|| format!("cannot empty {}", folder.display()))?;
    }
    std::fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))
}
