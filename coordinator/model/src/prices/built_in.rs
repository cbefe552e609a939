//! The prices that are known without configuration: few, of models that keep theirs.

use capstan_types::money::{MicroDollars, Price};

/// When these prices were looked up.
pub const AS_OF: &str = "2025-11";

/// Input, cached input, writes into the cache, output: in thousandths of a US dollar for a million tokens.
type Row = (&'static str, [u64; 4]);

const ROWS: [Row; 27] = [
    ("gpt-5", [1_250, 125, 1_250, 10_000]),
    ("gpt-5-codex", [1_250, 125, 1_250, 10_000]),
    ("gpt-5.1", [1_250, 125, 1_250, 10_000]),
    ("gpt-5.1-codex", [1_250, 125, 1_250, 10_000]),
    ("gpt-5.1-codex-max", [1_250, 125, 1_250, 10_000]),
    ("gpt-5.1-codex-mini", [250, 25, 250, 2_000]),
    ("gpt-5-mini", [250, 25, 250, 2_000]),
    ("gpt-5-nano", [50, 5, 50, 400]),
    ("gpt-4.1", [2_000, 500, 2_000, 8_000]),
    ("gpt-4.1-mini", [400, 100, 400, 1_600]),
    ("gpt-4.1-nano", [100, 25, 100, 400]),
    ("gpt-4o", [2_500, 1_250, 2_500, 10_000]),
    ("gpt-4o-mini", [150, 75, 150, 600]),
    ("o3", [2_000, 500, 2_000, 8_000]),
    ("o4-mini", [1_100, 275, 1_100, 4_400]),
    ("claude-opus-4-5", [5_000, 500, 6_250, 25_000]),
    ("claude-opus-4-1", [15_000, 1_500, 18_750, 75_000]),
    ("claude-opus-4", [15_000, 1_500, 18_750, 75_000]),
    ("claude-opus-4-0", [15_000, 1_500, 18_750, 75_000]),
    ("claude-sonnet-4-5", [3_000, 300, 3_750, 15_000]),
    ("claude-sonnet-4", [3_000, 300, 3_750, 15_000]),
    ("claude-sonnet-4-0", [3_000, 300, 3_750, 15_000]),
    ("claude-haiku-4-5", [1_000, 100, 1_250, 5_000]),
    ("claude-3-5-haiku", [800, 80, 1_000, 4_000]),
    ("gemini-2.5-pro", [1_250, 125, 1_250, 10_000]),
    ("gemini-2.5-flash", [300, 30, 300, 2_500]),
    ("gemini-2.5-flash-lite", [100, 10, 100, 400]),
];

/// The price of a model by its exact name, with or without the date of a version behind it. A name that only begins alike is another
/// model, and most often has another price.
pub(super) fn price(model: &str) -> Option<Price> {
    let name = undated(model);
    let (_, row) = ROWS.iter().find(|(known, _)| *known == name)?;
    let [input, cached_input, cache_write, output] = row.map(|thousandths| MicroDollars(thousandths * 1000));
    Some(Price { input, cached_input, cache_write, output })
}

/// Without `-2025-08-07`, `-20250929` or `-latest`.
fn undated(model: &str) -> &str {
    let date = |text: &str, form: &[usize]| {
        let parts: Vec<&str> = text.split('-').collect();
        parts.len() == form.len()
            && parts
                .iter()
                .zip(form)
                .all(|(part, length)| part.len() == *length && part.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let before = |length: usize, form: &[usize]| {
        let (name, end) = model.split_at_checked(model.len().checked_sub(length)?)?;
        let end = end.strip_prefix('-')?;
        date(end, form).then_some(name)
    };
    model.strip_suffix("-latest").or_else(|| before(11, &[4, 2, 2])).or_else(|| before(9, &[8])).unwrap_or(model)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    #[test]
    fn a_dated_name_has_the_price_of_its_model_and_a_longer_one_has_not() {
        assert_eq!(price("gpt-5-2025-08-07"), price("gpt-5"));
        assert_eq!(price("claude-sonnet-4-5-20250929"), price("claude-sonnet-4-5"));
        assert_ne!(price("claude-opus-4-5"), price("claude-opus-4-1"));
        for other in ["gpt-5.5", "gpt-5-pro", "gpt-5-2025", "gpt-55", "claude", "", "openai/gpt-5", "claude-opus-4-7"] {
            assert_eq!(price(other), None, "{other}");
        }
    }

    #[test]
    fn each_model_is_there_once_and_costs_more_to_write_than_to_read() {
        let names: HashSet<&str> = ROWS.iter().map(|(name, _)| *name).collect();
        assert_eq!(names.len(), ROWS.len());
        for (name, [input, cached, write, output]) in ROWS {
            assert!(cached < input && input <= write && input < output, "{name}");
        }
    }

    proptest! {
        #[test]
        fn no_name_is_too_strange(name in ".{0,30}") {
            let _ = price(&name);
        }
    }
}
