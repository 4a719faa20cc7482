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

/// A folder in memory with room for what tests write, unless `TMPDIR` already says where that goes: a run waits for its disk at
/// every checkpoint, and the tests make hundreds.
pub fn folder_in_memory() -> Option<&'static str> {
    const FOLDER: &str = "/dev/shm";
    const NEEDED_BYTES: u64 = 2 << 30;
    if std::env::var_os("TMPDIR").is_some() || !is_usable(&std::fs::read_to_string("/proc/mounts").ok()?, FOLDER) {
        return None;
    }
    let free = CommandLine::new("df").args(["--output=avail", "--block-size=1", FOLDER]).output().ok()?;
    let free: u64 = free.lines().nth(1)?.trim().parse().ok()?;
    (free > NEEDED_BYTES).then_some(FOLDER)
}

/// Whether `mounts`, which is `/proc/mounts`, has `folder` as memory that can be written and that programs may be started from.
fn is_usable(mounts: &str, folder: &str) -> bool {
    // What was mounted last lies on top.
    let mount = mounts.lines().rfind(|line| line.split(' ').nth(1) == Some(folder));
    let fields: Vec<&str> = mount.unwrap_or_default().split(' ').collect();
    let has = |option: &str| fields.get(3).is_some_and(|options| options.split(',').any(|one| one == option));
    fields.get(2) == Some(&"tmpfs") && has("rw") && !has("noexec")
}

fn cpu_model(cpuinfo: &str) -> Option<&str> {
    let line = cpuinfo.lines().find(|line| line.starts_with("model name"))?;
    line.split_once(':').map(|(_, model)| model.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_memory_that_programs_may_be_started_from_is_used() {
        let mounts = |options: &str| format!("proc /proc proc rw 0 0\ntmpfs /dev/shm tmpfs {options} 0 0\n");
        assert!(is_usable(&mounts("rw,relatime,size=8k"), "/dev/shm"));
        assert!(!is_usable(&mounts("rw,noexec"), "/dev/shm"));
        assert!(!is_usable(&mounts("ro"), "/dev/shm"));
        assert!(!is_usable("/dev/sda1 /dev/shm ext4 rw 0 0\n", "/dev/shm"));
        assert!(!is_usable("", "/dev/shm"));
    }

    #[test]
    fn the_processor_is_read_from_its_first_line() {
        let text = "processor\t: 0\nmodel name\t: Some CPU @ 2.00GHz\nprocessor\t: 1\nmodel name\t: Other\n";
        assert_eq!(cpu_model(text), Some("Some CPU @ 2.00GHz"));
        assert_eq!(cpu_model(""), None);
    }
}
