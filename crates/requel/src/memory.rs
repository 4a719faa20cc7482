//! [`Memory`]: how much memory there is to take.

use std::fs;
use std::path::Path;

/// The memory that may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Memory {
    /// What the system has available and the control group allows, read whenever needed.
    Available,
    /// This many bytes.
    Bytes(u64),
    /// Unlimited: nothing is refused.
    Unknown,
}

impl Memory {
    /// Bytes that can be allocated now, if known.
    pub fn available_bytes(self) -> Option<u64> {
        match self {
            Memory::Available => available_bytes(),
            Memory::Bytes(bytes) => Some(bytes),
            Memory::Unknown => None,
        }
    }

    /// Bytes that can be allocated now, if that is less than `needed`.
    pub(crate) fn short_of(self, needed: u64) -> Option<u64> {
        // The system's files are not read for a few kilobytes.
        if self == Memory::Available && needed <= TOO_LITTLE_TO_ASK {
            return None;
        }
        self.available_bytes().filter(|available| needed > *available)
    }
}

/// Sizes below this are not worth asking the system about, bytes.
const TOO_LITTLE_TO_ASK: u64 = 1 << 20;

/// Bytes that can still be allocated: the smaller of what the system has available and what the control group allows. `None` if the system
/// does not say.
pub fn available_bytes() -> Option<u64> {
    let system = fs::read_to_string("/proc/meminfo").ok().and_then(|text| mem_available(&text));
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    [system, group_remaining(&groups, Path::new("/sys/fs/cgroup"))].into_iter().flatten().min()
}

/// `bytes` with a suitable unit.
pub fn display_bytes(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    if unit == 0 { format!("{bytes} B") } else { format!("{value:.1} {}", UNITS[unit]) }
}

fn mem_available(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kib| kib * 1024)
}

/// The remaining memory of a control group or of one above it, whichever has less. `groups` is `/proc/self/cgroup`, `root` is where the
/// groups are mounted. `None` if no group has a limit.
fn group_remaining(groups: &str, root: &Path) -> Option<u64> {
    let remaining = groups.lines().filter_map(|line| {
        // Version 2 has one line, `0::/path`; version 1 has one for each controller or several, `5:memory:/path`.
        let (_, line) = line.split_once(':')?;
        let (controllers, path) = line.split_once(':')?;
        match controllers {
            "" => least_remaining(root, path, &VERSION_2),
            _ if controllers.split(',').any(|name| name == "memory") => {
                least_remaining(&root.join("memory"), path, &VERSION_1)
            }
            _ => None,
        }
    });
    remaining.min()
}

/// The names of a group's files.
struct GroupFiles {
    limit: &'static str,
    used: &'static str,
    /// Lines of `memory.stat` that count cached files.
    cached: [&'static str; 2],
}

const VERSION_1: GroupFiles = GroupFiles {
    limit: "memory.limit_in_bytes",
    used: "memory.usage_in_bytes",
    cached: ["total_inactive_file", "total_active_file"],
};
const VERSION_2: GroupFiles =
    GroupFiles { limit: "memory.max", used: "memory.current", cached: ["inactive_file", "active_file"] };

/// The smallest remainder of the group at `path` below `root` and of those above it. A container sees its own group as the root, whatever
/// its path is called: missing directories are ignored.
fn least_remaining(root: &Path, path: &str, files: &GroupFiles) -> Option<u64> {
    let plain = path.split('/').filter(|part| !part.is_empty() && *part != "..");
    let groups = plain.scan(root.to_path_buf(), |at, part| {
        at.push(part);
        Some(at.clone())
    });
    std::iter::once(root.to_path_buf()).chain(groups).filter_map(|group| remaining(&group, files)).min()
}

fn remaining(group: &Path, files: &GroupFiles) -> Option<u64> {
    let text = |name: &str| fs::read_to_string(group.join(name)).ok();
    // Without a limit it is `max`, or in version 1 a number larger than any memory.
    let limit = text(files.limit)?.trim().parse::<u64>().ok()?;
    let used = text(files.used)?.trim().parse::<u64>().ok()?;
    let cached = file_cache(&text("memory.stat").unwrap_or_default(), &files.cached);
    Some(limit.saturating_sub(used.saturating_sub(cached)))
}

/// Bytes of cached files in a group's `memory.stat`: counted as used, but released when memory is short.
fn file_cache(stat: &str, names: &[&str]) -> u64 {
    let bytes = |line: &str| match line.split_once(' ')? {
        (name, bytes) if names.contains(&name) => bytes.trim().parse::<u64>().ok(),
        _ => None,
    };
    stat.lines().filter_map(bytes).fold(0, u64::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_meminfo() {
        let text = "MemTotal:       100 kB\nMemFree: 1 kB\nMemAvailable:   24576 kB\n";
        assert_eq!(mem_available(text), Some(24576 * 1024));
        assert_eq!(mem_available("nothing"), None);
    }

    #[test]
    fn cached_files_are_not_in_use() {
        let stat = "anon 4096\nfile 900\ninactive_anon 7\nactive_anon 8\ninactive_file 300\nactive_file 500\nslab 1\n";
        assert_eq!(file_cache(stat, &VERSION_2.cached), 800);
        assert_eq!(file_cache("", &VERSION_2.cached), 0);
        assert_eq!(file_cache("inactive_file 1\ntotal_inactive_file 30\n", &VERSION_1.cached), 30);
    }

    /// A directory in the place of the mounted groups.
    fn groups(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, format!("{text}\n")).unwrap();
        }
        root
    }

