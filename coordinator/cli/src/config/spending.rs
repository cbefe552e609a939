//! What models cost, what may be used, and who is asked instead: `[prices]`, `[budget]` and `model_fallbacks`.

use super::error::ConfigError;
use super::layers::Layers;
use super::permissions::reading::Reading;
use capstan_coordinator::models::PriceTable;
use capstan_types::budget::{Budget, Budgets};
use capstan_types::money::{MicroDollars, Price};
use capstan_types::thread::ModelChoice;
use capstan_types::time::Millis;
use std::collections::BTreeMap;
use toml::{Table, Value};

/// The most models that are asked in the place of the thread's own.
const MOST_FALLBACKS: usize = 16;

/// Prices of one's own over the built-in ones: `[prices."MODEL"]` or `[prices."PROVIDER/MODEL"]`, in US dollars for a million tokens. What
/// is left out of `cached_input` and `cache_write` costs what `input` does.
///
/// # Errors
/// A key that is not known, or a value that is no amount.
pub fn prices(layers: &Layers) -> Result<PriceTable, ConfigError> {
    let reading = Reading::at(layers, "prices".to_owned(), None)?;
    let mut prices = BTreeMap::new();
    for (model, value) in &layers.table("prices")? {
        prices.insert(model.clone(), price(&reading, model, reading.table(model, value)?)?);
    }
    Ok(PriceTable::of_ones_own(prices))
}

fn price(reading: &Reading<'_>, model: &str, table: &Table) -> Result<Price, ConfigError> {
    const KEYS: [&str; 4] = ["input", "output", "cached_input", "cache_write"];
    if let Some(unknown) = table.keys().find(|key| !KEYS.contains(&key.as_str())) {
        return Err(reading.wrong(model, format!("`{unknown}` is not known; a price has {}", KEYS.join(", "))));
    }
    let named = |key: &str| table.get(key).map(|value| amount(reading, &format!("{model}.{key}"), value)).transpose();
    let must = |key: &str| {
        named(key)?
            .ok_or_else(|| reading.wrong(model, format!("`{key}` is missing; write it in US dollars for a million tokens")))
    };
    let (input, output) = (must("input")?, must("output")?);
    let (cached_input, cache_write) = (named("cached_input")?.unwrap_or(input), named("cache_write")?.unwrap_or(input));
    Ok(Price { input, cached_input, cache_write, output })
}

/// What turns may use: `[budget]` for each turn, `[budget.thread]` for all turns of a thread together.
///
/// # Errors
/// A key that is not known, or a value that is no number.
pub fn budgets(layers: &Layers) -> Result<Budgets, ConfigError> {
    let mut table = layers.table("budget")?;
    let thread = table.remove("thread");
    let turn = budget(&Reading::at(layers, "budget".to_owned(), None)?, &table)?;
    let Some(thread) = thread else { return Ok(Budgets { turn, ..Budgets::default() }) };
    let reading = Reading::at(layers, "budget.thread".to_owned(), None)?;
    Ok(Budgets { turn, thread: budget(&reading, reading.table("", &thread)?)? })
}

fn budget(reading: &Reading<'_>, table: &Table) -> Result<Budget, ConfigError> {
    let mut budget = Budget::default();
    for (key, value) in table {
        match key.as_str() {
            "usd" => budget.cost = Some(amount(reading, key, value)?),
            "tokens" => budget.tokens = Some(count(reading, key, value)?),
            "steps" => budget.steps = Some(count(reading, key, value)?),
            "seconds" => budget.time = Some(Millis(count(reading, key, value)?.saturating_mul(1000))),
            _ => return Err(reading.wrong(key, "the key is not known; a budget has usd, tokens, steps and seconds")),
        }
    }
    Ok(budget)
}

/// Who is asked instead: a model's name, of the thread's provider, or `{ model = …, provider = … }`.
///
/// # Errors
/// Something else, or too many.
pub fn fallbacks(layers: &Layers, provider: &str) -> Result<Vec<ModelChoice>, ConfigError> {
    const KEY: &str = "model_fallbacks";
    let Some((_, value)) = layers.find(KEY)? else { return Ok(Vec::new()) };
    let reading = Reading::at(layers, KEY.to_owned(), None)?;
    let list = value.as_array().ok_or_else(|| reading.type_error("", "a list", value))?;
    if list.len() > MOST_FALLBACKS {
        return Err(reading.wrong("", format!("there are {}; at most {MOST_FALLBACKS}", list.len())));
    }
    list.iter().map(|value| fallback(&reading, value, provider)).collect()
}

