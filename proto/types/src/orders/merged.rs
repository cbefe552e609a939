//! What holds of a node when its own word and its operators' are put together.

use super::NodeOrders;
use crate::label::Labels;
use crate::taint::Taint;
use std::collections::{BTreeMap, BTreeSet};

/// Whose word a label is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The node states it of itself.
    Node,
    /// An operator has set it.
    Operator,
}

/// What holds of a node.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Merged {
    /// The labels that selectors look at.
    pub labels: Labels,
    /// Those of them that are an operator's word.
    pub ordered: BTreeSet<String>,
    /// Labels of the node's own that an operator has taken away or replaced, with what the node says.
    pub hidden: BTreeMap<String, String>,
    /// What keeps work away.
    pub taints: BTreeSet<Taint>,
    /// Whether nothing new is placed there.
    pub closed: bool,
}

impl NodeOrders {
    /// What holds of a node with these labels of its own. An operator's word goes before the node's.
    #[must_use]
    pub fn merged(&self, own: &Labels) -> Merged {
        let mut merged = Merged { labels: own.clone(), closed: self.closed.is_some(), ..Merged::default() };
        for (key, ordered) in &self.labels {
            let before = match &ordered.what {
                Some(value) => {
                    merged.ordered.insert(key.to_string());
                    merged.labels.insert(key.to_string(), value.to_string())
                }
                None => merged.labels.remove(key.as_str()),
            };
            merged.hidden.extend(before.map(|own| (key.to_string(), own)));
        }
        merged.taints = self.taints.iter().map(|ordered| ordered.what.clone()).collect();
        merged
    }
}

impl Merged {
    /// Whose word a label is.
    #[must_use]
    pub fn source(&self, key: &str) -> Source {
        if self.ordered.contains(key) { Source::Operator } else { Source::Node }
    }
}
