//! Limits in words, for models and people.

use crate::launch::SessionLimit;
use crate::limits::SessionLimits;
use crate::time::Millis;

/// A number of bytes, in the largest unit that it is a whole number of: `3 GiB`, `1000 B`.
#[must_use]
pub fn bytes(bytes: u64) -> String {
    let units = [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)];
    let whole = units.into_iter().find(|(_, shift)| bytes > 0 && bytes.trailing_zeros() >= *shift);
    whole.map_or_else(|| format!("{bytes} B"), |(unit, shift)| format!("{} {unit}", bytes >> shift))
}

/// A span of time, in the largest unit that it is a whole number of: `2 h`, `90 s`, `1500 ms`.
#[must_use]
pub fn span(span: Millis) -> String {
    let units = [("h", 3_600_000), ("min", 60_000), ("s", 1000)];
    let whole = units.into_iter().find(|(_, length)| span.0 > 0 && span.0.is_multiple_of(*length));
    whole.map_or_else(|| format!("{} ms", span.0), |(unit, length)| format!("{} {unit}", span.0 / length))
}

impl SessionLimits {
    /// What a session may use, one limit each: `3 GiB of memory`. How much output is kept, and how long a session lives alone, are not
    /// among them: nothing runs into those.
    #[must_use]
    pub fn told(&self) -> Vec<String> {
        let cpu = |millis: u32| match (millis / 1000, millis % 1000) {
            (whole, 0) => format!("{whole} processors"),
            (whole, part) => format!("{} processors", format!("{whole}.{part:03}").trim_end_matches('0')),
        };
        [
            self.total.map(|most| format!("{} in all", span(most))),
            self.idle.map(|most| format!("{} without input or output", span(most))),
            self.memory.map(|most| format!("{} of memory", bytes(most))),
            self.processes.map(|most| format!("{most} processes")),
            self.cpu_millis.map(cpu),
            self.cpu_time.map(|most| format!("{} of processor time", span(most))),
            self.written.map(|most| format!("{} written to disk", bytes(most))),
            self.file_bytes.map(|most| format!("files of {}", bytes(most))),
            self.output.map(|most| format!("{} of output", bytes(most))),
            self.open_files.map(|most| format!("{most} open files")),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

impl SessionLimit {
    /// The limit's value, as a session's proof has it among `limits`: entries `name=value`, perhaps with a mechanism behind, with the
    /// names of [`SessionLimits`]. `None` when it is not there.
    #[must_use]
    pub fn value_in(self, limits: &[String]) -> Option<String> {
        let number = self.number_in(limits)?;
        Some(match self {
            Self::Total | Self::Idle | Self::Ownerless | Self::CpuTime => span(Millis(number)),
            Self::Memory | Self::Written | Self::FileSize | Self::Output => bytes(number),
            Self::Processes => number.to_string(),
        })
    }

    /// The same as a number: of milliseconds, of bytes, or of processes.
    #[must_use]
    pub fn number_in(self, limits: &[String]) -> Option<u64> {
        let name = match self {
            Self::Total => "total",
            Self::Idle => "idle",
            Self::Ownerless => "ownerless",
            Self::Memory => "memory",
            Self::Processes => "processes",
            Self::CpuTime => "cpu_time",
            Self::Written => "written",
            Self::FileSize => "file_bytes",
            Self::Output => "output",
        };
        let value = limits.iter().find_map(|entry| entry.strip_prefix(name)?.strip_prefix('='))?;
        let value = value.split_once(' ').map_or(value, |(value, _mechanism)| value);
        value.trim_end_matches("ms").parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_told_in_units_that_people_use() {
        assert_eq!(SessionLimits::default().told(), ["3 GiB of memory", "1024 processes", "files of 4 GiB", "16384 open files"]);
        let limits = SessionLimits {
            total: Some(Millis(7_200_000)),
            idle: Some(Millis(90_000)),
            cpu_millis: Some(1500),
            cpu_time: Some(Millis(1500)),
            memory: Some(1000),
            ..SessionLimits::WIDEST
        };
        let told =
            ["2 h in all", "90 s without input or output", "1000 B of memory", "1.5 processors", "1500 ms of processor time"];
        assert_eq!(limits.told(), told);
        assert_eq!((bytes(0), span(Millis(0))), ("0 B".to_owned(), "0 ms".to_owned()));
    }

    #[test]
    fn a_limits_value_is_found_in_the_proof() {
        let proof =
            ["memory=3221225472 (cgroup-v2)", "processes=64", "total=90000ms (holder)", "file_bytes=x"].map(str::to_owned);
        assert_eq!(SessionLimit::Memory.value_in(&proof).as_deref(), Some("3 GiB"));
        assert_eq!(SessionLimit::Processes.value_in(&proof).as_deref(), Some("64"));
        assert_eq!(SessionLimit::Total.value_in(&proof).as_deref(), Some("90 s"));
        assert_eq!((SessionLimit::FileSize.value_in(&proof), SessionLimit::Output.value_in(&proof)), (None, None));
    }
}
