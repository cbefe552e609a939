//! What an issuer must remember: tokens and which were used, the certificates it made, and those that were taken back.
//!
//! The trait lies here; [`crate::file_ledger`] keeps it in a directory of one host. Several coordinators that sign share one in etcd, which
//! is made on their floor.

use crate::token::{TokenId, TokenRecord};
use async_trait::async_trait;
use capstan_types::principal::{Principal, Serial};
use serde::{Deserialize, Serialize};
use std::fmt::Debug;

/// The ledger cannot be read or written. For the operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the cluster's records at {place} cannot be used: {reason}")]
pub struct LedgerError {
    /// Where they are.
    pub place: String,
    /// What is wrong.
    pub reason: String,
}

/// A token as operators see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The token.
    pub token: TokenRecord,
    /// Who joined with it.
    pub used: Option<Use>,
}

/// That somebody joined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Use {
    /// Who.
    pub by: Principal,
    /// When, in milliseconds since 1970.
    pub at_ms: u64,
}

/// A certificate that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issued {
    /// Its number.
    pub serial: Serial,
    /// Whose it is.
    pub name: Principal,
    /// When it was made, in milliseconds since 1970.
    pub at_ms: u64,
    /// Until when it is valid, in milliseconds since 1970.
    pub until_ms: u64,
    /// The token that its holder, or the holder before its renewals, joined with; none for the issuer's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<TokenId>,
}

/// A certificate that was taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Denied {
    /// Its number.
    pub serial: Serial,
    /// When it was taken back, in milliseconds since 1970.
    pub at_ms: u64,
}

/// How an attempt to use a token up went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Redeemed {
    /// This attempt was the one.
    Now,
    /// Another was before it.
    Before,
}

/// Remembers. Whatever returns without an error is on the disk.
#[async_trait]
pub trait Ledger: Debug + Send + Sync {
    /// Adds a token.
    async fn add(&self, token: TokenRecord) -> Result<(), LedgerError>;

    /// All tokens that are kept, the newest last.
    async fn tokens(&self) -> Result<Vec<Kept>, LedgerError>;

    /// A token.
    async fn token(&self, id: &TokenId) -> Result<Option<Kept>, LedgerError>;

    /// Uses a token up. Of all attempts, at whatever time and from whatever process, one gets [`Redeemed::Now`].
    async fn redeem(&self, id: &TokenId, by: Use) -> Result<Redeemed, LedgerError>;

    /// Takes a token away; whether it was there.
    async fn withdraw(&self, id: &TokenId) -> Result<bool, LedgerError>;

    /// Notes a certificate, before anybody is given it.
    async fn note(&self, issued: Issued) -> Result<(), LedgerError>;

    /// The certificates that were made, the newest last. Those that are long over may be missing.
    async fn issued(&self) -> Result<Vec<Issued>, LedgerError>;

    /// A certificate.
    async fn certificate(&self, serial: &Serial) -> Result<Option<Issued>, LedgerError> {
        Ok(self.issued().await?.into_iter().rfind(|issued| issued.serial == *serial))
    }

    /// Takes a certificate back for good; whether it was not before.
    async fn deny(&self, denied: Denied) -> Result<bool, LedgerError>;

    /// The certificates that were taken back.
    async fn denied(&self) -> Result<Vec<Denied>, LedgerError>;
}
