//! The one trait behind which every registry stands.
//!
//! Invariants: a node id is held by at most one record at a time, a record is replaced only by a higher generation of the same node,
//! and a record lives no longer than the [`Registration`] that its node holds.

use crate::coordinator::CoordinatorRecord;
use crate::error::RegistryError;
use crate::orders::OrdersWatch;
use crate::standing::Standing;
use crate::view::NodeWatch;
use async_trait::async_trait;
use capstan_types::id::NodeId;
use capstan_types::node::NodeRecord;
use capstan_types::orders::{Change, Given, NodeOrders};
use std::fmt::Debug;

/// Knows the nodes that are alive.
#[async_trait]
pub trait Registry: Debug + Send + Sync {
    /// Makes a node known for as long as the returned registration is held.
    ///
    /// A record of a lower generation under the same id is replaced: watchers hear that the old life left, then that the new one joined.
    ///
    /// # Errors
    /// [`RegistryError::NotNewer`] when the id is held by the same or a higher generation; or the registry is out of reach.
    async fn register(&self, record: NodeRecord) -> Result<Registration, RegistryError>;

    /// Makes a coordinator known for as long as what is returned is held.
    ///
    /// # Errors
    /// Its name is taken, or the registry is out of reach.
    async fn announce(&self, record: CoordinatorRecord) -> Result<Announcement, RegistryError>;

    /// The coordinators that are known now, by id.
    ///
    /// # Errors
    /// The registry is out of reach.
    async fn coordinators(&self) -> Result<Vec<CoordinatorRecord>, RegistryError>;

    /// Sees whether the nodes can be followed, for whoever wants to know it before it begins.
    ///
    /// # Errors
    /// What stands in the way.
    async fn reach(&self) -> Result<(), RegistryError>;

    /// The nodes that are registered, by id: all that this process registered, and all that it has heard of.
    async fn nodes(&self) -> Vec<NodeRecord>;

    /// How much of that may be believed now.
    fn standing(&self) -> Standing;

    /// What operators have ordered for nodes, as it changes. Orders stay whether their node is there or not.
    async fn orders(&self) -> OrdersWatch;

    /// Changes what is ordered for a node, and gives the orders as they are then. When this returns, [`Registry::orders`] of this registry shows it.
    ///
    /// # Errors
    /// [`RegistryError::Unchanged`] when the change cannot be made or changes nothing; or the registry is out of reach.
    async fn order(&self, node: &NodeId, change: &Change, given: &Given) -> Result<NodeOrders, RegistryError>;

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

/// A coordinator's hold on its record. Dropping it removes the record.
#[derive(Debug)]
#[must_use = "dropping an announcement removes the coordinator from the registry"]
pub struct Announcement {
    lease: Box<dyn Lease>,
}

impl Announcement {
    /// For implementations of [`Registry`]: an announcement that `lease` keeps.
    pub fn new(lease: Box<dyn Lease>) -> Self {
        Self { lease }
    }

    /// Removes the record, and returns when it is gone.
    pub async fn release(self) {
        self.lease.release().await;
    }
}