    #[test]
    fn a_group_of_version_2_has_what_it_and_those_above_it_leave() {
        let root = groups(&[
            ("a/memory.max", "1000"),
            ("a/memory.current", "900"),
            ("a/memory.stat", "anon 600\ninactive_file 100\nactive_file 50"),
            ("a/b/memory.max", "max"),
            ("a/b/memory.current", "800"),
            ("a/b/c/memory.max", "500"),
            ("a/b/c/memory.current", "400"),
        ]);
        let remaining = |groups: &str| group_remaining(groups, root.path());
        assert_eq!(remaining("0::/a\n"), Some(250));
        assert_eq!(remaining("0::/a/b\n"), Some(250));
        assert_eq!(remaining("0::/a/b/c\n"), Some(100));
        assert_eq!(remaining("0::/a/unheard-of\n"), Some(250));
        assert_eq!((remaining("0::/\n"), remaining(""), remaining("nonsense\n:\n")), (None, None, None));
        // No path leads out.
        assert_eq!(group_remaining("0::/../a\n", &root.path().join("a/b")), None);
    }

    #[test]
    fn a_group_of_version_1_is_that_of_the_memory_controller() {
        let root = groups(&[
            ("memory/memory.limit_in_bytes", "9223372036854771712"),
            ("memory/memory.usage_in_bytes", "5000"),
            ("memory/docker/x/memory.limit_in_bytes", "4096"),
            ("memory/docker/x/memory.usage_in_bytes", "4000"),
            ("memory/docker/x/memory.stat", "cache 7\ninactive_file 1\ntotal_inactive_file 500\ntotal_active_file 100"),
            ("cpu/docker/x/memory.limit_in_bytes", "1"),
        ]);
        let remaining = |groups: &str| group_remaining(groups, root.path());
        let lines =
            "12:cpu,cpuacct:/docker/x\n5:hugetlb,memory:/docker/x\n1:name=systemd:/docker/x\n0::/system.slice\n";
        assert_eq!(remaining(lines), Some(4096 - 3400));
        // Seen from inside a container the group is the root of the mount.
        assert_eq!(remaining("5:memory:/elsewhere\n"), Some(9_223_372_036_854_771_712 - 5000));
        assert_eq!(remaining("5:memoryless:/docker/x\n"), None);
        // Used beyond its limit there is nothing left.
        fs::write(root.path().join("memory/docker/x/memory.usage_in_bytes"), "9000").unwrap();
        assert_eq!(remaining(lines), Some(0));
    }

    #[test]
    fn displays_units() {
        assert_eq!(display_bytes(512), "512 B");
        assert_eq!(display_bytes(1536), "1.5 KiB");
        assert_eq!(display_bytes(32 << 30), "32.0 GiB");
    }
}
