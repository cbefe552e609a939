//! Join tokens: `cap1.PIN.ID.SECRET`. The pin names the authority, so that nobody can stand between a newcomer and its cluster; the
//! secret lets one newcomer in, once, for a short time, in one role.
//!
//! Invariant: the secret is known to whoever holds the token. The issuer keeps a digest of it.

use crate::certificate::digest;
use crate::random::{self, NoRandom};
use capstan_types::output::digest::Digest;
use capstan_types::principal::{Label, Role};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// How long a token can be used when nobody says otherwise.
pub const DEFAULT_TTL: Duration = Duration::from_secs(15 * 60);

/// The version that a token begins with.
const VERSION: &str = "cap1";

/// Bytes of a token's id, and of its secret.
const ID_BYTES: usize = 8;
const SECRET_BYTES: usize = 32;

/// A text that is no join token. The text is not repeated, since most of it may be one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is not a join token; one begins with `cap1.` and is shown once by `capstan cluster token create`")]
pub struct TokenSyntax;

/// Names a token, also after it was used. It is no secret: 16 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TokenId(String);

impl TokenId {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for TokenId {
    type Err = TokenSyntax;

    fn from_str(text: &str) -> Result<Self, TokenSyntax> {
        is_hex(text, ID_BYTES).then(|| Self(text.to_owned())).ok_or(TokenSyntax)
    }
}

impl TryFrom<String> for TokenId {
    type Error = TokenSyntax;

    fn try_from(text: String) -> Result<Self, TokenSyntax> {
        text.parse()
    }
}

impl From<TokenId> for String {
    fn from(id: TokenId) -> Self {
        id.0
    }
}

/// What lets one newcomer in. Its value is never printed by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The secret as it was sent.
    ///
    /// # Errors
    /// It cannot be one.
    pub fn parse(text: &str) -> Result<Self, TokenSyntax> {
        is_hex(text, SECRET_BYTES).then(|| Self(text.to_owned())).ok_or(TokenSyntax)
    }

    /// What the issuer keeps of it.
    #[must_use]
    pub fn digest(&self) -> Digest {
        digest(self.0.as_bytes())
    }

    /// The secret, to be sent to the issuer.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret([redacted])")
    }
}

/// A token as its holder has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JoinToken {
    /// The digest of the authority's public key.
    pub pin: Digest,
    /// Which token it is.
    pub id: TokenId,
    /// What lets one in.
    pub secret: Secret,
}

impl JoinToken {
    /// A fresh token of the authority with this pin.
    ///
    /// # Errors
    /// There are no random numbers.
    pub fn fresh(pin: Digest) -> Result<Self, NoRandom> {
        Ok(Self { pin, id: TokenId(random::hex::<ID_BYTES>()?), secret: Secret(random::hex::<SECRET_BYTES>()?) })
    }

    /// The whole token, for its holder.
    #[must_use]
    pub fn reveal(&self) -> String {
        format!("{VERSION}.{}.{}.{}", self.pin, self.id, self.secret.0)
    }
}

impl FromStr for JoinToken {
    type Err = TokenSyntax;

    /// White space around it is ignored.
    fn from_str(text: &str) -> Result<Self, TokenSyntax> {
        let mut parts = text.trim().split('.');
        let (Some(VERSION), Some(pin), Some(id), Some(secret), None) =
            (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(TokenSyntax);
        };
        if !is_hex(pin, 32) {
            return Err(TokenSyntax);
        }
        Ok(Self { pin: pin.parse().map_err(|_| TokenSyntax)?, id: id.parse()?, secret: Secret::parse(secret)? })
    }
}

/// A token as its issuer keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenRecord {
    /// Which token it is.
    pub id: TokenId,
    /// What is known of its secret.
    pub secret: Digest,
    /// What a newcomer becomes.
    pub role: Role,
    /// What it must be called; anything if not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Label>,
    /// When it was made, in milliseconds since 1970.
    pub created_ms: u64,
    /// From when on it is of no use, in milliseconds since 1970.
    pub expires_ms: u64,
}

