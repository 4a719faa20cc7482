//! R12: memory that is not there.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, ensure};

use super::rule::{Extent, Finding};
use super::runs;
use crate::workspace;

/// Asks for more memory than there is, on the machine and in a control group.
///
/// # Errors
/// When training starts, or what is missing is not said.
pub fn check(_: Extent) -> Result<Finding> {
    let binary = workspace::release_binary()?;
    let desk = runs::desk("memory")?;
    // 44 bytes a transition: about 164 GiB, and 32 GiB in a group that has 256 MiB.
    refused(&binary, &desk.join("machine"), 4_000_000_000, None)?;
    let Some(group) = Group::new(256 << 20) else {
        return Ok(Finding { faults: 1, note: "the machine alone: a control group may not be made here".into() });
    };
    refused(&binary, &desk.join("group"), 780_000_000, Some(&group))?;
    refused(&binary, &desk.join("barely"), 6_500_000, Some(&group))?;
    Ok(Finding { faults: 3, note: "164 GiB on the machine, 32 GiB and 273 MiB in a group of 256 MiB".into() })
}

fn refused(binary: &Path, dir: &Path, capacity: u64, group: Option<&Group>) -> Result<()> {
    let train = format!(
        "exec {} train CartPole-v1 --quiet --run-dir {} --set replay.capacity={capacity}",
        binary.display(),
        dir.display()
    );
    let enter = group.map_or(String::new(), |group| format!("echo $$ > {}/cgroup.procs && ", group.dir.display()));
    let output = Command::new("sh").args(["-c", &(enter + &train)]).output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.code() == Some(2), "{capacity} transitions ended with {}: {said}", output.status);
    ensure!(said.contains("available") && said.contains("would fit"), "no figures: {said}");
    ensure!(!dir.exists(), "a run was begun with memory that is not there");
    Ok(())
}

/// A control group of this process's making, removed at the end.
struct Group {
    dir: PathBuf,
}

impl Group {
    fn new(bytes: u64) -> Option<Self> {
        let group = Group { dir: PathBuf::from(format!("/sys/fs/cgroup/requel-faults-{}", std::process::id())) };
        std::fs::create_dir(&group.dir).ok()?;
        // Where this is no file system of groups with a memory controller, a directory is just a directory.
        if !group.dir.join("memory.max").exists() || !group.dir.join("cgroup.procs").exists() {
            return None;
        }
        std::fs::write(group.dir.join("memory.max"), bytes.to_string()).ok()?;
        Some(group)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // One that is left over limits nobody.
        drop(std::fs::remove_dir(&self.dir));
    }
}
