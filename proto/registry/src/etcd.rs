//! A registry in etcd, for nodes and coordinators that live on many hosts.
//!
//! `keeper` holds this process's one lease and what is put under it; `follow` keeps a view in step with all nodes' keys, for those who
//! ask. Both go on by themselves when etcd was away. What changes often does not go through etcd.

mod beats;
mod claim;
mod client;
mod entry;
mod fault;
mod fold;
mod follow;
mod keeper;
mod keys;
mod known;
mod list;
pub mod location;
mod orders;
mod pause;
pub mod records;
mod stream;
mod value;
mod wants;
mod wire;

use crate::coordinator::CoordinatorRecord;
use crate::error::RegistryError;
use crate::orders::OrdersWatch;
use crate::registry::{Announcement, Lease, Registration, Registry};
use crate::standing::Standing;
use crate::view::NodeWatch;
use async_trait::async_trait;
use capstan_types::id::{Generation, NodeId};
use capstan_types::node::NodeRecord;
use capstan_types::orders::{Change, Given, NodeOrders};
use client::{Client, DEADLINE};
use follow::{Follower, Rhythm};
use keeper::{EtcdHold, Keeper, NotHeld};
use keys::Keys;
use location::EtcdLocation;
use orders::OrdersFollower;
use std::sync::{Arc, OnceLock};
use value::Value;

/// The one life of a coordinator's record: its name is never used again.
const ONLY: Generation = Generation(1);

/// A registry in etcd.
#[derive(Debug)]
pub struct EtcdRegistry {
    client: Arc<Client>,
    keys: Keys,
    rhythm: Rhythm,
    keeper: Arc<Keeper>,
    follower: OnceLock<Follower>,
    orders: OnceLock<OrdersFollower>,
}

impl EtcdRegistry {
    /// Opens it. Nobody is asked yet. Must be called on a runtime, which does the work until the registry and its registrations are
    /// dropped.
    ///
    /// # Errors
    /// Certificates that cannot be used.
    pub fn open(location: &EtcdLocation) -> Result<Self, RegistryError> {
        Self::with(location, Rhythm::of(location.lease_ttl))
    }

    fn with(location: &EtcdLocation, rhythm: Rhythm) -> Result<Self, RegistryError> {
        let client = Arc::new(Client::new(location)?);
        let keeper = Arc::new(Keeper::start(Arc::clone(&client), location.lease_ttl));
        Ok(Self {
            client,
            keys: Keys::below(&location.prefix),
            rhythm,
            keeper,
            follower: OnceLock::new(),
            orders: OnceLock::new(),
        })
    }

    /// The follower, which is started when it is first asked for: a node's user may not even read what it follows.
    fn follower(&self) -> &Follower {
        self.follower.get_or_init(|| Follower::start(Arc::clone(&self.client), self.keys.nodes(), self.rhythm))
    }

    fn orders_follower(&self) -> &OrdersFollower {
        self.orders.get_or_init(|| OrdersFollower::start(Arc::clone(&self.client), self.keys.orders(), self.rhythm))
    }

    /// The follower, when it has seen all that this process wrote, or when etcd does not answer.
    async fn caught_up(&self) -> &Follower {
        let follower = self.follower();
        follower.known.wait_for(self.keeper.written().max(1), DEADLINE).await;
        follower
    }
}

#[async_trait]
impl Registry for EtcdRegistry {
    async fn register(&self, record: NodeRecord) -> Result<Registration, RegistryError> {
        let value = Value::of_node(&record).map_err(RegistryError::Record)?;
        let held = self.keeper.hold(self.keys.node(&record.id), record.generation, value).await;
        let held = held.map_err(|failed| match failed {
            NotHeld::Taken(present) => RegistryError::NotNewer { id: record.id.clone(), present, offered: record.generation },
            NotHeld::Etcd(error) => error.into(),
        })?;
        Ok(Registration::new(record, Box::new(EtcdLease(held))))
    }

    async fn announce(&self, record: CoordinatorRecord) -> Result<Announcement, RegistryError> {
        let value = Value::of_coordinator(&record).map_err(RegistryError::Record)?;
        let held = self.keeper.hold(self.keys.coordinator(&record.id), ONLY, value).await;
        let held = held.map_err(|failed| match failed {
            NotHeld::Taken(_) => RegistryError::Announced(record.id.clone()),
            NotHeld::Etcd(error) => error.into(),
        })?;
        Ok(Announcement::new(Box::new(EtcdLease(held))))
    }

    async fn coordinators(&self) -> Result<Vec<CoordinatorRecord>, RegistryError> {
        let (_, entries) = list::entries(&self.client, &self.keys.coordinators()).await?;
        Ok(entries.iter().filter_map(|entry| value::coordinator(&entry.value).ok()).collect())
    }

    async fn reach(&self) -> Result<(), RegistryError> {
        let known = &self.caught_up().await.known;
        match (known.standing().stale, known.error()) {
            (Some(_), Some(error)) => Err(error.into()),
            (_, _) => Ok(()),
        }
    }

    async fn nodes(&self) -> Vec<NodeRecord> {
        self.caught_up().await.view.nodes()
    }

    async fn watch(&self) -> NodeWatch {
        self.caught_up().await.view.watch()
    }

    async fn orders(&self) -> OrdersWatch {
        let follower = self.orders_follower();
        // Whoever places must not take a node for open because nothing was read yet.
        follower.known.wait_for(1, DEADLINE).await;
        follower.watch()
    }

    async fn order(&self, node: &NodeId, change: &Change, given: &Given) -> Result<NodeOrders, RegistryError> {
        let follower = self.orders_follower();
        let (orders, revision) = orders::change(&self.client, &self.keys.order(node), change, given).await?;
        follower.known.wait_for(revision, DEADLINE).await;
        Ok(orders)
    }

    fn standing(&self) -> Standing {
        let standing = self.follower.get().map(|follower| follower.known.standing()).unwrap_or_default();
        // A node that was closed meanwhile must not be taken for open.
        let orders = self.orders.get().and_then(|follower| follower.known.standing().stale);
        Standing { stale: standing.stale.or(orders), ..standing }
    }
}

#[derive(Debug)]
struct EtcdLease(EtcdHold);

#[async_trait]
impl Lease for EtcdLease {
    async fn release(self: Box<Self>) {
        self.0.release().await;
    }
}

#[cfg(test)]
mod tests;
