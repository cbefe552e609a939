//! How much of a node a workspace takes, and how much a node has.

use crate::label::LabelKey;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Amounts. As a node's capacity, zero means none; as a demand, that nothing is reserved.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Resources {
    /// Processors, in thousandths of one.
    pub cpu_milli: u64,
    /// Memory in bytes.
    pub memory_bytes: u64,
    /// Disk in bytes.
    pub disk_bytes: u64,
    /// What operators count besides, such as `example.com/gpu`, in whole pieces.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub custom: BTreeMap<LabelKey, u64>,
}

/// One of the amounts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Amount {
    /// Processors.
    Cpu,
    /// Memory.
    Memory,
    /// Disk.
    Disk,
    /// What operators count.
    Custom(LabelKey),
}

impl std::fmt::Display for Amount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Cpu => f.write_str("cpu"),
            Self::Memory => f.write_str("memory"),
            Self::Disk => f.write_str("disk"),
            Self::Custom(key) => key.fmt(f),
        }
    }
}

impl Resources {
    /// Nothing.
    pub const NONE: Self = Self { cpu_milli: 0, memory_bytes: 0, disk_bytes: 0, custom: BTreeMap::new() };

    /// How much of a custom resource.
    #[must_use]
    pub fn custom(&self, key: &LabelKey) -> u64 {
        self.custom.get(key).copied().unwrap_or(0)
    }

    /// The first of the amounts that is more than what is left of `capacity` when `used` is in use.
    #[must_use]
    pub fn short(&self, used: &Self, capacity: &Self) -> Option<Amount> {
        let lacks = |want: u64, used: u64, total: u64| want > 0 && total.saturating_sub(used) < want;
        if lacks(self.cpu_milli, used.cpu_milli, capacity.cpu_milli) {
            return Some(Amount::Cpu);
        }
        if lacks(self.memory_bytes, used.memory_bytes, capacity.memory_bytes) {
            return Some(Amount::Memory);
        }
        if lacks(self.disk_bytes, used.disk_bytes, capacity.disk_bytes) {
            return Some(Amount::Disk);
        }
        let key = self.custom.iter().find(|(key, want)| lacks(**want, used.custom(key), capacity.custom(key)));
        key.map(|(key, _)| Amount::Custom(key.clone()))
    }

    /// Adds what another takes.
    pub fn add(&mut self, other: &Self) {
        self.cpu_milli = self.cpu_milli.saturating_add(other.cpu_milli);
        self.memory_bytes = self.memory_bytes.saturating_add(other.memory_bytes);
        self.disk_bytes = self.disk_bytes.saturating_add(other.disk_bytes);
        for (key, amount) in &other.custom {
            let held = self.custom.entry(key.clone()).or_default();
            *held = held.saturating_add(*amount);
        }
    }

    /// Takes away what another took; never less than nothing.
    pub fn take(&mut self, other: &Self) {
        self.cpu_milli = self.cpu_milli.saturating_sub(other.cpu_milli);
        self.memory_bytes = self.memory_bytes.saturating_sub(other.memory_bytes);
        self.disk_bytes = self.disk_bytes.saturating_sub(other.disk_bytes);
        for (key, amount) in &other.custom {
            if let Some(held) = self.custom.get_mut(key) {
                *held = held.saturating_sub(*amount);
            }
        }
        self.custom.retain(|_, amount| *amount > 0);
    }
}

/// Reads an amount of processors: `2`, `0.5` or `500m`, in thousandths.
#[must_use]
pub fn cpu(text: &str) -> Option<u64> {
    if let Some(milli) = text.strip_suffix('m') {
        return digits(milli);
    }
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    if part.len() > 3 {
        return None;
    }
    let scale = 10_u64.pow(u32::try_from(3 - part.len()).ok()?);
    digits(whole)?.checked_mul(1000)?.checked_add(digits(part)? * scale)
}

/// Reads a size: plain bytes, `512Mi`, `512MiB` or `512M`; all of these are powers of 1024.
#[must_use]
pub fn size(text: &str) -> Option<u64> {
    crate::limits::size(text).or_else(|| crate::limits::size(&format!("{text}B")))
}

fn digits(text: &str) -> Option<u64> {
    if text.is_empty() || !text.chars().all(|letter| letter.is_ascii_digit()) { None } else { text.parse().ok() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn processors_and_sizes_are_read_as_people_write_them() {
        let cpus = ["2", "0.5", "500m", "0.125", "", "-1", "1.2345", "x", "m", ".5", "+1"].map(cpu);
        let expected = [Some(2000), Some(500), Some(500), Some(125), None, None, None, None, None, None, None];
        assert_eq!(cpus, expected);
        assert_eq!(
            ["1024", "512Mi", "2GiB", "1G", "", "x"].map(size),
            [Some(1024), Some(512 << 20), Some(2 << 30), Some(1 << 30), None, None]
        );
    }

    #[test]
    fn what_is_short_is_named() {
        let gpu: LabelKey = "gpu".parse().unwrap();
        let capacity = Resources { cpu_milli: 1000, memory_bytes: 10, disk_bytes: 0, custom: [(gpu.clone(), 1)].into() };
        let want = Resources { cpu_milli: 600, ..Resources::NONE };
        assert_eq!(want.short(&Resources::NONE, &capacity), None);
        assert_eq!(want.short(&want, &capacity), Some(Amount::Cpu));
        assert_eq!(Resources { disk_bytes: 1, ..Resources::NONE }.short(&Resources::NONE, &capacity), Some(Amount::Disk));
        let gpus = Resources { custom: [(gpu.clone(), 2)].into(), ..Resources::NONE };
        assert_eq!(gpus.short(&Resources::NONE, &capacity), Some(Amount::Custom(gpu)));
        assert_eq!(Resources::NONE.short(&capacity, &Resources::NONE), None, "who wants nothing lacks nothing");
    }

    proptest! {
        #[test]
        fn what_is_added_and_taken_leaves_what_was_there(a in any::<[u32; 3]>(), b in any::<[u32; 3]>()) {
            let of = |[cpu, memory, gpu]: [u32; 3]| Resources {
                cpu_milli: cpu.into(),
                memory_bytes: memory.into(),
                disk_bytes: 0,
                custom: [("gpu".parse().unwrap(), u64::from(gpu) + 1)].into(),
            };
            let mut held = of(a);
            held.add(&of(b));
            held.take(&of(b));
            prop_assert_eq!(held, of(a));
        }
    }
}
