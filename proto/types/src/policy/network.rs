//! Which network a session has.

use crate::policy::host::{HostError, HostRule};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Which network a session has. Names of hosts are never an open end: an empty list of hosts reaches none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Network {
    /// No sockets but Unix ones.
    None,
    /// The session's own loopback: its programs reach one another, and nobody else. Below [`crate::policy::Level::Namespaces`], where
    /// there is no loopback of its own, the same as none.
    #[default]
    Loopback,
    /// Its own loopback, and these hosts through a proxy on the node.
    Hosts(Vec<HostRule>),
    /// The host's own network.
    Full,
}

impl Network {
    /// The kind of network in one word: none, loopback, hosts or full.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Loopback => "loopback",
            Self::Hosts(_) => "hosts",
            Self::Full => "full",
        }
    }

    /// Whether the session shares the host's network.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        matches!(self, Self::Full)
    }
}

impl FromStr for Network {
    type Err = HostError;

    /// Reads `none`, `loopback`, `full`, or host rules with blanks or commas between them.
    fn from_str(text: &str) -> Result<Self, HostError> {
        match text {
            "none" => Ok(Self::None),
            "loopback" => Ok(Self::Loopback),
            "full" => Ok(Self::Full),
            "" => "".parse::<HostRule>().map(|rule| Self::Hosts(vec![rule])),
            hosts => {
                hosts.split([' ', ',']).filter(|rule| !rule.is_empty()).map(str::parse).collect::<Result<_, _>>().map(Self::Hosts)
            }
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())?;
        let Self::Hosts(rules) = self else { return Ok(()) };
        rules.iter().enumerate().try_for_each(|(at, rule)| write!(f, "{}{rule}", if at == 0 { ": " } else { ", " }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_a_word_or_a_list_of_hosts() {
        for (text, shown) in [
            ("none", "none"),
            ("loopback", "loopback"),
            ("full", "full"),
            ("a.io *.b.io:443", "hosts: a.io, *.b.io:443"),
            ("a.io, b.io", "hosts: a.io, b.io"),
        ] {
            assert_eq!(text.parse::<Network>().unwrap().to_string(), shown, "{text}");
        }
        for text in ["", "127.1", "http://a.io", "a.io none:x"] {
            assert!(text.parse::<Network>().is_err(), "{text:?}");
        }
    }
}
