//! Who a process is: the name in its certificate, and what identifies that certificate.
//!
//! A name is `capstan://CLUSTER/ROLE/ID`, as certificates carry it in their subject alternative names. `FromStr` is the one way in from
//! text, and what it takes is printed again as it was.

use crate::output::digest::Digest;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A text that is no name, no role or no part of a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {what}; expected {expected}")]
pub struct PrincipalError {
    text: String,
    what: &'static str,
    expected: &'static str,
}

/// What a process may be in a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// It runs sessions.
    Node,
    /// It owns threads.
    Coordinator,
    /// It asks coordinators for turns.
    Client,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 3] = [Self::Node, Self::Coordinator, Self::Client];

    /// The role as it stands in a name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Node => "node",
            Self::Coordinator => "coordinator",
            Self::Client => "client",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = PrincipalError;

    fn from_str(text: &str) -> Result<Self, PrincipalError> {
        let expected = "node, coordinator or client";
        Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or_else(|| refused(text, "a role", expected))
    }
}

/// One part of a name: 1 to 63 of `a-z`, `0-9`, `-` and `.`, starting and ending with a letter or digit. A node's is its node id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Label(String);

impl Label {
    /// The longest, in bytes.
    pub const MAX_BYTES: usize = 63;

    /// The part as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Label {
    type Err = PrincipalError;

    fn from_str(text: &str) -> Result<Self, PrincipalError> {
        let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
        let body = text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.');
        if text.len() <= Self::MAX_BYTES && body && edge(text.chars().next()) && edge(text.chars().last()) {
            return Ok(Self(text.to_owned()));
        }
        Err(refused(text, "a name", "1 to 63 of a-z, 0-9, `-` and `.`, starting and ending with a letter or digit"))
    }
}

impl TryFrom<String> for Label {
    type Error = PrincipalError;

    fn try_from(text: String) -> Result<Self, PrincipalError> {
        text.parse()
    }
}

impl From<Label> for String {
    fn from(label: Label) -> Self {
        label.0
    }
}

/// Who a process is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Principal {
    /// The cluster that vouches for it.
    pub cluster: Label,
    /// What it may be there.
    pub role: Role,
    /// Which of them it is.
    pub id: Label,
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "capstan://{}/{}/{}", self.cluster, self.role, self.id)
    }
}

impl FromStr for Principal {
    type Err = PrincipalError;

    fn from_str(text: &str) -> Result<Self, PrincipalError> {
        let refused = || refused(text, "the name of a process", "capstan://CLUSTER/ROLE/ID");
        let mut parts = text.strip_prefix("capstan://").ok_or_else(refused)?.split('/');
        let (Some(cluster), Some(role), Some(id), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
            return Err(refused());
        };
        let part = |text: &str| text.parse::<Label>().map_err(|_| refused());
        Ok(Self { cluster: part(cluster)?, role: role.parse().map_err(|_| refused())?, id: part(id)? })
    }
}

impl TryFrom<String> for Principal {
    type Error = PrincipalError;

    fn try_from(text: String) -> Result<Self, PrincipalError> {
        text.parse()
    }
}

impl From<Principal> for String {
    fn from(principal: Principal) -> Self {
        principal.to_string()
    }
}

/// The serial number of a certificate: 1 to 20 bytes, as lower case hexadecimal digits without leading zeros.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Serial(String);

impl Serial {
    /// The most bytes of one (RFC 5280, 4.1.2.2).
    pub const MAX_BYTES: usize = 20;

    /// The serial of these bytes, the most significant first.
    #[must_use]
    pub fn of_bytes(bytes: &[u8]) -> Self {
        let digits: String = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(digit).collect();
        let short = digits.trim_start_matches('0');
        Self(if short.is_empty() { "0".to_owned() } else { short.to_owned() })
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn digit(value: u8) -> char {
    char::from_digit(u32::from(value), 16).unwrap_or('0')
}

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Serial {
    type Err = PrincipalError;

    fn from_str(text: &str) -> Result<Self, PrincipalError> {
        let digits = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let short = text == "0" || !text.starts_with('0');
        if digits && short && (1..=2 * Self::MAX_BYTES).contains(&text.len()) {
            return Ok(Self(text.to_owned()));
        }
        Err(refused(text, "a serial number", "hexadecimal digits as `capstan cluster cert list` shows them"))
    }
}

impl TryFrom<String> for Serial {
    type Error = PrincipalError;

    fn try_from(text: String) -> Result<Self, PrincipalError> {
        text.parse()
    }
}

impl From<Serial> for String {
    fn from(serial: Serial) -> Self {
        serial.0
    }
}

/// The SHA-256 of a certificate.
pub type Thumbprint = Digest;

/// Who is at the other end of a connection: what its certificate says, which was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// Its name.
    pub name: Principal,
    /// The certificate's number.
    pub serial: Serial,
    /// The certificate's digest.
    pub thumbprint: Thumbprint,
    /// Until when the certificate is valid, in milliseconds since 1970.
    pub not_after_ms: u64,
}

fn refused(text: &str, what: &'static str, expected: &'static str) -> PrincipalError {
    PrincipalError { text: text.chars().take(120).collect(), what, expected }
}

#[cfg(test)]
mod tests;
