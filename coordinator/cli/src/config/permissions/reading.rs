//! Typed values of one table, and what is wrong with them.

use super::place;
use crate::config::error::ConfigError;
use crate::config::layers::{Layers, bad_value, wrong_type};
use crate::config::source::Source;
use capstan_types::path::AbsPath;
use capstan_types::policy::Place;
use std::fmt;
use toml::{Table, Value};

/// A table that is being read: a profile's, or the ceiling's.
#[derive(Debug)]
pub(in crate::config) struct Reading<'a> {
    source: Source,
    /// Where in the configuration it is.
    table: String,
    user_home: Option<&'a AbsPath>,
}

impl<'a> Reading<'a> {
    /// Fails for a name that no profile can have.
    pub(super) fn new(layers: &Layers, name: &str, user_home: Option<&'a AbsPath>) -> Result<Self, ConfigError> {
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')) {
            return Err(ConfigError::PermissionsName(name.to_owned()));
        }
        Self::at(layers, format!("permissions.{name}"), user_home)
    }

    /// The table of that name, which need not be there.
    pub(in crate::config) fn at(layers: &Layers, table: String, user_home: Option<&'a AbsPath>) -> Result<Self, ConfigError> {
        let found = layers.find(&table)?;
        let source = found.map_or_else(|| Source::Argument(String::new()), |(source, _)| source.clone());
        Ok(Self { source, table, user_home })
    }

    fn key(&self, key: &str) -> String {
        let dot = if key.is_empty() { "" } else { "." };
        format!("{}{dot}{key}", self.table)
    }

    pub(in crate::config) fn wrong(&self, key: &str, reason: impl fmt::Display) -> ConfigError {
        bad_value(&self.source, &self.key(key), reason)
    }

    pub(in crate::config) fn type_error(&self, key: &str, expected: &'static str, found: &Value) -> ConfigError {
        wrong_type(&self.source, &self.key(key), expected, found)
    }

    pub(in crate::config) fn text(&self, key: &str, value: &Value) -> Result<String, ConfigError> {
        value.as_str().map(str::to_owned).ok_or_else(|| self.type_error(key, "text", value))
    }

    pub(in crate::config) fn flag(&self, key: &str, value: &Value) -> Result<bool, ConfigError> {
        value.as_bool().ok_or_else(|| self.type_error(key, "true or false", value))
    }

    pub(in crate::config) fn table<'v>(&self, key: &str, value: &'v Value) -> Result<&'v Table, ConfigError> {
        value.as_table().ok_or_else(|| self.type_error(key, "a table", value))
    }

    pub(in crate::config) fn texts(&self, key: &str, value: &Value) -> Result<Vec<String>, ConfigError> {
        let texts = value.as_array().and_then(|list| list.iter().map(|text| text.as_str().map(str::to_owned)).collect());
        texts.ok_or_else(|| self.type_error(key, "a list of texts", value))
    }

    pub(in crate::config) fn place(&self, key: &str, text: &str) -> Result<Place, ConfigError> {
        place(text, self.user_home).map_err(|reason| self.wrong(key, reason))
    }

    pub(in crate::config) fn places(&self, key: &str, value: &Value) -> Result<Vec<Place>, ConfigError> {
        self.texts(key, value)?.iter().map(|text| self.place(key, text)).collect()
    }
}
