//! Labels: facts about a node, by name, as Kubernetes writes them.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// The labels of a node. Those that a node states of itself are taken as they come; what a person writes is a [`LabelKey`] and a
/// [`LabelValue`].
pub type Labels = BTreeMap<String, String>;

/// The longest name and the longest value, in bytes.
const LONGEST: usize = 63;

/// The longest prefix of a key, in bytes.
const LONGEST_PREFIX: usize = 253;

/// The name of a label: `zone`, or with a prefix `example.com/zone`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LabelKey(String);

/// The value of a label; it may be empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LabelValue(String);

/// A text that is not a label's key or value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LabelError {
    /// Not a key.
    #[error(
        "`{0}` is not a label's key; a key is 1 to 63 of A-Z, a-z, 0-9, `-`, `_` and `.`, with a letter or digit at both ends, and \
         perhaps a domain name and a slash before it"
    )]
    Key(String),
    /// Not a value.
    #[error(
        "`{0}` is not a label's value; a value is up to 63 of A-Z, a-z, 0-9, `-`, `_` and `.`, with a letter or digit at both ends"
    )]
    Value(String),
}

impl LabelKey {
    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl LabelValue {
    /// The value as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for LabelKey {
    type Err = LabelError;

    fn from_str(text: &str) -> Result<Self, LabelError> {
        let (prefix, name) = text.split_once('/').map_or((None, text), |(prefix, name)| (Some(prefix), name));
        match is_word(name) && prefix.is_none_or(is_prefix) {
            true => Ok(Self(text.to_owned())),
            false => Err(LabelError::Key(shown(text))),
        }
    }
}

impl FromStr for LabelValue {
    type Err = LabelError;

    fn from_str(text: &str) -> Result<Self, LabelError> {
        match text.is_empty() || is_word(text) {
            true => Ok(Self(text.to_owned())),
            false => Err(LabelError::Value(shown(text))),
        }
    }
}

fn is_word(text: &str) -> bool {
    let ends = text.starts_with(alphanumeric) && text.ends_with(alphanumeric);
    ends && text.len() <= LONGEST && text.chars().all(|letter| alphanumeric(letter) || matches!(letter, '-' | '_' | '.'))
}

fn is_prefix(text: &str) -> bool {
    let part = |part: &str| {
        let ends = part.starts_with(lower_or_digit) && part.ends_with(lower_or_digit);
        ends && part.chars().all(|letter| lower_or_digit(letter) || letter == '-')
    };
    text.len() <= LONGEST_PREFIX && text.split('.').all(part)
}

const fn alphanumeric(letter: char) -> bool {
    letter.is_ascii_alphanumeric()
}

const fn lower_or_digit(letter: char) -> bool {
    letter.is_ascii_lowercase() || letter.is_ascii_digit()
}

fn shown(text: &str) -> String {
    text.chars().take(80).collect()
}

macro_rules! as_text {
    ($name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = LabelError;

            fn try_from(text: String) -> Result<Self, LabelError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> Self {
                text.0
            }
        }
    };
}

as_text!(LabelKey);
as_text!(LabelValue);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_may_have_a_domain_and_values_may_be_empty() {
        for key in ["zone", "a", "topology.kubernetes.io/zone", "A_b.c-9"] {
            assert_eq!(key.parse::<LabelKey>().unwrap().to_string(), key);
        }
        for value in ["", "x86_64", "1.2-rc_3"] {
            assert_eq!(value.parse::<LabelValue>().unwrap().as_str(), value);
        }
    }

    #[test]
    fn what_is_neither_is_refused_with_the_rule() {
        let long = "k".repeat(64);
        for key in ["", "-a", "a-", "a b", "/a", "A.com/x", "a/b/c", "a..b/x", &long] {
            assert!(key.parse::<LabelKey>().unwrap_err().to_string().contains("a key is 1 to 63"), "{key}");
        }
        for value in ["-", "a b", "ü", &long] {
            assert!(value.parse::<LabelValue>().unwrap_err().to_string().contains("a value is up to 63"), "{value}");
        }
    }
}
