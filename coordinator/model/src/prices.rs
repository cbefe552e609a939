//! What models cost: a small table of our own, and one that users write over it.

use capstan_types::money::Price;
use std::collections::BTreeMap;

mod built_in;

pub use built_in::AS_OF;

/// Providers that ask for no money: scripts, and models on this host. A price of one's own goes before that.
const FREE: [&str; 3] = ["script", "ollama", "lmstudio"];

/// Prices by model.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PriceTable(BTreeMap<String, Price>);

impl PriceTable {
    /// Prices of one's own over the built-in ones, by `MODEL`, or by `PROVIDER/MODEL` where providers differ.
    #[must_use]
    pub const fn of_ones_own(prices: BTreeMap<String, Price>) -> Self {
        Self(prices)
    }

    /// What a model of a provider costs; `None` if that is not known.
    #[must_use]
    pub fn price(&self, provider: &str, model: &str) -> Option<Price> {
        let own = self.0.get(&format!("{provider}/{model}")).or_else(|| self.0.get(model)).copied();
        own.or_else(|| FREE.contains(&provider).then(Price::default)).or_else(|| built_in::price(model))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use capstan_types::money::MicroDollars;

    fn price(input: u64) -> Price {
        Price { input: MicroDollars(input), ..Price::default() }
    }

    #[test]
    fn a_price_of_ones_own_goes_first_and_that_of_a_provider_before_it() {
        let own = PriceTable::of_ones_own([("gpt-5".to_owned(), price(1)), ("mine/gpt-5".to_owned(), price(2))].into());
        assert_eq!(own.price("openai", "gpt-5"), Some(price(1)));
        assert_eq!(own.price("mine", "gpt-5"), Some(price(2)));
        assert_eq!(own.price("openai", "gpt-5-mini"), PriceTable::default().price("openai", "gpt-5-mini"));
    }

    #[test]
    fn what_is_not_known_has_no_price_and_what_runs_here_costs_nothing() {
        let table = PriceTable::default();
        assert_eq!(table.price("openai", "gpt-9"), None);
        assert_eq!(table.price("ollama", "gpt-oss:20b"), Some(Price::default()));
        assert_eq!(table.price("script", "anything"), Some(Price::default()));
    }
}
