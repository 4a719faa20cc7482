//! R12: more memory than the machine has.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Result, ensure};

use super::rule::{Extent, Finding};
use super::runs;
use xtask::workspace;

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
    accepted(&binary, &desk.join("fits"), 1_000_000, &group)?;
    let note = "164 GiB on the machine, 32 GiB and 273 MiB in a group of 256 MiB; 42 MiB there are trained with";
    Ok(Finding { faults: 3, note: note.into() })
}

/// Trains a little with a buffer of this many transitions.
fn train(binary: &Path, dir: &Path, capacity: u64, group: Option<&Group>) -> Result<Output> {
    let train = format!(
        "exec {} train CartPole-v1 --quiet --run-dir {} --set replay.capacity={capacity} --set train.env_steps=2000",
        binary.display(),
        dir.display()
    );
    let enter = group.map_or(String::new(), |group| format!("echo $$ > {}/cgroup.procs && ", group.dir.display()));
    Ok(Command::new("sh").args(["-c", &(enter + &train)]).output()?)
}

/// What fits is not refused: a rule that refuses all would hold as well.
fn accepted(binary: &Path, dir: &Path, capacity: u64, group: &Group) -> Result<()> {
    let output = train(binary, dir, capacity, Some(group))?;
    ensure!(output.status.success(), "{capacity} transitions: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

fn refused(binary: &Path, dir: &Path, capacity: u64, group: Option<&Group>) -> Result<()> {
    let output = train(binary, dir, capacity, group)?;
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
    /// `None` where none may be made: of version 2 in the one hierarchy, of version 1 in that of memory.
    fn new(bytes: u64) -> Option<Self> {
        let name = format!("requel-faults-{}", std::process::id());
        let places = [("/sys/fs/cgroup", "memory.max"), ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")];
        places.into_iter().find_map(|(root, limit)| {
            let group = Group { dir: Path::new(root).join(&name) };
            std::fs::create_dir(&group.dir).ok()?;
            // Where this is no file system of groups with a memory controller, a directory is just a directory.
            if !group.dir.join(limit).exists() || !group.dir.join("cgroup.procs").exists() {
                return None;
            }
            std::fs::write(group.dir.join(limit), bytes.to_string()).ok()?;
            Some(group)
        })
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // One that is left over limits nobody.
        drop(std::fs::remove_dir(&self.dir));
    }
}
