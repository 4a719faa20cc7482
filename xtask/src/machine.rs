//! What a measurement must say about where it was made, and how to keep it to one core.

use anyhow::{Context, Result};

use crate::command::CommandLine;

/// The processor, the number of cores this process may use, and the system, in one line.
pub fn description() -> String {
    let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu_model(&cpuinfo).unwrap_or("unknown processor");
    format!("{model}, {} cores, {} {}", cores(), std::env::consts::OS, std::env::consts::ARCH)
}

/// The commit checked out, in twelve digits, with `-dirty` behind it when a tracked file outside `results/` and `fuzz/corpus/` differs.
///
/// # Errors
/// When git is missing or there is no commit.
pub fn git_commit() -> Result<String> {
    let commit = CommandLine::new("git").args(["rev-parse", "--short=12", "HEAD"]).output();
    let commit = commit.context("cannot name the commit being measured")?.trim().to_owned();
    // The tables themselves live in results/, what fuzzing comes upon in its corpora, and writing one must not make the next
    // measurement "dirty".
    let status = CommandLine::new("git")
        .args([
            "status",
            "--porcelain",
            "--untracked-files=no",
            "--",
            ".",
            ":(exclude)results",
            ":(exclude)fuzz/corpus",
        ])
        .output()?;
    Ok(if status.trim().is_empty() { commit } else { format!("{commit}-dirty") })
}

/// The number of cores this process may use.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// How many programs wanted to run over the last minute, on average, where the system tells.
pub fn load() -> Option<String> {
    let load = std::fs::read_to_string("/proc/loadavg").ok()?;
    load.split_whitespace().next().map(str::to_owned)
}

/// The start of a command line that keeps what follows to one core, or nothing where `taskset` is missing.
pub fn pinned_to(core: usize) -> Option<CommandLine> {
    let taskset = CommandLine::new("taskset").args(["--cpu-list", &core.to_string()]);
    taskset.clone().arg("true").succeeds().then_some(taskset)
}

fn cpu_model(cpuinfo: &str) -> Option<&str> {
    let line = cpuinfo.lines().find(|line| line.starts_with("model name"))?;
    line.split_once(':').map(|(_, model)| model.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processor_is_read_from_its_first_line() {
        let text = "processor\t: 0\nmodel name\t: Some CPU @ 2.00GHz\nprocessor\t: 1\nmodel name\t: Other\n";
        assert_eq!(cpu_model(text), Some("Some CPU @ 2.00GHz"));
        assert_eq!(cpu_model(""), None);
    }
}
