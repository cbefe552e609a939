//! The one trait behind which every registry stands.
//!
//! Invariants: a node id is held by at most one record at a time, a record is replaced only by a higher generation of the same node,
//! and a record lives no longer than the [`Registration`] that its node holds.

use crate::view::{NodeWatch, RegistryError};
use async_trait::async_trait;
use capstan_types::node::NodeRecord;
use std::fmt::Debug;

/// Knows the nodes that are alive.
#[async_trait]
pub trait Registry: Debug + Send + Sync {
    /// Makes a node known for as long as the returned registration is held.
    ///
    /// A record of a lower generation under the same id is replaced: watchers hear that the old life left, then that the new one joined.
    ///
    /// # Errors
    /// [`RegistryError::NotNewer`] when the id is held by the same or a higher generation.
    async fn register(&self, record: NodeRecord) -> Result<Registration, RegistryError>;

    /// The nodes that are registered now, by id.
    async fn nodes(&self) -> Vec<NodeRecord>;

    /// Follows the nodes from now on. The first event is a [`Resync`](crate::view::NodeEvent::Resync) with those that are there already.
    async fn watch(&self) -> NodeWatch;
}

/// What keeps a record in a registry. Dropping it removes the record as soon as the implementation can without waiting.
#[async_trait]
pub trait Lease: Debug + Send {
    /// Removes the record, and returns when it is gone.
    async fn release(self: Box<Self>);
}

/// A node's hold on its record. Dropping it removes the record, so that a node that dies by any way out of its code is not given work.
#[derive(Debug)]
#[must_use = "dropping a registration removes the node from the registry"]
pub struct Registration {
    record: NodeRecord,
    lease: Box<dyn Lease>,
}

impl Registration {
    /// For implementations of [`Registry`]: a registration of `record` that `lease` keeps.
    pub fn new(record: NodeRecord, lease: Box<dyn Lease>) -> Self {
        Self { record, lease }
    }

    /// What was registered.
    #[must_use]
    pub const fn record(&self) -> &NodeRecord {
        &self.record
    }

    /// Removes the record; when this returns, no new watcher sees it.
    pub async fn release(self) {
        self.lease.release().await;
    }
}
