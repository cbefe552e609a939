//! The providers that a configuration knows: the built-in ones, and those under `[model_providers]`.

use super::error::ConfigError;
use super::layers::{Layers, bad_value, wrong_type};
use capstan_coordinator::models::{ProviderConfig, ProviderTable};
use toml::Value;

/// The server that LM Studio is by default.
const LM_STUDIO: (&str, &str) = ("lmstudio", "http://localhost:1234/v1");

/// The names of all providers, in order.
///
/// # Errors
/// `model_providers` is no table.
pub fn names(layers: &Layers) -> Result<Vec<String>, ConfigError> {
    let built_in = ProviderConfig::built_ins().into_iter().map(|provider| provider.id);
    let configured = layers.table("model_providers")?.into_iter().map(|(name, _)| name);
    let mut names: Vec<String> = built_in.chain([LM_STUDIO.0.to_owned()]).chain(configured).collect();
    names.sort();
    names.dedup();
    Ok(names)
}

/// The provider of that name.
///
/// # Errors
/// Nobody knows it, or it is not described well.
pub fn provider(layers: &Layers, id: &str) -> Result<ProviderConfig, ConfigError> {
    let table = configured(layers, id)?;
    let config = match (table, id == LM_STUDIO.0) {
        (Some(table), _) => ProviderConfig::from_table(id, table)?,
        (None, true) => {
            let table = ProviderTable { base_url: Some(LM_STUDIO.1.to_owned()), ..ProviderTable::default() };
            ProviderConfig::from_table(id, table)?
        }
        (None, false) => ProviderConfig::built_in(id).map_or_else(|| Err(unknown(layers, id)), Ok)?,
    };
    match layers.text("openai_base_url")? {
        Some(base_url) if id == "openai" => Ok(config.at(base_url)?),
        Some(_) | None => Ok(config),
    }
}

fn configured(layers: &Layers, id: &str) -> Result<Option<ProviderTable>, ConfigError> {
    let Some(value) = layers.table("model_providers")?.remove(id) else { return Ok(None) };
    // A provider's name may hold dots, so the place is looked for by the whole table.
    let Some((place, _)) = layers.find("model_providers")? else { return Ok(None) };
    let key = format!("model_providers.{id}");
    match value {
        Value::Table(table) => table.try_into().map(Some).map_err(|error: toml::de::Error| {
            let reason = error.message().trim().to_owned();
            bad_value(place, &key, reason)
        }),
        other => Err(wrong_type(place, &key, "a table", &other)),
    }
}

fn unknown(layers: &Layers, id: &str) -> ConfigError {
    let known = names(layers).unwrap_or_default().join(", ");
    ConfigError::NoProvider { id: id.to_owned(), known }
}
