//! Small values that several processes share, each under a key of its own: made once, read, listed and removed.
//!
//! Unlike what is registered, they outlive the process that wrote them. A value can be given a time after which etcd forgets it.

use super::claim::{compare, put, read, write};
use super::client::Client;
use super::keys::Keys;
use super::list::entries;
use super::location::EtcdLocation;
use super::wire::compare::{CompareTarget, TargetUnion};
use super::wire::lease_client::LeaseClient;
use super::wire::request_op::Request as Op;
use super::wire::{DeleteRangeRequest, LeaseGrantRequest};
use crate::error::EtcdError;
use std::time::Duration;

/// The values below one prefix.
#[derive(Debug)]
pub struct EtcdRecords {
    client: Client,
    keys: Keys,
}

/// How an attempt to make a value went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Made {
    /// This attempt made it.
    Now,
    /// It is another's.
    Before,
}

impl EtcdRecords {
    /// Opens them. Nobody is asked yet.
    ///
    /// # Errors
    /// Certificates that cannot be used.
    pub fn open(location: &EtcdLocation) -> Result<Self, EtcdError> {
        Ok(Self { client: Client::new(location)?, keys: Keys::below(&location.prefix) })
    }

    /// Makes a value, forgotten after `keep` if that is said. Of all attempts, from wherever, one gets [`Made::Now`]. The values of two
    /// attempts must differ: it is by its value that an attempt whose answer was lost knows its own again.
    ///
    /// # Errors
    /// etcd did not do it, or it is not known whether it did.
    pub async fn make(&self, kind: &str, id: &str, value: &[u8], keep: Option<Duration>) -> Result<Made, EtcdError> {
        let key = self.keys.record(kind, id);
        let lease = match keep {
            Some(keep) => self.lease(keep).await?,
            None => 0,
        };
        let still = compare(&key, CompareTarget::Create, TargetUnion::CreateRevision(0));
        if write(&self.client, &key, still, put(&key, value, lease)).await?.is_some() {
            return Ok(Made::Now);
        }
        let there = read(&self.client, &key).await?;
        Ok(if there.is_some_and(|there| there.value == value) { Made::Now } else { Made::Before })
    }

    /// A value.
    ///
    /// # Errors
    /// etcd does not say.
    pub async fn read(&self, kind: &str, id: &str) -> Result<Option<Vec<u8>>, EtcdError> {
        Ok(read(&self.client, &self.keys.record(kind, id)).await?.map(|entry| entry.value))
    }

    /// All values of a kind, in the order of their ids.
    ///
    /// # Errors
    /// etcd does not say.
    pub async fn list(&self, kind: &str) -> Result<Vec<Vec<u8>>, EtcdError> {
        let (_, all) = entries(&self.client, &self.keys.records(kind)).await?;
        Ok(all.into_iter().map(|entry| entry.value).collect())
    }

    /// Removes a value; whether it was there.
    ///
    /// # Errors
    /// etcd did not do it, or it is not known whether it did.
    pub async fn remove(&self, kind: &str, id: &str) -> Result<bool, EtcdError> {
        let key = self.keys.record(kind, id);
        let Some(there) = read(&self.client, &key).await? else { return Ok(false) };
        let still = compare(&key, CompareTarget::Mod, TargetUnion::ModRevision(there.mod_revision));
        let gone = Op::RequestDeleteRange(DeleteRangeRequest { key: key.as_str().into() });
        Ok(write(&self.client, &key, still, gone).await?.is_some())
    }

    async fn lease(&self, keep: Duration) -> Result<i64, EtcdError> {
        let ttl = i64::try_from(keep.as_secs().max(1)).unwrap_or(i64::MAX);
        let grant = async |channel, request| LeaseClient::new(channel).lease_grant(request).await;
        let granted = self.client.ask("be given a lease", LeaseGrantRequest { ttl, id: 0 }, grant).await?;
        if granted.id == 0 { Err(EtcdError::Refused(format!("no lease was granted: {}", granted.error))) } else { Ok(granted.id) }
    }
}
