//! What a provider says of its quotas: how much is left, and when they are full again.

use std::time::{Duration, SystemTime};

/// The longest time in which a quota is believed to fill up; who names a longer one is asked again before that.
const LONGEST_RESET: Duration = Duration::from_secs(120);

/// One quota, as it was when the provider spoke of it. It fills up evenly where its size is known, and at once otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Quota {
    left: u64,
    size: Option<u64>,
    heard: Duration,
    full: Duration,
}

impl Quota {
    /// What is left at this moment; `None` once it is full, and so no longer known.
    fn left(&self, now: Duration) -> Option<u64> {
        if now >= self.full {
            return None;
        }
        let refilled = self.size.map_or(0, |size| {
            let missing = u128::from(size.saturating_sub(self.left));
            let passed = now.saturating_sub(self.heard).as_micros();
            let whole = self.full.saturating_sub(self.heard).as_micros().max(1);
            u64::try_from(missing * passed / whole).unwrap_or(u64::MAX)
        });
        Some(self.left.saturating_add(refilled))
    }

    /// When it holds so much; more than it ever holds is let through when it is full.
    fn holds(&self, now: Duration, wanted: u64) -> Duration {
        if self.left(now).is_none_or(|left| left >= wanted) {
            return now;
        }
        let Some(size) = self.size.filter(|size| *size > self.left && wanted < *size) else { return self.full };
        let whole = self.full.saturating_sub(self.heard).as_micros();
        let share = whole * u128::from(wanted - self.left.min(wanted)) / u128::from(size - self.left);
        // Rounded up, or it would be asked for a moment too early again and again.
        self.heard
            .saturating_add(Duration::from_micros(u64::try_from(share).unwrap_or(u64::MAX).saturating_add(1)))
            .min(self.full)
    }
}

/// What is known of requests and tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Quotas {
    requests: Option<Quota>,
    tokens: Option<Quota>,
}

impl Quotas {
    /// Reads them from headers, in OpenAI's or in Anthropic's form. What is missing or makes no sense is not known. Moments in it count
    /// from the time of the headers until they are heard.
    pub(crate) fn from_headers<'a>(header: impl Fn(&str) -> Option<&'a str>, clock: SystemTime) -> Self {
        let quota = |kind: &str| {
            let openai = |what: &str| header(&format!("x-ratelimit-{what}-{kind}"));
            let anthropic = |what: &str| header(&format!("anthropic-ratelimit-{kind}-{what}"));
            let number = |text: Option<&str>| text.and_then(|text| text.trim().parse::<u64>().ok());
            let left = number(openai("remaining").or_else(|| anthropic("remaining")))?;
            let size = number(openai("limit").or_else(|| anthropic("limit")));
            let reset = openai("reset").and_then(span).or_else(|| moment(anthropic("reset")?)?.duration_since(clock).ok())?;
            Some(Quota { left, size, heard: Duration::ZERO, full: reset.min(LONGEST_RESET) })
        };
        Self { requests: quota("requests"), tokens: quota("tokens") }
    }

    /// When a request of about so many tokens fits in.
    pub(super) fn opening(&self, now: Duration, tokens: u64) -> Duration {
        let requests = self.requests.map_or(now, |quota| quota.holds(now, 1));
        let tokens = self.tokens.map_or(now, |quota| quota.holds(now, tokens));
        requests.max(tokens)
    }

    /// Counts a request in before the provider tells of it.
    pub(super) fn take(&mut self, tokens: u64) {
        for (quota, wanted) in [(&mut self.requests, 1), (&mut self.tokens, tokens)] {
            if let Some(quota) = quota {
                quota.left = quota.left.saturating_sub(wanted);
            }
        }
    }

    /// What is said now replaces what was said before.
    pub(super) fn hear(&mut self, said: Self, now: Duration) {
        let since = |quota: Quota| Quota { heard: now, full: now.saturating_add(quota.full), ..quota };
        self.requests = said.requests.map(since).or(self.requests);
        self.tokens = said.tokens.map(since).or(self.tokens);
    }
}

/// A span as OpenAI writes it: `20ms`, `1s`, `6m0s`, `1h2m3.5s`; or a bare number of seconds.
fn span(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    let mut total = Duration::ZERO;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let end = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(rest.len());
        let (number, after) = rest.split_at_checked(end)?;
        let unit_end = after.find(|letter: char| !letter.is_ascii_alphabetic()).unwrap_or(after.len());
        let (unit, next) = after.split_at_checked(unit_end)?;
        let seconds = match unit {
            "ms" => 0.001,
            "s" | "" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return None,
        };
        let number: f64 = number.parse().ok()?;
        total = total.checked_add(Duration::try_from_secs_f64(number * seconds).ok()?)?;
        rest = next;
    }
    Some(total)
}