fn fallback(reading: &Reading<'_>, value: &Value, provider: &str) -> Result<ModelChoice, ConfigError> {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
    let (model, provider) = match value {
        Value::Table(table) if table.keys().all(|key| key == "model" || key == "provider") => {
            let provider = if table.contains_key("provider") { text(table.get("provider")) } else { Some(provider.to_owned()) };
            (text(table.get("model")), provider)
        }
        other => (text(Some(other)), Some(provider.to_owned())),
    };
    let choice = model.zip(provider).map(|(model, provider)| ModelChoice { model, provider });
    choice.ok_or_else(|| reading.wrong("", "each is a model's name, or { model = \"...\", provider = \"...\" }"))
}

/// An amount in US dollars: a number, or a text such as "0.50".
fn amount(reading: &Reading<'_>, key: &str, value: &Value) -> Result<MicroDollars, ConfigError> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Integer(number) => number.to_string(),
        // As it was written: the shortest text that means this number.
        Value::Float(number) => number.to_string(),
        other => return Err(reading.type_error(key, "an amount in US dollars", other)),
    };
    text.parse().map_err(|error| reading.wrong(key, error))
}

fn count(reading: &Reading<'_>, key: &str, value: &Value) -> Result<u64, ConfigError> {
    let number = value.as_integer().ok_or_else(|| reading.type_error(key, "a whole number", value))?;
    u64::try_from(number).map_err(|_| reading.wrong(key, format!("{number} is out of range; it is 0 or more")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Inputs, UserConfig, read};
    use std::path::Path;

    fn layers(overrides: &[&str]) -> Layers {
        let overrides: Vec<String> = overrides.iter().map(|set| (*set).to_owned()).collect();
        let inputs = Inputs { home: Path::new("/"), user: UserConfig::Ignored, profile: None, overrides: &overrides };
        let (layers, unknown) = read(inputs).unwrap();
        assert_eq!(unknown, []);
        layers
    }

    fn said<T: std::fmt::Debug>(read: Result<T, ConfigError>) -> String {
        read.unwrap_err().to_string()
    }

    #[test]
    fn an_amount_is_what_was_written_whichever_way() {
        let price = |input: &str| {
            let set = format!("prices={{ \"gpt-5.5\" = {{ input = {input}, output = 14, cached_input = \"0.175\" }} }}");
            prices(&layers(&[&set])).map(|table| table.price("openai", "gpt-5.5").unwrap())
        };
        let expected = Price {
            input: MicroDollars(1_750_000),
            cached_input: MicroDollars(175_000),
            cache_write: MicroDollars(1_750_000),
            output: MicroDollars(14_000_000),
        };
        assert_eq!((price("1.75").unwrap(), price("\"1.75\"").unwrap()), (expected, expected));
        // The famous sum of floating point numbers, as a person would write it.
        assert_eq!(price("0.3").unwrap().input, MicroDollars(300_000));
        for wrong in ["-1", "nan", "1e-9", "true", "\"much\""] {
            assert!(said(price(wrong)).contains("prices.gpt-5.5.input"), "{wrong}");
        }
        assert!(said(prices(&layers(&["prices.m.input=1"]))).contains("`output` is missing"));
        assert!(said(prices(&layers(&["prices.m.inptu=1"]))).contains("`inptu` is not known"));
    }

    #[test]
    fn a_budget_is_read_for_turns_and_threads() {
        let set = ["budget.usd=0.5", "budget.steps=20", "budget.thread.tokens=1000000", "budget.thread.seconds=90"];
        let expected = Budgets {
            turn: Budget { cost: Some(MicroDollars(500_000)), steps: Some(20), ..Budget::default() },
            thread: Budget { tokens: Some(1_000_000), time: Some(Millis(90_000)), ..Budget::default() },
        };
        assert_eq!(budgets(&layers(&set)).unwrap(), expected);
        assert_eq!(budgets(&layers(&[])).unwrap(), Budgets::default());
        assert!(said(budgets(&layers(&["budget.euros=1"]))).contains("usd, tokens, steps and seconds"));
        assert!(said(budgets(&layers(&["budget.thread.steps=-1"]))).contains("budget.thread.steps"));
        assert!(said(budgets(&layers(&["budget.thread=3"]))).contains("must be a table"));
    }

    #[test]
    fn a_fallback_is_a_model_or_a_model_of_a_provider() {
        let read = |list: &str| fallbacks(&layers(&[&format!("model_fallbacks={list}")]), "own");
        let choice = |model: &str, provider: &str| ModelChoice { model: model.to_owned(), provider: provider.to_owned() };
        let list = "[\"a\", { model = \"b\" }, { model = \"c\", provider = \"other\" }]";
        assert_eq!(read(list).unwrap(), [choice("a", "own"), choice("b", "own"), choice("c", "other")]);
        for wrong in [
            "[1]",
            "[\"\"]",
            "[{ provider = \"x\" }]",
            "[{ model = \"a\", effort = \"low\" }]",
            "[{ model = \"a\", provider = 1 }]",
        ] {
            assert!(said(read(wrong)).contains("each is a model's name"), "{wrong}");
        }
        assert!(said(read("\"a\"")).contains("must be a list"));
    }
}
