//! What a node has besides processors and memory, as its operator and its disk say.

use crate::label::LabelKey;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The most names of things that a node says it holds.
pub const MOST_HELD: usize = 256;

/// The longest of these names, in bytes.
pub const LONGEST_HELD: usize = 256;

/// What a node has besides.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Stock {
    /// What was free, when the node began, of the disk that holds its state, in bytes. 0: it is not known, and nothing can be reserved.
    pub disk_bytes: u64,
    /// What operators count, such as `example.com/gpu`, in whole pieces.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub custom: BTreeMap<LabelKey, u64>,
    /// The repositories of which it has a mirror, and the warm caches, by whatever name threads ask for.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub holds: BTreeSet<String>,
}

/// A text that does not say how much there is of what. For whoever wrote it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no amount: {reason}; write NAME=N, such as gpu=2 or example.com/gpu=2")]
pub struct AmountError {
    text: String,
    reason: String,
}

/// Reads `gpu=2`.
///
/// # Errors
/// A text without a name or a number.
pub fn amount(text: &str) -> Result<(LabelKey, u64), AmountError> {
    let bad = |reason: String| AmountError { text: text.chars().take(80).collect(), reason };
    let (name, number) = text.split_once('=').ok_or_else(|| bad("there is no `=`".to_owned()))?;
    let key = name.parse().map_err(|error: crate::label::LabelError| bad(error.to_string()))?;
    let number = number.parse().map_err(|_| bad(format!("`{number}` is no whole number")))?;
    Ok((key, number))
}

/// A name of something that nodes hold.
///
/// # Errors
/// An empty or a long one, or one with control characters.
pub fn held(text: &str) -> Result<String, String> {
    let name = text.trim();
    if name.is_empty() || name.len() > LONGEST_HELD || name.chars().any(char::is_control) {
        return Err(format!("write a name of 1 to {LONGEST_HELD} bytes, such as github.com/org/repo"));
    }
    Ok(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_and_what_is_none_is_told() {
        assert_eq!(amount("x.io/gpu=2"), Ok(("x.io/gpu".parse().unwrap(), 2)));
        for (text, said) in
            [("gpu", "no `=`"), ("=1", "not a label's key"), ("gpu=-1", "no whole number"), ("gpu=many", "no whole number")]
        {
            let error = amount(text).unwrap_err().to_string();
            assert!(error.contains(said) && error.contains("write NAME=N"), "{error}");
        }
        assert_eq!(held(" github.com/a/b "), Ok("github.com/a/b".to_owned()));
        assert!(held("").is_err() && held("a\nb").is_err() && held(&"x".repeat(300)).is_err());
    }
}
