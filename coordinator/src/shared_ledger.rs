//! The ledger of a cluster in etcd, for several coordinators that hold its authority: a token that is used up at one of them is used up at
//! all.
//!
//! Below the registry's prefix: `tokens/ID` and `used/ID`, which etcd forgets some days after the token's time, `certificates/SERIAL` likewise,
//! and `denied/SERIAL`, which it keeps. That a token was used is a key that can be made once; two who come at the same moment, at whatever
//! coordinators, meet there.

use async_trait::async_trait;
use capstan_identity::ledger::{Denied, Issued, Kept, Ledger, LedgerError, Redeemed, Use};
use capstan_identity::random;
use capstan_identity::time_now::now_ms;
use capstan_identity::token::{TokenId, TokenRecord};
use capstan_registry::{EtcdLocation, EtcdRecords, Made};
use capstan_types::principal::Serial;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::sync::OnceLock;
use std::time::Duration;

const TOKENS: &str = "tokens";
const USED: &str = "used";
const CERTIFICATES: &str = "certificates";
const DENIED: &str = "denied";

/// How long something is kept after its time is over, for those who want to know what became of it.
const AFTERWARDS: Duration = Duration::from_secs(24 * 3600);

/// The ledger.
#[derive(Debug)]
pub struct SharedLedger {
    location: EtcdLocation,
    // Made when it is first used, since that must be on a runtime.
    records: OnceLock<EtcdRecords>,
}

/// One attempt to make a record. No two are alike.
#[derive(Debug, Serialize, Deserialize)]
struct Attempt<T> {
    #[serde(flatten)]
    what: T,
    attempt: String,
}

impl SharedLedger {
    /// The ledger in this etcd. Nobody is asked yet.
    #[must_use]
    pub const fn at(location: EtcdLocation) -> Self {
        Self { location, records: OnceLock::new() }
    }

    fn records(&self) -> Result<&EtcdRecords, LedgerError> {
        if let Some(records) = self.records.get() {
            return Ok(records);
        }
        let opened = EtcdRecords::open(&self.location).map_err(|error| self.failed(error))?;
        Ok(self.records.get_or_init(|| opened))
    }

    fn failed(&self, reason: impl ToString) -> LedgerError {
        LedgerError { place: format!("etcd at {}", self.location.endpoints), reason: reason.to_string() }
    }

    async fn make<T: Serialize>(&self, kind: &str, id: &str, what: T, keep: Option<Duration>) -> Result<Made, LedgerError> {
        let attempt = random::hex::<16>().map_err(|error| self.failed(error))?;
        let value = serde_json::to_vec(&Attempt { what, attempt }).map_err(|error| self.failed(error))?;
        self.records()?.make(kind, id, &value, keep).await.map_err(|error| self.failed(error))
    }

    async fn read<T: DeserializeOwned>(&self, kind: &str, id: &str) -> Result<Option<T>, LedgerError> {
        let value = self.records()?.read(kind, id).await.map_err(|error| self.failed(error))?;
        value.map(|value| self.decoded(kind, &value)).transpose()
    }

    async fn list<T: DeserializeOwned>(&self, kind: &str) -> Result<Vec<T>, LedgerError> {
        let all = self.records()?.list(kind).await.map_err(|error| self.failed(error))?;
        all.iter().map(|value| self.decoded(kind, value)).collect()
    }

    fn decoded<T: DeserializeOwned>(&self, kind: &str, value: &[u8]) -> Result<T, LedgerError> {
        serde_json::from_slice(value).map_err(|error| self.failed(format!("a record below {kind}/ is damaged: {error}")))
    }
}

/// From now until a moment, and a while after it.
fn past(until_ms: u64) -> Duration {
    Duration::from_millis(until_ms.saturating_sub(now_ms())).saturating_add(AFTERWARDS)
}

#[async_trait]
impl Ledger for SharedLedger {
    async fn add(&self, token: TokenRecord) -> Result<(), LedgerError> {
        let (id, keep) = (token.id.clone(), past(token.expires_ms));
        match self.make(TOKENS, id.as_str(), token, Some(keep)).await? {
            Made::Now => Ok(()),
            Made::Before => Err(self.failed(format!("there is a token {id} already"))),
        }
    }

    async fn tokens(&self) -> Result<Vec<Kept>, LedgerError> {
        let mut all = Vec::new();
        for token in self.list::<TokenRecord>(TOKENS).await? {
            let used = self.read(USED, token.id.as_str()).await?;
            all.push(Kept { token, used });
        }
        all.sort_by(|one, other| (one.token.created_ms, &one.token.id).cmp(&(other.token.created_ms, &other.token.id)));
        Ok(all)
    }

    async fn token(&self, id: &TokenId) -> Result<Option<Kept>, LedgerError> {
        let Some(token) = self.read(TOKENS, id.as_str()).await? else { return Ok(None) };
        Ok(Some(Kept { token, used: self.read(USED, id.as_str()).await? }))
    }

    async fn redeem(&self, id: &TokenId, by: Use) -> Result<Redeemed, LedgerError> {
        let Some(token) = self.read::<TokenRecord>(TOKENS, id.as_str()).await? else { return Ok(Redeemed::Before) };
        // Kept for longer than the token itself: what is not there any more cannot be used.
        let keep = past(token.expires_ms).saturating_add(AFTERWARDS);
        Ok(match self.make(USED, id.as_str(), by, Some(keep)).await? {
            Made::Now => Redeemed::Now,
            Made::Before => Redeemed::Before,
        })
    }

    async fn withdraw(&self, id: &TokenId) -> Result<bool, LedgerError> {
        self.records()?.remove(TOKENS, id.as_str()).await.map_err(|error| self.failed(error))
    }

    async fn note(&self, issued: Issued) -> Result<(), LedgerError> {
        let (serial, keep) = (issued.serial.clone(), past(issued.until_ms));
        match self.make(CERTIFICATES, serial.as_str(), issued, Some(keep)).await? {
            Made::Now => Ok(()),
            Made::Before => Err(self.failed(format!("there is a certificate {serial} already"))),
        }
    }

    async fn issued(&self) -> Result<Vec<Issued>, LedgerError> {
        let mut all: Vec<Issued> = self.list(CERTIFICATES).await?;
        all.sort_by(|one, other| (one.at_ms, &one.serial).cmp(&(other.at_ms, &other.serial)));
        Ok(all)
    }

    async fn certificate(&self, serial: &Serial) -> Result<Option<Issued>, LedgerError> {
        self.read(CERTIFICATES, serial.as_str()).await
    }

    async fn deny(&self, denied: Denied) -> Result<bool, LedgerError> {
        let serial = denied.serial.clone();
        Ok(self.make(DENIED, serial.as_str(), denied, None).await? == Made::Now)
    }

    async fn denied(&self) -> Result<Vec<Denied>, LedgerError> {
        self.list(DENIED).await
    }
}
