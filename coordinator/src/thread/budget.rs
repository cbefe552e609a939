//! When a turn pauses because a budget is used up, and what a person is told then. Pure.

use capstan_types::budget::{Budgets, Used};
use capstan_types::id::ThreadId;
use capstan_types::money::Price;

/// What is used up, and how to go on; `None` while there is something left.
#[must_use]
pub fn used_up(budgets: &Budgets, turn: &Used, thread: &Used, id: ThreadId) -> Option<String> {
    const KEPT: &str = "Nothing was cut off: all that the turn did is stored, and its calls have ended.";
    // First, because a new turn alone does not help there.
    if let Some(reached) = budgets.thread.reached(thread) {
        return Some(format!(
            "the turn is paused: the thread's budget is used up ({reached}). {KEPT} To go on, raise [budget.thread] in config.toml or \
             with -c budget.thread.KEY=VALUE, and run `capstan exec resume {id} \"go on\"`"
        ));
    }
    let reached = budgets.turn.reached(turn)?;
    Some(format!(
        "the turn is paused: its budget is used up ({reached}). {KEPT} To go on with a fresh budget, run `capstan exec resume {id} \
         \"go on\"`; --budget-usd and --budget-tokens, or [budget] in config.toml, say how much a turn may use"
    ))
}

/// Why a budget in money cannot be kept, if so: with an unknown price nobody would ever see it used up.
#[must_use]
pub fn cannot_be_kept(budgets: &Budgets, price: Option<Price>, model: &str) -> Option<String> {
    let in_money = budgets.turn.cost.is_some() || budgets.thread.cost.is_some();
    (in_money && price.is_none()).then(|| {
        format!(
            "there is a budget in money, and the price of {model} is not known; set it under [prices.\"{model}\"] in config.toml, or use \
             a budget in tokens"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use capstan_types::budget::Budget;
    use capstan_types::money::MicroDollars;

    fn used(tokens: u64) -> Used {
        Used { tokens, cost: MicroDollars(tokens), ..Used::default() }
    }

    #[test]
    fn a_thread_at_its_end_is_not_told_to_start_another_turn_as_it_is() {
        let id = ThreadId::from_u128(1);
        let budget = |tokens| Budget { tokens: Some(tokens), ..Budget::default() };
        let budgets = Budgets { turn: budget(10), thread: budget(100) };
        assert_eq!(used_up(&budgets, &used(9), &used(99), id), None);
        let said = used_up(&budgets, &used(12), &used(99), id).unwrap();
        assert!(
            said.contains("its budget is used up (12 of 10 tokens)") && said.contains(&format!("exec resume {id}")),
            "{said}"
        );
        let said = used_up(&budgets, &used(12), &used(100), id).unwrap();
        assert!(
            said.contains("the thread's budget is used up (100 of 100 tokens)") && said.contains("[budget.thread]"),
            "{said}"
        );
    }

    #[test]
    fn a_budget_in_money_wants_a_price() {
        let cost = Budget { cost: Some(MicroDollars(1)), ..Budget::default() };
        for budgets in [Budgets { turn: cost, ..Budgets::default() }, Budgets { thread: cost, ..Budgets::default() }] {
            assert!(cannot_be_kept(&budgets, None, "m").is_some_and(|said| said.contains("[prices.\"m\"]")));
            assert_eq!(cannot_be_kept(&budgets, Some(Price::default()), "m"), None);
        }
        assert_eq!(cannot_be_kept(&Budgets::default(), None, "m"), None);
    }
}
