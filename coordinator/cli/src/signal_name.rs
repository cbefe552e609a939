//! Signals by their names.

use crate::failure::Failure;

/// The names, each at its number on Linux, from 1.
const NAMES: [&str; 31] = [
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM", "TERM", "STKFLT",
    "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
];

/// The largest number of a signal.
const MOST: i32 = 64;

/// A signal as people know it: `SIGTERM`, or its number where it has no name.
#[must_use]
pub fn name(number: i32) -> String {
    let place = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
    place.and_then(|place| NAMES.get(place)).map_or_else(|| format!("signal {number}"), |name| format!("SIG{name}"))
}

/// The number of `TERM`, `SIGTERM`, `term` or `15`.
///
/// # Errors
/// There is no such signal.
pub fn number(text: &str) -> Result<i32, Failure> {
    let upper = text.to_ascii_uppercase();
    let short = upper.strip_prefix("SIG").unwrap_or(&upper);
    let by_name = NAMES.iter().position(|name| *name == short).and_then(|place| i32::try_from(place + 1).ok());
    let by_number = || text.parse().ok().filter(|number| (1..=MOST).contains(number));
    by_name.or_else(by_number).ok_or_else(|| {
        Failure::bad_input(format!("there is no signal `{text}`"))
            .hint("name one as TERM, INT or KILL, or give a number from 1 to 64")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_agree() {
        for (text, expected) in [("TERM", 15), ("sigint", 2), ("9", 9), ("SIGSYS", 31), ("34", 34)] {
            assert_eq!(number(text), Ok(expected), "{text}");
        }
        assert_eq!((name(9), name(40)), ("SIGKILL".into(), "signal 40".into()));
        for bad in ["", "0", "65", "SIG", "NONE", "-1"] {
            assert_eq!(number(bad).unwrap_err().exit.code(), 2, "{bad}");
        }
    }
}