/// A moment as Anthropic writes it, in RFC 3339 and UTC: `2026-01-02T03:04:05Z`.
fn moment(text: &str) -> Option<SystemTime> {
    let text = text.trim().strip_suffix('Z')?;
    let (date, time) = text.split_once('T')?;
    let numbers = |text: &str, between: char| -> Option<[u64; 3]> {
        let parts: Vec<u64> = text.split(between).map(|part| part.split('.').next()?.parse().ok()).collect::<Option<_>>()?;
        parts.try_into().ok()
    };
    let ([year, month, day], [hour, minute, second]) = (numbers(date, '-')?, numbers(time, ':')?);
    if !(1970..=9999).contains(&year)
        || !(1..=12).contains(&month)
        || !(1..=31).contains(&day)
        || hour > 23
        || minute > 59
        || second > 60
    {
        return None;
    }
    // Days of the civil calendar, its years counted from March.
    let (shifted, place) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * shifted + shifted / 4 - shifted / 100 + shifted / 400 + (153 * place + 2) / 5 + day - 1;
    let since = Duration::from_secs((days - 719_468) * 86_400 + hour * 3600 + minute * 60 + second);
    SystemTime::UNIX_EPOCH.checked_add(since)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(headers: &[(&str, &str)]) -> Quotas {
        let clock = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777); // 1994-11-06T08:49:37Z
        Quotas::from_headers(|name| headers.iter().find(|(known, _)| *known == name).map(|(_, value)| *value), clock)
    }

    #[test]
    fn both_forms_are_read() {
        let openai = read(&[
            ("x-ratelimit-limit-requests", "60"),
            ("x-ratelimit-remaining-requests", "0"),
            ("x-ratelimit-reset-requests", "1m0s"),
        ]);
        let anthropic = read(&[
            ("anthropic-ratelimit-requests-limit", "60"),
            ("anthropic-ratelimit-requests-remaining", "0"),
            ("anthropic-ratelimit-requests-reset", "1994-11-06T08:50:37Z"),
        ]);
        let expected = Quota { left: 0, size: Some(60), heard: Duration::ZERO, full: Duration::from_secs(60) };
        assert_eq!(openai, Quotas { requests: Some(expected), tokens: None });
        assert_eq!(anthropic, openai);
    }

    #[test]
    fn spans_are_read_in_all_units() {
        assert_eq!(span("1h2m3.5s"), Some(Duration::from_millis(3_723_500)));
        assert_eq!(span("20ms"), Some(Duration::from_millis(20)));
        assert_eq!(span("7"), Some(Duration::from_secs(7)));
        assert_eq!([span(""), span("soon"), span("1x"), span("-1s")], [None; 4]);
    }

    #[test]
    fn an_empty_quota_is_waited_for_until_it_holds_enough() {
        let quotas = read(&[
            ("x-ratelimit-limit-tokens", "6000"),
            ("x-ratelimit-remaining-tokens", "0"),
            ("x-ratelimit-reset-tokens", "60s"),
        ]);
        let at = quotas.opening(Duration::ZERO, 1000);
        assert!(at >= Duration::from_secs(10) && at < Duration::from_millis(10_001), "{at:?}");
        assert_eq!(quotas.opening(at, 1000), at);
        assert_eq!(quotas.opening(Duration::ZERO, 9000), Duration::from_secs(60));
        assert_eq!(quotas.opening(Duration::from_secs(60), 9000), Duration::from_secs(60));
    }

    proptest! {
        #[test]
        fn waiting_for_a_quota_ends(left in 0..5000_u64, size in proptest::option::of(0..5000_u64), reset in 1..200_000_u64, wanted in 0..9000_u64, at in 0..300_000_u64) {
            let mut quotas = Quotas { tokens: Some(Quota { left, size, heard: Duration::ZERO, full: Duration::from_millis(reset) }), requests: None };
            quotas.take(wanted / 2);
            let opens = quotas.opening(Duration::from_millis(at), wanted);
            prop_assert!(opens <= Duration::from_millis(at.max(reset)));
            prop_assert_eq!(quotas.opening(opens, wanted), opens);
        }

        #[test]
        fn no_text_is_too_strange(text in ".{0,40}") {
            let _ = (span(&text), moment(&text), moment(&format!("{text}-01-01T00:00:00Z")));
            let _ = read(&[("x-ratelimit-remaining-requests", "0"), ("anthropic-ratelimit-requests-reset", &text)]);
        }
    }
}
