//! Names of things, each its own type so that one cannot stand in for another.
//!
//! Identifiers that Capstan makes are UUIDs of version 7: unique without coordination, and ordered by creation time, which keeps
//! database pages and directory listings in order. `FromStr` is the one way in from text.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use uuid::Uuid;

/// A text that is not the identifier it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a {kind}; expected {expected}")]
pub struct IdError {
    kind: &'static str,
    text: String,
    expected: &'static str,
}

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// A new identifier, unique across hosts.
            #[must_use]
            pub fn generate() -> Self {
                Self(Uuid::now_v7())
            }

            /// An identifier with a fixed value, for values that must repeat (tests, recordings).
            #[must_use]
            pub const fn from_u128(value: u128) -> Self {
                Self(Uuid::from_u128(value))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                Uuid::try_parse(text).map(Self).map_err(|_| IdError {
                    kind: $kind,
                    text: text.chars().take(80).collect(),
                    expected: "a UUID such as 0198c5f0-7d6e-7000-8000-000000000000",
                })
            }
        }
    };
}

uuid_id! {
    /// Names a thread: one conversation with its history.
    ThreadId, "thread id"
}
uuid_id! {
    /// Names a turn: one run of the model loop inside a thread.
    TurnId, "turn id"
}
uuid_id! {
    /// Names a call: one tool call asked for by the model. Capstan's own name; the provider's is kept beside it.
    CallId, "call id"
}
uuid_id! {
    /// Names a session: one sandboxed process tree on a node.
    SessionId, "session id"
}
uuid_id! {
    /// Names a workspace: a directory on a node in which a thread's sessions work.
    WorkspaceId, "workspace id"
}

/// Names a registered host, for as long as its operator keeps the name.
///
/// The form is that of a DNS label sequence: 1 to 63 characters of `a-z`, `0-9`, `-` and `.`, starting and ending with a letter or digit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NodeId(String);

impl NodeId {
    /// The longest node name, in bytes (RFC 1123 label length).
    pub const MAX_BYTES: usize = 63;

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for NodeId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let edge_ok = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
        let body_ok = text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.');
        if text.len() <= Self::MAX_BYTES && body_ok && edge_ok(text.chars().next()) && edge_ok(text.chars().last()) {
            return Ok(Self(text.to_owned()));
        }
        Err(IdError {
            kind: "node id",
            text: text.chars().take(80).collect(),
            expected: "1 to 63 of a-z, 0-9, `-` and `.`, starting and ending with a letter or digit",
        })
    }
}

impl TryFrom<String> for NodeId {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<NodeId> for String {
    fn from(id: NodeId) -> Self {
        id.0
    }
}

macro_rules! counter {
    ($(#[$doc:meta])* $name:ident, $int:ty) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub $int);

        impl $name {
            /// The next one. Stays at the largest value rather than wrapping round, which would let an old holder pass for a new one.
            #[must_use]
            pub const fn next(self) -> Self {
                Self(self.0.saturating_add(1))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
    };
}

counter! {
    /// Counts a node's lives: a node that comes back without its journal is a new generation.
    Generation, u64
}
counter! {
    /// The fencing number of a thread's owner. A node and a store refuse a lower one than they have seen.
    Epoch, u64
}
counter! {
    /// Counts the tries of one call, from 1.
    Attempt, u32
}
counter! {
    /// The number of an event in its thread's log, from 1 without holes.
    EventSeq, u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_id_is_a_dns_name() {
        for good in ["a", "n1", "build-07.rack2", &"x".repeat(63)] {
            assert_eq!(good.parse::<NodeId>().unwrap().as_str(), good);
        }
        for bad in ["", "-a", "a-", "A", "a_b", "a/b", "ä", &"x".repeat(64)] {
            assert!(bad.parse::<NodeId>().is_err(), "{bad} was accepted");
        }
    }

    #[test]
    fn an_id_survives_text() {
        let id = ThreadId::generate();
        assert_eq!(id.to_string().parse::<ThreadId>().unwrap(), id);
        let said = "nonsense".parse::<ThreadId>().unwrap_err().to_string();
        assert!(said.starts_with("`nonsense` is not a thread id"), "{said}");
    }

    #[test]
    fn an_epoch_never_wraps() {
        assert_eq!(Epoch(u64::MAX).next(), Epoch(u64::MAX));
        assert_eq!(Epoch(1).next(), Epoch(2));
    }
}
