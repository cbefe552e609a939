//! Keys: where one comes from, and a type that cannot show it by mistake.
//!
//! This crate reads no environment and no file for a key by itself: whoever opens a model hands in a [`Lookup`].

use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt;

/// A value that is used and never shown: `Debug` and `Display` print a placeholder.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

/// What is shown in place of a secret.
pub const REDACTED: &str = "[redacted]";

impl Secret {
    /// Wraps a value.
    #[must_use]
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value itself, for the one place that sends it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

/// Where named values such as `OPENAI_API_KEY` are found. A function from a name to a value is one.
pub trait Lookup {
    /// The value of that name, if there is one.
    fn find(&self, name: &str) -> Option<String>;
}

impl<F: Fn(&str) -> Option<String>> Lookup for F {
    fn find(&self, name: &str) -> Option<String> {
        self(name)
    }
}

/// The keys of an `auth.json`: `{"OPENAI_API_KEY": "..."}`. Entries that are not text are of no use here and are passed over.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuthFile(BTreeMap<String, Secret>);

/// An `auth.json` that cannot be read. It says where, and never what.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("auth.json is not valid at line {line}, column {column}; it should look like {{\"OPENAI_API_KEY\": \"...\"}}")]
pub struct AuthFileError {
    line: usize,
    column: usize,
}

impl AuthFile {
    /// Reads the text of an `auth.json`.
    ///
    /// # Errors
    /// Text that is not a JSON object.
    pub fn parse(text: &str) -> Result<Self, AuthFileError> {
        // The parser's own message may quote the text, and so a key.
        let fields: BTreeMap<String, serde_json::Value> =
            serde_json::from_str(text).map_err(|error| AuthFileError { line: error.line(), column: error.column() })?;
        let text_only = |(name, value): (String, serde_json::Value)| match value {
            serde_json::Value::String(value) => Some((name, Secret(value))),
            _ => None,
        };
        Ok(Self(fields.into_iter().filter_map(text_only).collect()))
    }
}

impl Lookup for AuthFile {
    fn find(&self, name: &str) -> Option<String> {
        self.0.get(name).map(|secret| secret.0.clone())
    }
}

/// Two places to look, the first before the second: the environment before `auth.json`.
#[expect(missing_debug_implementations, reason = "what it points at may hold secrets")]
pub struct Either<'a> {
    /// Looked at first.
    pub first: &'a dyn Lookup,
    /// Looked at if the first has nothing, or only blanks.
    pub second: &'a dyn Lookup,
}

impl Lookup for Either<'_> {
    fn find(&self, name: &str) -> Option<String> {
        let filled = |value: &String| !value.trim().is_empty();
        self.first.find(name).filter(filled).or_else(|| self.second.find(name))
    }
}

/// The key of that name without the blanks that come with pasting; `None` if it is missing or blank.
pub(crate) fn key(name: &str, lookup: &dyn Lookup) -> Option<Secret> {
    let value = lookup.find(name)?;
    let value = value.trim();
    (!value.is_empty()).then(|| Secret::new(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_shown() {
        let secret = Secret::new("sk-canary");
        assert_eq!(format!("{secret:?} {secret} {:?}", Some(&secret)), "[redacted] [redacted] Some([redacted])");
        assert_eq!(secret.reveal(), "sk-canary");
    }

    #[test]
    fn the_environment_goes_before_the_file() {
        let file = AuthFile::parse(r#"{"A": "file", "B": "file", "tokens": {"x": 1}, "C": null}"#).unwrap();
        let environment = |name: &str| match name {
            "A" => Some("environment".to_owned()),
            "B" => Some("  ".to_owned()),
            _ => None,
        };
        let both = Either { first: &environment, second: &file };
        assert_eq!(both.find("A").as_deref(), Some("environment"));
        assert_eq!(both.find("B").as_deref(), Some("file"));
        assert_eq!(both.find("C"), None);
        assert_eq!(key("tokens", &file), None);
    }

    #[test]
    fn a_broken_file_is_not_quoted() {
        let said = AuthFile::parse("{\"OPENAI_API_KEY\": sk-canary}").unwrap_err().to_string();
        assert!(said.contains("line 1, column"), "{said}");
        assert!(!said.contains("canary"), "{said}");
        let file = AuthFile::parse(r#"{"K":"sk-canary"}"#).unwrap();
        assert!(!format!("{file:?}").contains("canary"));
    }

    #[test]
    fn a_pasted_key_loses_its_blanks() {
        let lookup = |_: &str| Some(" sk-1\n".to_owned());
        assert_eq!(key("K", &lookup).unwrap().reveal(), "sk-1");
    }
}
