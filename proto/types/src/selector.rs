//! Selectors: which nodes are meant, by their labels, in kubectl's grammar.
//!
//! `arch=x86_64,zone!=b,disk in (ssd,nvme),pool notin (old),gpu,!spot`: all of the parts must hold. A part that excludes (`!=`, `notin`)
//! also holds of a node without the label. The empty selector means every node.

mod parse;

use crate::label::{LabelKey, LabelValue, Labels};
pub use parse::SelectorError;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

/// Which nodes are meant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Selector(Vec<Requirement>);

/// One part of a selector.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Requirement {
    /// The label.
    pub key: LabelKey,
    /// What must hold of it.
    pub demand: Demand,
}

/// What must hold of a label.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Demand {
    /// It is there, with one of these values.
    In(BTreeSet<LabelValue>),
    /// It is not there, or has none of these values.
    NotIn(BTreeSet<LabelValue>),
    /// It is there.
    Exists,
    /// It is not there.
    Missing,
}

impl Selector {
    /// A selector of these parts, of which all must hold.
    #[must_use]
    pub const fn new(parts: Vec<Requirement>) -> Self {
        Self(parts)
    }

    /// The parts.
    #[must_use]
    pub fn parts(&self) -> &[Requirement] {
        &self.0
    }

    /// Whether it means every node.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a node with these labels is meant.
    #[must_use]
    pub fn matches(&self, labels: &Labels) -> bool {
        self.0.iter().all(|part| part.matches(labels))
    }
}

impl Requirement {
    /// Whether it holds of these labels.
    #[must_use]
    pub fn matches(&self, labels: &Labels) -> bool {
        let value = labels.get(self.key.as_str());
        let among = |values: &BTreeSet<LabelValue>| value.is_some_and(|value| values.iter().any(|one| one.as_str() == value));
        match &self.demand {
            Demand::In(values) => among(values),
            Demand::NotIn(values) => !among(values),
            Demand::Exists => value.is_some(),
            Demand::Missing => value.is_none(),
        }
    }
}

impl FromStr for Selector {
    type Err = SelectorError;

    fn from_str(text: &str) -> Result<Self, SelectorError> {
        parse::selector(text).map(Self)
    }
}

impl TryFrom<String> for Selector {
    type Error = SelectorError;

    fn try_from(text: String) -> Result<Self, SelectorError> {
        text.parse()
    }
}

impl From<Selector> for String {
    fn from(selector: Selector) -> Self {
        selector.to_string()
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, part) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{part}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = &self.key;
        let list = |values: &BTreeSet<LabelValue>| values.iter().map(LabelValue::as_str).collect::<Vec<_>>().join(",");
        match &self.demand {
            Demand::In(values) if values.len() == 1 => write!(f, "{key}={}", list(values)),
            Demand::NotIn(values) if values.len() == 1 => write!(f, "{key}!={}", list(values)),
            Demand::In(values) => write!(f, "{key} in ({})", list(values)),
            Demand::NotIn(values) => write!(f, "{key} notin ({})", list(values)),
            Demand::Exists => write!(f, "{key}"),
            Demand::Missing => write!(f, "!{key}"),
        }
    }
}

#[cfg(test)]
mod tests;
