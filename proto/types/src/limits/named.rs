//! Limits as people write them: a name, and a value with its unit.

use crate::limits::{LimitError, SessionLimits};
use crate::time::Millis;

/// A limit that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NamedLimitError {
    /// There is no such limit.
    #[error("`{name}` is not a limit; there are {}", SessionLimits::NAMES.join(", "))]
    Name {
        /// What was given.
        name: String,
    },
    /// The value does not have the form of its limit.
    #[error("`{name}` is `{value}`; write {form}, or none")]
    Value {
        /// The limit.
        name: String,
        /// What was given.
        value: String,
        /// What was expected.
        form: &'static str,
    },
    /// A name and a value are not told apart.
    #[error("`{text}` is not a limit; write NAME=VALUE, such as memory=2GiB")]
    Form {
        /// What was given.
        text: String,
    },
    /// The value is out of its range.
    #[error(transparent)]
    Range(#[from] LimitError),
}

/// Shorter names for the command line.
const SHORT: [(&str, &str); 3] = [("cpus", "cpu"), ("disk", "disk_written"), ("time", "total_time")];

const SIZE: &str = "a number of bytes, or a size such as 512MiB or 3GiB";
const SPAN: &str = "a time with its unit, such as 500ms, 90s, 15m or 2h";
const COUNT: &str = "a whole number";
const SHARE: &str = "a number of processors, such as 1.5";

impl SessionLimits {
    /// The names of the limits that can be set.
    pub const NAMES: [&'static str; 11] = [
        "memory",
        "processes",
        "cpu",
        "cpu_time",
        "disk_written",
        "open_files",
        "file_size",
        "output",
        "total_time",
        "idle_time",
        "keep_all",
    ];

    /// These limits with one set; `none` takes it away.
    ///
    /// # Errors
    /// A name that is none, or a value that cannot be read or is out of range.
    pub fn with(mut self, name: &str, value: &str) -> Result<Self, NamedLimitError> {
        let value = value.trim();
        let (form, read) = match name {
            "memory" => (SIZE, set(&mut self.memory, value, size)),
            "disk_written" => (SIZE, set(&mut self.written, value, size)),
            "file_size" => (SIZE, set(&mut self.file_bytes, value, size)),
            "output" => (SIZE, set(&mut self.output, value, size)),
            "processes" => (COUNT, set(&mut self.processes, value, |text| text.parse().ok())),
            "open_files" => (COUNT, set(&mut self.open_files, value, |text| text.parse().ok())),
            "cpu" => (SHARE, set(&mut self.cpu_millis, value, share)),
            "cpu_time" => (SPAN, set(&mut self.cpu_time, value, span)),
            "total_time" => (SPAN, set(&mut self.total, value, span)),
            "idle_time" => (SPAN, set(&mut self.idle, value, span)),
            "keep_all" => (SIZE, set(&mut self.keep_all, value, size)),
            other => return Err(NamedLimitError::Name { name: other.to_owned() }),
        };
        if read.is_none() {
            return Err(NamedLimitError::Value { name: name.to_owned(), value: value.to_owned(), form });
        }
        Ok(self.checked()?)
    }

    /// These limits with one set as on a command line: `NAME=VALUE`, where the name may have dashes, or be `cpus`, `disk` or `time`.
    ///
    /// # Errors
    /// As [`SessionLimits::with`], and a text without `=`.
    pub fn with_flag(self, text: &str) -> Result<Self, NamedLimitError> {
        let (name, value) = text.split_once('=').ok_or_else(|| NamedLimitError::Form { text: text.to_owned() })?;
        let name = name.replace('-', "_");
        let full = SHORT.iter().find(|(short, _)| *short == name).map_or(name.as_str(), |(_, full)| full);
        self.with(full, value)
    }
}

fn set<T>(limit: &mut Option<T>, value: &str, read: impl Fn(&str) -> Option<T>) -> Option<()> {
    *limit = if value == "none" { None } else { Some(read(value)?) };
    Some(())
}

/// The number at the beginning, and the unit behind it.
fn parts(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(end)?;
    Some((number.parse().ok()?, unit.trim_start()))
}

