//! How much memory there is to take.

use std::fs;

/// Bytes that can still be taken: the least of what the system has available and what the control group allows.
/// `None` where the system does not say.
pub fn available_bytes() -> Option<u64> {
    let system = fs::read_to_string("/proc/meminfo").ok().and_then(|text| mem_available(&text));
    [system, cgroup_remaining()].into_iter().flatten().min()
}

/// `bytes` with a unit that reads well.
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

fn cgroup_remaining() -> Option<u64> {
    let group = fs::read_to_string("/proc/self/cgroup").ok()?;
    // Version 2 has one line, `0::/path`.
    let path = group.lines().find_map(|line| line.strip_prefix("0::"))?;
    let read = |name: &str| {
        let file = format!("/sys/fs/cgroup{}/{name}", path.trim_end_matches('/'));
        fs::read_to_string(file).ok()?.trim().parse::<u64>().ok()
    };
    let used = read("memory.current")?.saturating_sub(file_cache(&stat(path)?));
    Some(read("memory.max")?.saturating_sub(used))
}

fn stat(path: &str) -> Option<String> {
    fs::read_to_string(format!("/sys/fs/cgroup{}/memory.stat", path.trim_end_matches('/'))).ok()
}

/// Bytes of cached files in a group's `memory.stat`: counted as used, but given back when memory is short.
fn file_cache(stat: &str) -> u64 {
    let bytes = |line: &str| match line.split_once(' ')? {
        ("inactive_file" | "active_file", bytes) => bytes.trim().parse::<u64>().ok(),
        _ => None,
    };
    stat.lines().filter_map(bytes).sum()
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
        assert_eq!(file_cache(stat), 800);
        assert_eq!(file_cache(""), 0);
    }

    #[test]
    fn displays_units() {
        assert_eq!(display_bytes(512), "512 B");
        assert_eq!(display_bytes(1536), "1.5 KiB");
        assert_eq!(display_bytes(32 << 30), "32.0 GiB");
    }
}
