//! Moments as people and programs read them.

use capstan_types::time::UnixMillis;
use time::OffsetDateTime;

/// A moment in UTC, as `2026-11-23T02:08:32Z`.
#[must_use]
pub fn utc(at: UnixMillis) -> String {
    let seconds = i64::try_from(at.0 / 1000).unwrap_or(i64::MAX);
    let at = OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let (date, time) = (at.date(), at.time());
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
        date.year(),
        u8::from(date.month()),
        date.day(),
        time.hour(),
        time.minute(),
        time.second()
    )
}

/// How long ago: its largest unit.
#[must_use]
pub fn age(now: UnixMillis, at: UnixMillis) -> String {
    let seconds = now.0.saturating_sub(at.0) / 1000;
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m", seconds / 60),
        3600..86_400 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// The moment now.
#[must_use]
pub fn now() -> UnixMillis {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    UnixMillis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_told_in_utc_and_ages_in_their_largest_unit() {
        assert_eq!(utc(UnixMillis(1_795_399_712_999)), "2026-11-23T02:08:32Z");
        assert_eq!(utc(UnixMillis(u64::MAX)), "1970-01-01T00:00:00Z");
        let ages = [0, 59, 61, 3_700, 90_000].map(|seconds| age(UnixMillis(seconds * 1000), UnixMillis(0)));
        assert_eq!(ages, ["0s", "59s", "1m", "1h", "1d"]);
    }
}
