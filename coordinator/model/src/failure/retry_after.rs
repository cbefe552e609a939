//! Reads for how long a provider asks to be left alone: from its headers, or from its words.

use std::time::{Duration, SystemTime};

/// The wait that headers ask for: `retry-after-ms`, else `retry-after` as seconds or as a date seen from `now`.
///
/// A wait that is not a number, or lies in the past, is no wait at all.
pub(crate) fn from_headers<'a>(header: impl Fn(&str) -> Option<&'a str>, now: SystemTime) -> Option<Duration> {
    let exact = header("retry-after-ms").and_then(|text| amount(text, 0.001));
    exact.or_else(|| {
        let text = header("retry-after")?.trim();
        amount(text, 1.0).or_else(|| httpdate::parse_http_date(text).ok()?.duration_since(now).ok())
    })
}

/// The wait that a message asks for, as OpenAI words it: `Please try again in 1.898s`.
pub(crate) fn from_message(message: &str) -> Option<Duration> {
    let (_, rest) = message.split_once("try again in ")?;
    let end = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.')?;
    let (number, unit) = rest.split_at_checked(end)?;
    let unit: String = unit.trim_start().chars().take_while(char::is_ascii_alphabetic).collect();
    match unit.as_str() {
        "ms" => amount(number, 0.001),
        "s" | "seconds" | "second" => amount(number, 1.0),
        _ => None,
    }
}

fn amount(text: &str, unit_in_seconds: f64) -> Option<Duration> {
    let number: f64 = text.trim().parse().ok()?;
    Duration::try_from_secs_f64(number * unit_in_seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(name: &'static str, value: &'static str) -> Option<Duration> {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777); // Sun, 06 Nov 1994 08:49:37 GMT
        from_headers(|wanted| (wanted == name).then_some(value), now)
    }

    #[test]
    fn seconds_milliseconds_and_dates_are_understood() {
        assert_eq!(read("retry-after", "7"), Some(Duration::from_secs(7)));
        assert_eq!(read("retry-after", " 0.5 "), Some(Duration::from_millis(500)));
        assert_eq!(read("retry-after-ms", "1500"), Some(Duration::from_millis(1500)));
        assert_eq!(read("retry-after", "Sun, 06 Nov 1994 08:50:37 GMT"), Some(Duration::from_secs(60)));
    }

    #[test]
    fn nonsense_and_the_past_are_no_wait() {
        for value in ["", "soon", "-1", "NaN", "inf", "1e300", "Sun, 06 Nov 1994 08:48:37 GMT"] {
            assert_eq!(read("retry-after", value), None, "{value}");
        }
    }

    #[test]
    fn a_message_may_name_the_wait() {
        let limit = "Rate limit reached for gpt-5 on tokens per min. Please try again in 1.898s. Visit the site.";
        assert_eq!(from_message(limit), Some(Duration::from_millis(1898)));
        assert_eq!(from_message("try again in 20ms"), Some(Duration::from_millis(20)));
        assert_eq!(from_message("try again in 3 seconds"), Some(Duration::from_secs(3)));
        assert_eq!(from_message("try again in a while"), None);
        assert_eq!(from_message("try again in 3"), None);
    }

    proptest! {
        #[test]
        fn no_text_is_too_strange(text in ".{0,60}", name in ".{0,60}") {
            let _ = from_headers(|_| Some(text.as_str()), SystemTime::UNIX_EPOCH);
            let _ = from_message(&format!("try again in {text}{name}"));
        }
    }
}
