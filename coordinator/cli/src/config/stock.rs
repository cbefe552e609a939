//! What a node has besides processors and memory: `[node.resources]` and `node.holds`.

use super::error::ConfigError;
use super::layers::Layers;
use super::permissions::reading::Reading;
use capstan_types::label::LabelError;
use capstan_types::stock::{Stock, held};

const RESOURCES: &str = "node.resources";
const HOLDS: &str = "node.holds";

/// What the configuration says that the node has.
///
/// # Errors
/// A name that is none, or a value that is no number of at least 0.
pub fn stock(layers: &Layers) -> Result<Stock, ConfigError> {
    let mut stock = Stock::default();
    let reading = Reading::at(layers, RESOURCES.to_owned(), None)?;
    for (name, value) in &layers.table(RESOURCES)? {
        let number = value.as_integer().ok_or_else(|| reading.type_error(name, "a whole number", value))?;
        let number =
            u64::try_from(number).map_err(|_| reading.wrong(name, format!("{number} is out of range; it is 0 or more")))?;
        let key = name.parse().map_err(|error: LabelError| reading.wrong(name, error))?;
        stock.custom.insert(key, number);
    }
    let reading = Reading::at(layers, HOLDS.to_owned(), None)?;
    for name in layers.texts(HOLDS)? {
        stock.holds.insert(held(&name).map_err(|reason| reading.wrong("", reason))?);
    }
    Ok(stock)
}
