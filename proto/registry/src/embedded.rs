//! A registry in memory, for the node that lives in the coordinator's own process and for nodes named on the command line.

use crate::coordinator::CoordinatorRecord;
use crate::error::RegistryError;
use crate::orders::{AllOrders, OrdersWatch};
use crate::orders_file::OrdersFile;
use crate::registry::{Announcement, Lease, Registration, Registry};
use crate::standing::Standing;
use crate::view::{NodeView, NodeWatch};
use async_trait::async_trait;
use capstan_types::id::{Generation, NodeId};
use capstan_types::node::NodeRecord;
use capstan_types::orders::{Change, Given, NodeOrders};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// A registry that ends with the process, but for its orders where a file is named for them.
#[derive(Debug)]
pub struct EmbeddedRegistry {
    view: NodeView,
    coordinators: Coordinators,
    orders: watch::Sender<Arc<AllOrders>>,
    file: Option<OrdersFile>,
}

impl EmbeddedRegistry {
    /// A registry without nodes.
    #[must_use]
    pub fn empty() -> Self {
        Self { view: NodeView::empty(), coordinators: Coordinators::default(), orders: watch::Sender::default(), file: None }
    }

    /// One without nodes, whose orders are kept in a file. One process at a time may use it.
    ///
    /// # Errors
    /// The file is there and cannot be read.
    pub fn keeping_orders_in(file: PathBuf) -> Result<Self, RegistryError> {
        let file = OrdersFile::at(file);
        let orders = watch::Sender::new(Arc::new(file.read()?));
        Ok(Self { orders, file: Some(file), ..Self::empty() })
    }
}

#[async_trait]
impl Registry for EmbeddedRegistry {
    async fn register(&self, record: NodeRecord) -> Result<Registration, RegistryError> {
        self.view.join(record.clone())?;
        let lease = EmbeddedLease { view: self.view.clone(), id: record.id.clone(), generation: record.generation };
        Ok(Registration::new(record, Box::new(lease)))
    }

    async fn announce(&self, record: CoordinatorRecord) -> Result<Announcement, RegistryError> {
        let id = record.id.clone();
        let mut all = self.coordinators.lock();
        if all.contains_key(&id) {
            return Err(RegistryError::Announced(id));
        }
        all.insert(id.clone(), record);
        drop(all);
        Ok(Announcement::new(Box::new(Announced { coordinators: self.coordinators.clone(), id })))
    }

    async fn coordinators(&self) -> Result<Vec<CoordinatorRecord>, RegistryError> {
        Ok(self.coordinators.lock().values().cloned().collect())
    }

    async fn reach(&self) -> Result<(), RegistryError> {
        Ok(())
    }

    fn standing(&self) -> Standing {
        Standing::default()
    }

    async fn nodes(&self) -> Vec<NodeRecord> {
        self.view.nodes()
    }

    async fn orders(&self) -> OrdersWatch {
        self.orders.subscribe()
    }

    async fn order(&self, node: &NodeId, change: &Change, given: &Given) -> Result<NodeOrders, RegistryError> {
        let mut done = Ok(NodeOrders::default());
        // Under the channel's own lock, so that of two changes none is lost; the file is small, and changes are rare.
        self.orders.send_if_modified(|all| {
            done = self.changed(all, node, change, given).map(|(new, orders)| {
                *all = Arc::new(new);
                orders
            });
            done.is_ok()
        });
        done
    }

    async fn watch(&self) -> NodeWatch {
        self.view.watch()
    }
}

impl EmbeddedRegistry {
    fn changed(
        &self,
        all: &AllOrders,
        node: &NodeId,
        change: &Change,
        given: &Given,
    ) -> Result<(AllOrders, NodeOrders), RegistryError> {
        let orders = all.get(node).cloned().unwrap_or_default().obey(change, given)?;
        let mut new = all.clone();
        new.insert(node.clone(), orders.clone());
        self.file.as_ref().map_or(Ok(()), |file| file.write(&new))?;
        Ok((new, orders))
    }
}

#[derive(Debug)]
struct EmbeddedLease {
    view: NodeView,
    id: NodeId,
    generation: Generation,
}

#[async_trait]
impl Lease for EmbeddedLease {
    async fn release(self: Box<Self>) {
        drop(self);
    }
}

impl Drop for EmbeddedLease {
    fn drop(&mut self) {
        self.view.leave(&self.id, self.generation);
    }
}

#[derive(Debug, Clone, Default)]
struct Coordinators(Arc<Mutex<BTreeMap<String, CoordinatorRecord>>>);

impl Coordinators {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, CoordinatorRecord>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug)]
struct Announced {
    coordinators: Coordinators,
    id: String,
}

#[async_trait]
impl Lease for Announced {
    async fn release(self: Box<Self>) {
        drop(self);
    }
}

impl Drop for Announced {
    fn drop(&mut self) {
        self.coordinators.lock().remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance;

    #[tokio::test]
    async fn the_embedded_registry_conforms() {
        conformance::check(async || EmbeddedRegistry::empty()).await;
    }

    #[tokio::test]
    async fn orders_in_a_file_outlive_the_registry_and_a_file_of_something_else_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("orders.json");
        let opened = || EmbeddedRegistry::keeping_orders_in(file.clone());
        let (node, given) = ("a".parse().unwrap(), conformance::given());
        let orders = opened().unwrap().order(&node, &Change::Cordon, &given).await.unwrap();
        assert_eq!(opened().unwrap().orders().await.borrow().get(&node), Some(&orders));
        std::fs::write(&file, "nonsense").unwrap();
        let said = opened().unwrap_err().to_string();
        assert!(said.contains("orders.json: expected"), "{said}");
    }
}
