//! The hosts that a thread may use, where it is given more than the one that holds its workspace.
//!
//! A list of names (`web-1,web-2:/srv/app`, each with a directory of its own where it needs one) or a selector (`zone=a,!spot`). A text is a selector
//! when something in it can only be one: `=`, `!`, `(` or a blank. `*` is every node.

use crate::id::NodeId;
use crate::path::AbsPath;
use crate::selector::Selector;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

/// The most hosts that one thread may use.
pub const MOST_HOSTS: usize = 256;

/// Every node.
const EVERY: &str = "*";

/// What only a selector has in it.
const OF_SELECTORS: [char; 4] = ['=', '!', '(', ' '];

/// A host that a thread may use.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ThreadHost {
    /// The node.
    pub node: NodeId,
    /// Where the thread works there; `None` is the directory that it works in at home.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dir: Option<AbsPath>,
}

/// Which hosts are meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum HostsAsked {
    /// These, the first of which holds the workspace unless another one is asked for.
    Named(Vec<ThreadHost>),
    /// Those with these labels.
    Selected(Selector),
}

/// A text that names no hosts. For whoever wrote it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HostsError {
    /// There is nothing.
    #[error("no host is named; write names, such as web-1,web-2:/srv/app, or a selector, such as zone=a")]
    Empty,
    /// Too many.
    #[error("{0} hosts are named, and a thread may use at most {MOST_HOSTS}")]
    TooMany(usize),
    /// One of them twice.
    #[error("host {0} is named twice")]
    Twice(NodeId),
    /// A part that is neither.
    #[error("`{part}` is no host: {reason}; write names, such as web-1,web-2:/srv/app, or a selector, such as zone=a")]
    Name {
        /// The part.
        part: String,
        /// Why not.
        reason: String,
    },
    /// A selector that is none.
    #[error("{0}")]
    Selector(String),
}

impl FromStr for HostsAsked {
    type Err = HostsError;

    fn from_str(text: &str) -> Result<Self, HostsError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(HostsError::Empty);
        }
        if text == EVERY {
            return Ok(Self::Selected(Selector::default()));
        }
        if text.contains(OF_SELECTORS) {
            return text
                .parse()
                .map(Self::Selected)
                .map_err(|error: crate::selector::SelectorError| HostsError::Selector(error.to_string()));
        }
        let hosts = text.split(',').map(host).collect::<Result<Vec<_>, _>>()?;
        if hosts.len() > MOST_HOSTS {
            return Err(HostsError::TooMany(hosts.len()));
        }
        let mut seen = BTreeSet::new();
        match hosts.iter().find(|host| !seen.insert(&host.node)) {
            Some(twice) => Err(HostsError::Twice(twice.node.clone())),
            None => Ok(Self::Named(hosts)),
        }
    }
}

fn host(part: &str) -> Result<ThreadHost, HostsError> {
    let bad = |reason: String| HostsError::Name { part: part.to_owned(), reason };
    let (name, dir) = match part.split_once(':') {
        Some((name, dir)) => (name, Some(AbsPath::new(dir).map_err(|error| bad(error.to_string()))?)),
        None => (part, None),
    };
    let node = name.parse().map_err(|error: crate::id::IdError| bad(error.to_string()))?;
    Ok(ThreadHost { node, dir })
}

impl fmt::Display for ThreadHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.dir {
            Some(dir) => write!(f, "{}:{dir}", self.node),
            None => self.node.fmt(f),
        }
    }
}

impl fmt::Display for HostsAsked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Selected(selector) if selector.is_empty() => f.write_str(EVERY),
            Self::Selected(selector) => selector.fmt(f),
            Self::Named(hosts) => {
                let names: Vec<String> = hosts.iter().map(ToString::to_string).collect();
                f.write_str(&names.join(","))
            }
        }
    }
}

impl TryFrom<String> for HostsAsked {
    type Error = HostsError;

    fn try_from(text: String) -> Result<Self, HostsError> {
        text.parse()
    }
}

impl From<HostsAsked> for String {
    fn from(asked: HostsAsked) -> Self {
        asked.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_selectors_are_told_apart_and_written_as_they_were_read() {
        for text in ["*", "a", "a,b:/srv/x,c.example", "zone=a,spot!=yes", "!spot", "zone in (a,b)"] {
            let asked: HostsAsked = text.parse().unwrap();
            assert_eq!(asked.to_string(), text);
            assert_eq!(matches!(asked, HostsAsked::Selected(_)), text == EVERY || text.contains(OF_SELECTORS), "{text}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_told() {
        let said = |text: &str| text.parse::<HostsAsked>().unwrap_err().to_string();
        assert!(said(" ").contains("no host is named"));
        assert_eq!(said("a,b,a"), "host a is named twice");
        assert!(said("a,,b").contains("`` is no host"), "{}", said("a,,b"));
        assert!(said("a:srv").contains("`a:srv` is no host"), "{}", said("a:srv"));
        assert!(said("a b").contains("selector"), "{}", said("a b"));
        assert!(said(&vec!["a"; 300].join(",")).contains("at most 256"));
    }
}
