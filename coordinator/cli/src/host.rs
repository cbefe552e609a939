//! Facts about this host that a node tells of itself.

use capstan_types::id::NodeId;
use capstan_types::node::Capacity;
use std::fs;

/// What this host can run.
#[must_use]
pub fn capacity(sessions: u32) -> Capacity {
    let cpus = std::thread::available_parallelism().map_or(1, |count| u32::try_from(count.get()).unwrap_or(u32::MAX));
    let memory_bytes = fs::read_to_string("/proc/meminfo").ok().and_then(|text| total_memory(&text)).unwrap_or(0);
    Capacity { sessions, cpus, memory_bytes }
}

fn total_memory(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

/// This host's name as a node's name: what may not stand in one becomes `-`.
#[must_use]
pub fn name() -> Option<NodeId> {
    as_node_id(&fs::read_to_string("/proc/sys/kernel/hostname").ok()?)
}

fn as_node_id(hostname: &str) -> Option<NodeId> {
    let fitting = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c.to_ascii_lowercase() } else { '-' };
    let name: String = hostname.trim().chars().map(fitting).take(NodeId::MAX_BYTES).collect();
    name.trim_matches(['-', '.']).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_name_becomes_a_node_name() {
        let name = |text: &str| as_node_id(text).map(|id| id.to_string());
        assert_eq!(name("Build_07.Rack2\n").as_deref(), Some("build-07.rack2"));
        assert_eq!(name("(none)\n").as_deref(), Some("none"));
        assert_eq!(name("\n"), None);
        assert_eq!(name(&"x".repeat(70)).map(|name| name.len()), Some(63));
    }

    #[test]
    fn the_memory_is_read_in_bytes() {
        assert_eq!(total_memory("MemTotal:       24644328 kB\nMemFree: 1 kB\n"), Some(24_644_328 * 1024));
        assert_eq!(total_memory("nothing"), None);
    }
}