/// A number of bytes: plain, or with one of the units B, KiB, MiB, GiB and TiB. `None` for anything else.
#[must_use]
pub fn size(text: &str) -> Option<u64> {
    let (number, unit) = parts(text)?;
    let shift = match unit {
        "" | "B" => 0,
        "K" | "KiB" => 10,
        "M" | "MiB" => 20,
        "G" | "GiB" => 30,
        "T" | "TiB" => 40,
        _ => return None,
    };
    number.checked_mul(1 << shift)
}

fn span(text: &str) -> Option<Millis> {
    let (number, unit) = parts(text)?;
    let length = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    number.checked_mul(length).map(Millis)
}

/// Thousandths of one processor.
fn share(text: &str) -> Option<u32> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = part.len() <= 3 && part.bytes().all(|byte| byte.is_ascii_digit());
    let thousandths: u32 = format!("{part:0<3}").parse().ok().filter(|_| digits)?;
    whole.parse::<u32>().ok()?.checked_mul(1000)?.checked_add(thousandths)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: &str, value: &str) -> Result<SessionLimits, String> {
        SessionLimits::default().with(name, value).map_err(|error| error.to_string())
    }

    #[test]
    fn every_limit_is_set_by_its_name() {
        let values = ["512MiB", "64", "1.5", "90s", "2G", "256", "1048576", "10 KiB", "2h", "500ms", "1G"];
        let set = SessionLimits::NAMES.into_iter().zip(values);
        let limits = set.fold(SessionLimits::default(), |limits, (name, value)| limits.with(name, value).unwrap());
        let expected = SessionLimits {
            memory: Some(512 << 20),
            processes: Some(64),
            cpu_millis: Some(1500),
            cpu_time: Some(Millis(90_000)),
            written: Some(2 << 30),
            open_files: Some(256),
            file_bytes: Some(1 << 20),
            output: Some(10 << 10),
            total: Some(Millis(7_200_000)),
            idle: Some(Millis(500)),
            keep_all: Some(1 << 30),
            ..SessionLimits::default()
        };
        assert_eq!(limits, expected);
        assert_eq!(with("memory", "none").unwrap().memory, None);
    }

    #[test]
    fn on_a_command_line_names_may_be_short_or_have_dashes() {
        let all =
            |flags: &[&str]| flags.iter().try_fold(SessionLimits::default(), |limits, flag| limits.with_flag(flag)).unwrap();
        let short = all(&["cpus=1.5", "cpu-time=90s", "time=2m", "disk=1G", "file-size=10MiB", "processes=none"]);
        let full = all(&["cpu=1.5", "cpu_time=90s", "total_time=2m", "disk_written=1G", "file_size=10MiB", "processes=none"]);
        assert_eq!(short, full);
        assert_eq!((short.cpu_millis, short.processes), (Some(1500), None));
        assert!(SessionLimits::default().with_flag("memory").unwrap_err().to_string().contains("write NAME=VALUE"));
    }

    #[test]
    fn what_is_no_limit_is_told_with_what_would_be() {
        assert!(with("ram", "1").unwrap_err().starts_with("`ram` is not a limit; there are memory, processes"));
        for (name, value, said) in [
            ("memory", "lots", "`memory` is `lots`; write a number of bytes"),
            ("memory", "3GB", "`memory` is `3GB`; write"),
            ("memory", "99999999999T", "`memory` is"),
            ("memory", "1", "the memory limit (bytes) is 1; it must be from 4194304"),
            ("total_time", "90", "`total_time` is `90`; write a time with its unit"),
            ("total_time", "0s", "the total time limit (ms) is 0"),
            ("cpu", "1.2345", "`cpu` is"),
            ("cpu", "-1", "`cpu` is"),
            ("cpu", "0.001", "the processor share"),
            ("processes", "", "`processes` is ``; write a whole number, or none"),
            ("processes", "-5", "`processes` is"),
        ] {
            let error = with(name, value).unwrap_err();
            assert!(error.starts_with(said), "{error}");
        }
    }
}
