//! Amounts are exact, whatever is added to what.

use super::*;
use proptest::prelude::*;

fn spent(model: &str, output_tokens: u64, cost: Option<u64>) -> Spent {
    Spent {
        provider: "p".to_owned(),
        model: model.to_owned(),
        answers: 1,
        usage: Usage { output_tokens, ..Usage::default() },
        cost: cost.map(MicroDollars),
    }
}

#[test]
fn an_amount_is_read_and_shown_to_the_last_digit() {
    for (text, micros, shown) in [
        ("0.50", 500_000, "0.50"),
        ("3", 3_000_000, "3.00"),
        (".000001", 1, "0.000001"),
        ("1.25", 1_250_000, "1.25"),
        ("0.1234", 123_400, "0.1234"),
    ] {
        assert_eq!(text.parse(), Ok(MicroDollars(micros)), "{text}");
        assert_eq!(MicroDollars(micros).to_string(), shown);
    }
    for text in ["", ".", "-1", "1e3", "0.0000001", "1,5", " 1", "18446744073710", "+1"] {
        assert!(text.parse::<MicroDollars>().is_err(), "{text}");
    }
}

#[test]
fn each_kind_of_token_has_its_price() {
    let price = Price {
        input: MicroDollars(1_250_000),
        cached_input: MicroDollars(125_000),
        cache_write: MicroDollars(2_000_000),
        output: MicroDollars(10_000_000),
    };
    let usage = Usage {
        input_tokens: 1_000,
        cached_input_tokens: 400,
        cache_write_input_tokens: 100,
        output_tokens: 10,
        reasoning_output_tokens: 3,
    };
    // 500 × 1.25 + 400 × 0.125 + 100 × 2 + 10 × 10
    assert_eq!(price.of(&usage), MicroDollars(975));
}

#[test]
fn a_bill_keeps_models_apart_and_says_which_has_no_price() {
    let mut bill = Bill::default();
    for spent in [spent("a", 1, Some(5)), spent("b", 2, None), spent("a", 3, Some(7)), spent("b", 4, None)] {
        bill.add(&spent);
    }
    assert_eq!(bill.0.iter().map(|line| (line.answers, line.usage.output_tokens)).collect::<Vec<_>>(), [(2, 4), (2, 6)]);
    assert_eq!((bill.cost(), bill.unpriced(), bill.answers()), (MicroDollars(12), vec!["b"], 4));
}

proptest! {
    #[test]
    fn what_is_shown_is_read_again(micros: u64) {
        prop_assert_eq!(MicroDollars(micros).to_string().parse(), Ok(MicroDollars(micros)));
    }

    #[test]
    fn no_text_is_too_strange(text in ".{0,30}") {
        let _ = text.parse::<MicroDollars>();
    }

    #[test]
    fn no_numbers_are_too_large(tokens: [u64; 5], price: [u64; 4]) {
        let usage = Usage { input_tokens: tokens[0], cached_input_tokens: tokens[1], cache_write_input_tokens: tokens[2], output_tokens: tokens[3], reasoning_output_tokens: tokens[4] };
        let [input, cached_input, cache_write, output] = price.map(MicroDollars);
        let _ = Price { input, cached_input, cache_write, output }.of(&usage);
    }

    #[test]
    fn a_bill_adds_up_in_any_order_and_has_few_lines(spendings in proptest::collection::vec((0..200_u32, 0..1000_u64, proptest::option::of(0..1000_u64)), 0..300)) {
        let mut bill = Bill::default();
        for (model, tokens, cost) in &spendings {
            bill.add(&spent(&model.to_string(), *tokens, *cost));
        }
        prop_assert!(bill.0.len() <= Bill::MOST_LINES);
        prop_assert_eq!(bill.usage().output_tokens, spendings.iter().map(|(_, tokens, _)| tokens).sum::<u64>());
        prop_assert_eq!(bill.cost().0, spendings.iter().filter_map(|(_, _, cost)| *cost).sum::<u64>());
        prop_assert_eq!(bill.answers(), spendings.len() as u64);
    }
}
