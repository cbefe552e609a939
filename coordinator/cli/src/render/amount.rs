//! Times and counts as people read them.

use super::text;
use capstan_types::history::Usage;
use capstan_types::money::Bill;
use capstan_types::time::Millis;

/// A span of time: `420 ms`, `1.2 s`, `2 min 5 s`, `1 h 2 min`.
#[must_use]
pub fn span(span: Millis) -> String {
    let seconds = span.0 / 1000;
    match span.0 {
        0..1000 => format!("{} ms", span.0),
        1000..60_000 => format!("{}.{} s", seconds, span.0 % 1000 / 100),
        60_000..3_600_000 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// A count with a comma between thousands.
#[must_use]
pub fn count(count: u64) -> String {
    let digits = count.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// An amount of bytes in its largest unit: `512 B`, `1.5 GiB`.
#[must_use]
pub fn bytes(bytes: u64) -> String {
    let units = [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)];
    match units.into_iter().find(|(_, bits)| bytes >> bits > 0) {
        Some((unit, bits)) => {
            let (whole, tenth) = (bytes >> bits, ((bytes % (1 << bits)) * 10) >> bits);
            if tenth == 0 { format!("{whole} {unit}") } else { format!("{whole}.{tenth} {unit}") }
        }
        None => format!("{bytes} B"),
    }
}

/// The tokens that a thread has used.
#[must_use]
pub fn tokens(usage: &Usage) -> String {
    let part = |amount: u64, what: &str| if amount == 0 { String::new() } else { format!(" ({} {what})", count(amount)) };
    format!(
        "{} tokens in{}, {} out{}",
        count(usage.input_tokens),
        part(usage.cached_input_tokens, "cached"),
        count(usage.output_tokens),
        part(usage.reasoning_output_tokens, "reasoning"),
    )
}

/// What was paid: `$0.0123`, or `$0.01, and no price is known for x`. `None` where nothing is paid.
#[must_use]
pub fn cost(bill: &Bill) -> Option<String> {
    let (known, unpriced) = (bill.cost(), text::line(&bill.unpriced().join(", ")));
    match (known.0, unpriced.is_empty()) {
        (0, true) => None,
        (_, true) => Some(format!("${known}")),
        (0, false) => Some(format!("no price is known for {unpriced}")),
        (_, false) => Some(format!("${known}, and no price is known for {unpriced}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_paid_is_shown_and_what_is_not_known_is_said() {
        use capstan_types::money::{MicroDollars, Spent};
        let spent = |model: &str, cost: Option<u64>| Spent {
            provider: "p".into(),
            model: model.into(),
            answers: 1,
            usage: Usage::default(),
            cost: cost.map(MicroDollars),
        };
        let shown = |lines: &[Spent]| cost(&Bill(lines.to_vec()));
        assert_eq!(shown(&[]), None);
        assert_eq!(shown(&[spent("free", Some(0))]), None);
        assert_eq!(shown(&[spent("a", Some(12_300)), spent("b", Some(7))]).unwrap(), "$0.012307");
        assert_eq!(shown(&[spent("new", None)]).unwrap(), "no price is known for new");
        assert_eq!(shown(&[spent("a", Some(5_000)), spent("new", None)]).unwrap(), "$0.005, and no price is known for new");
    }

    #[test]
    fn spans_are_read_at_a_glance() {
        let shown = [0, 999, 1000, 61_900, 3_599_999, 7_320_000].map(|ms| span(Millis(ms)));
        assert_eq!(shown, ["0 ms", "999 ms", "1.0 s", "1 min 1 s", "59 min 59 s", "2 h 2 min"]);
    }

    #[test]
    fn counts_have_commas() {
        assert_eq!([0, 999, 1000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn tokens_leave_out_what_there_is_none_of() {
        let usage = Usage { input_tokens: 1200, cached_input_tokens: 1000, output_tokens: 7, ..Usage::default() };
        assert_eq!(tokens(&usage), "1,200 tokens in (1,000 cached), 7 out");
    }
}