/// Why a newcomer is not let in. Told to whoever holds a token, and to the audit log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenRefusal {
    /// There is none of that id, or its secret is another: the two are not told apart.
    #[error("the join token is not known here, or was revoked; make another with `capstan cluster token create`")]
    Unknown,
    /// Somebody joined with it.
    #[error(
        "the join token was used already; a token lets one process in. Make another with `capstan cluster token create`, and if nobody of yours used it, revoke what joined with it: `capstan cluster cert list`"
    )]
    Used,
    /// Its time is over.
    #[error("the join token has expired; make another with `capstan cluster token create`, and use it within its time")]
    Expired,
    /// It lets one in under any name but one that somebody has.
    #[error(
        "a member is called `{0}` already, and this join token is for no name of its own; use another name, or make a token for this one: `capstan cluster token create --name {0}`"
    )]
    Taken(Label),
    /// It is for another role.
    #[error("the join token is for a {is}, not for a {asked}; make one with `capstan cluster token create --role {asked}`")]
    Role {
        /// What it is for.
        is: Role,
        /// What was asked for.
        asked: Role,
    },
    /// It is for another name.
    #[error("the join token is for `{is}`, not for `{asked}`; use that name, or make a token for this one")]
    Name {
        /// What it is for.
        is: Label,
        /// What was asked for.
        asked: Label,
    },
}

impl TokenRecord {
    /// Whether somebody with this secret may become `role` under `name` at `now_ms`. That it was not used before is another question.
    ///
    /// # Errors
    /// Why not.
    pub fn check(&self, secret: &Secret, role: Role, name: &Label, now_ms: u64) -> Result<(), TokenRefusal> {
        // Digests are compared, so how long that takes tells nothing about the secret.
        if secret.digest() != self.secret {
            return Err(TokenRefusal::Unknown);
        }
        if now_ms >= self.expires_ms {
            return Err(TokenRefusal::Expired);
        }
        if role != self.role {
            return Err(TokenRefusal::Role { is: self.role, asked: role });
        }
        match &self.name {
            Some(is) if is != name => Err(TokenRefusal::Name { is: is.clone(), asked: name.clone() }),
            Some(_) | None => Ok(()),
        }
    }
}

fn is_hex(text: &str, bytes: usize) -> bool {
    text.len() == 2 * bytes && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn record(token: &JoinToken) -> TokenRecord {
        let name = Some("n1".parse().unwrap());
        TokenRecord {
            id: token.id.clone(),
            secret: token.secret.digest(),
            role: Role::Node,
            name,
            created_ms: 0,
            expires_ms: 1000,
        }
    }

    #[test]
    fn a_token_lets_in_whom_it_was_made_for() {
        let token = JoinToken::fresh(Digest([7; 32])).unwrap();
        let other = JoinToken::fresh(Digest([7; 32])).unwrap();
        let (record, n1, n2) = (record(&token), "n1".parse().unwrap(), "n2".parse().unwrap());
        assert_eq!(record.check(&token.secret, Role::Node, &n1, 999), Ok(()));
        assert_eq!(record.check(&token.secret, Role::Node, &n1, 1000), Err(TokenRefusal::Expired));
        assert_eq!(record.check(&other.secret, Role::Node, &n1, 0), Err(TokenRefusal::Unknown));
        assert!(matches!(record.check(&token.secret, Role::Coordinator, &n1, 0), Err(TokenRefusal::Role { .. })));
        assert!(matches!(record.check(&token.secret, Role::Node, &n2, 0), Err(TokenRefusal::Name { .. })));
        assert!(TokenRecord { name: None, ..record }.check(&token.secret, Role::Node, &n2, 0).is_ok());
    }

    #[test]
    fn what_is_kept_or_printed_of_a_token_holds_no_secret() {
        let token = JoinToken::fresh(Digest([7; 32])).unwrap();
        let kept = serde_json::to_string(&record(&token)).unwrap();
        assert!(!kept.contains(token.secret.reveal()) && !format!("{token:?}").contains(token.secret.reveal()));
        assert_eq!(token.reveal().parse::<JoinToken>().unwrap(), token);
    }

    proptest! {
        #[test]
        fn what_is_read_as_a_token_is_printed_as_it_was(text in "(cap1\\.)?[0-9a-fA-F]{62,66}\\.[0-9a-f]{15,17}\\.[0-9a-f]{63,65}(\\.x)?") {
            if let Ok(token) = text.parse::<JoinToken>() {
                prop_assert_eq!(token.reveal(), text);
            }
        }

        #[test]
        fn any_text_is_read_without_a_fault(text in ".{0,200}") {
            prop_assert!(text.parse::<JoinToken>().is_err());
        }
    }
}
