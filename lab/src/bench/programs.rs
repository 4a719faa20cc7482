//! The benchmarks of the crates as programs: built once, started on one core.

use std::path::PathBuf;

use anyhow::{Context, Result};
use serde_json::Value;

use xtask::command::CommandLine;
use xtask::{machine, workspace};

/// Builds the benchmark `bench` of `package` and says where the program is.
///
/// # Errors
/// When the build fails, or cargo does not name the program.
pub fn build(package: &str, bench: &str) -> Result<PathBuf> {
    let command = workspace::cargo().args(["bench", "--locked", "--no-run", "--package", package, "--bench", bench]);
    let messages = command.arg("--message-format=json-render-diagnostics").output()?;
    executable(&messages, bench).with_context(|| format!("cargo built no program for the benchmark `{bench}`"))
}

/// The core that measurements are kept to: the second, for the system's own work tends to land on the first.
pub fn core() -> usize {
    machine::cores().saturating_sub(1).min(1)
}

/// A command that starts `program` on that core, or on any where `taskset` is missing.
pub fn on_one_core(program: impl Into<std::ffi::OsString>) -> CommandLine {
    let program = program.into();
    match machine::pinned_to(core()) {
        Some(taskset) => taskset.arg(program),
        None => CommandLine::new(program),
    }
}

/// How measurements are kept to a core, in words.
pub fn pinning() -> &'static str {
    match machine::pinned_to(core()) {
        Some(_) => "each program on one core with taskset",
        None => "not kept to a core (no taskset)",
    }
}

fn executable(messages: &str, bench: &str) -> Option<PathBuf> {
    let artifacts = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut programs = artifacts.filter(|artifact| artifact["target"]["name"] == bench);
    programs.find_map(|artifact| artifact["executable"].as_str().map(PathBuf::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_the_one_that_cargo_names() {
        let messages = r#"{"reason":"compiler-artifact","target":{"name":"hot_path"},"executable":null}
{"reason":"compiler-artifact","target":{"name":"envs"},"executable":"target/release/deps/environments-1"}
{"reason":"compiler-artifact","target":{"name":"hot_path"},"executable":"target/release/deps/hot_path-2"}
{"reason":"build-finished","success":true}"#;
        assert_eq!(executable(messages, "hot_path"), Some(PathBuf::from("target/release/deps/hot_path-2")));
        assert_eq!(executable(messages, "kernels"), None);
    }
}
