//! Reads the layers: `config.toml`, the profile, `-c`.

use super::error::ConfigError;
use super::keys;
use super::layers::{Layer, Layers, wrong_type};
use super::source::Source;
use capstan_runtime::config_file::{self, Override, unknown_keys};
use std::path::Path;
use toml::{Table, Value};

/// Whether the user's own files are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserConfig {
    /// They are.
    Read,
    /// They are not: only `-c` and flags count.
    Ignored,
}

/// What to read.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'a> {
    /// The home directory.
    pub home: &'a Path,
    /// Whether its files are read.
    pub user: UserConfig,
    /// The profile that was asked for.
    pub profile: Option<&'a str>,
    /// The `-c` arguments, weakest first.
    pub overrides: &'a [String],
}

/// A key that means nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownKey {
    place: Source,
    key: String,
}

impl UnknownKey {
    /// As a warning.
    #[must_use]
    pub fn warning(&self) -> String {
        format!("{}: the key `{}` is not known and has no effect", self.place, self.key)
    }

    /// As an error, for a strict configuration.
    #[must_use]
    pub fn into_error(self) -> ConfigError {
        ConfigError::Unknown { place: self.place, key: self.key }
    }
}

/// Reads the layers, and finds the keys in them that mean nothing.
///
/// # Errors
/// A file that cannot be read, an argument that is malformed, a profile that does not exist.
pub fn read(inputs: Inputs<'_>) -> Result<(Layers, Vec<UnknownKey>), ConfigError> {
    let mut layers = match inputs.user {
        UserConfig::Read => user_layers(inputs)?,
        UserConfig::Ignored => Vec::new(),
    };
    for argument in inputs.overrides {
        let table = argument.parse::<Override>()?.into_layer();
        layers.push(Layer { source: Source::Argument(argument.clone()), table });
    }
    let unknown = layers.iter().flat_map(unknown_in).collect();
    Ok((Layers::weakest_first(layers), unknown))
}

fn user_layers(inputs: Inputs<'_>) -> Result<Vec<Layer>, ConfigError> {
    let file = inputs.home.join("config.toml");
    let table = config_file::read(&file)?;
    let source = Source::File(file);
    let named = match table.get("profile") {
        _ if inputs.profile.is_some() => inputs.profile,
        Some(Value::String(name)) => Some(name.as_str()),
        Some(other) => return Err(wrong_type(&source, "profile", "text", other)),
        None => None,
    };
    let profile = named.map(|name| profile_layers(inputs.home, &source, &table, name)).transpose()?;
    let base = Layer { source, table };
    Ok([base].into_iter().chain(profile.into_iter().flatten()).collect())
}

/// A profile is a file of its own, a table in `config.toml` as older configurations have it, or both; the file counts more.
fn profile_layers(home: &Path, source: &Source, base: &Table, name: &str) -> Result<Vec<Layer>, ConfigError> {
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')) {
        return Err(ConfigError::ProfileName(name.to_owned()));
    }
    let file = home.join(format!("{name}.config.toml"));
    let tables =
        base.get("profiles").map(|value| value.as_table().ok_or_else(|| wrong_type(source, "profiles", "a table", value)));
    let inner = match tables.transpose()?.and_then(|profiles| profiles.get(name)) {
        Some(Value::Table(table)) => Some(table.clone()),
        Some(other) => return Err(wrong_type(source, &format!("profiles.{name}"), "a table", other)),
        None => None,
    };
    let inner = inner.map(|table| Layer { source: Source::Profile(home.join("config.toml"), name.to_owned()), table });
    let own =
        if file.exists() { Some(Layer { table: config_file::read(&file)?, source: Source::File(file.clone()) }) } else { None };
    match (&inner, &own) {
        (None, None) => Err(ConfigError::NoProfile { name: name.to_owned(), file }),
        _ => Ok(inner.into_iter().chain(own).collect()),
    }
}

fn unknown_in(layer: &Layer) -> Vec<UnknownKey> {
    let unknown = |key| UnknownKey { place: layer.source.clone(), key };
    unknown_keys(&layer.table, keys::KNOWN).into_iter().map(unknown).collect()
}

#[cfg(test)]
mod tests;
