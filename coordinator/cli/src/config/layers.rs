//! The layers of a configuration, and typed look-ups in them. The strongest layer that has a key decides.

use super::error::ConfigError;
use super::source::Source;
use capstan_runtime::config_file::merge;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;
use toml::{Table, Value};

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Layer {
    pub(super) source: Source,
    pub(super) table: Table,
}

/// A key that a layer has: where, which, and its value.
pub(super) type Found<'a> = (&'a Source, &'static str, &'a Value);

fn flatten(prefix: &str, table: &Table, into: &mut BTreeMap<String, Value>) {
    for (key, value) in table {
        let name = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        match value {
            Value::Table(inner) => flatten(&name, inner, into),
            value => drop(into.insert(name, value.clone())),
        }
    }
}

/// A configuration, strongest layer first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Layers(Vec<Layer>);

impl Layers {
    /// Layers given weakest first, as they are read.
    pub(super) fn weakest_first(mut layers: Vec<Layer>) -> Self {
        layers.reverse();
        Self(layers)
    }

    /// A text.
    ///
    /// # Errors
    /// It is none.
    pub fn text(&self, key: &str) -> Result<Option<&str>, ConfigError> {
        self.typed(key, "text", Value::as_str)
    }

    /// A yes or no.
    ///
    /// # Errors
    /// It is none.
    pub fn flag(&self, key: &str) -> Result<Option<bool>, ConfigError> {
        self.typed(key, "true or false", Value::as_bool)
    }

    /// A list of texts; empty when it is missing.
    ///
    /// # Errors
    /// It is not a list, or something in it is no text.
    pub fn texts(&self, key: &str) -> Result<Vec<String>, ConfigError> {
        let texts = |value: &Value| value.as_array()?.iter().map(|text| text.as_str().map(str::to_owned)).collect();
        Ok(self.typed(key, "a list of texts", texts)?.unwrap_or_default())
    }

    /// A text that is read by its type.
    ///
    /// # Errors
    /// It is no text, or means nothing to the type.
    pub fn parsed<T>(&self, key: &str) -> Result<Option<T>, ConfigError>
    where
        T: FromStr,
        T::Err: fmt::Display,
    {
        let Some((source, value)) = self.find(key)? else { return Ok(None) };
        let text = value.as_str().ok_or_else(|| wrong_type(source, key, "text", value))?;
        text.parse().map(Some).map_err(|error: T::Err| bad_value(source, key, error))
    }

    /// A table, with those of weaker layers below it; empty when there is none.
    ///
    /// # Errors
    /// It is no table in some layer.
    pub fn table(&self, key: &str) -> Result<Table, ConfigError> {
        let mut merged = Table::new();
        for layer in self.0.iter().rev() {
            if let Some(value) = layer.get(key)? {
                let table = value.as_table().ok_or_else(|| wrong_type(&layer.source, key, "a table", value))?;
                merge(&mut merged, table.clone());
            }
        }
        Ok(merged)
    }

    /// The keys that have other values than in `before`, each by its whole name.
    #[must_use]
    pub fn changed_since(&self, before: &Self) -> Vec<String> {
        let whole = |layers: &Self| {
            let mut merged = Table::new();
            layers.0.iter().rev().for_each(|layer| merge(&mut merged, layer.table.clone()));
            let mut flat = BTreeMap::new();
            flatten("", &merged, &mut flat);
            flat
        };
        let (old, new) = (whole(before), whole(self));
        let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        keys.into_iter().filter(|key| old.get(*key) != new.get(*key)).cloned().collect()
    }

    /// The value of the strongest layer that has the key, and that layer's source.
    ///
    /// # Errors
    /// Something on the way to the key is no table.
    pub fn find(&self, key: &str) -> Result<Option<(&Source, &Value)>, ConfigError> {
        for layer in &self.0 {
            if let Some(value) = layer.get(key)? {
                return Ok(Some((&layer.source, value)));
            }
        }
        Ok(None)
    }

    /// Of these keys, those that the strongest layer with any of them has.
    ///
    /// # Errors
    /// Something on the way to a key is no table.
    pub(super) fn strongest(&self, keys: &[&'static str]) -> Result<Option<Vec<Found<'_>>>, ConfigError> {
        for layer in &self.0 {
            let mut found = Vec::new();
            for key in keys {
                found.extend(layer.get(key)?.map(|value| (&layer.source, *key, value)));
            }
            if !found.is_empty() {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    fn typed<'a, T>(
        &'a self,
        key: &str,
        expected: &'static str,
        read: impl Fn(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, ConfigError> {
        let Some((source, value)) = self.find(key)? else { return Ok(None) };
        read(value).map(Some).ok_or_else(|| wrong_type(source, key, expected, value))
    }
}

impl Layer {
    /// The value at a key of parts joined by dots.
    fn get(&self, key: &str) -> Result<Option<&Value>, ConfigError> {
        let mut parts = key.split('.').peekable();
        let mut table = &self.table;
        let mut walked: Vec<&str> = Vec::new();
        while let Some(part) = parts.next() {
            let Some(value) = table.get(part) else { return Ok(None) };
            walked.push(part);
            if parts.peek().is_none() {
                return Ok(Some(value));
            }
            table = value.as_table().ok_or_else(|| wrong_type(&self.source, &walked.join("."), "a table", value))?;
        }
        Ok(None)
    }
}

/// A value of the wrong type.
pub(super) fn wrong_type(place: &Source, key: &str, expected: &'static str, found: &Value) -> ConfigError {
    let found = match found {
        Value::String(_) => "text",
        Value::Integer(_) | Value::Float(_) => "a number",
        Value::Boolean(_) => "true or false",
        Value::Datetime(_) => "a date",
        Value::Array(_) => "a list",
        Value::Table(_) => "a table",
    };
    ConfigError::Type { place: place.clone(), key: key.to_owned(), expected, found }
}

/// A value that means nothing.
pub(super) fn bad_value(place: &Source, key: &str, reason: impl fmt::Display) -> ConfigError {
    ConfigError::Value { place: place.clone(), key: key.to_owned(), reason: reason.to_string() }
}

#[cfg(test)]
mod tests;
