//! A registry in memory, for the node that lives in the coordinator's own process and for nodes named on the command line.

use crate::coordinator::CoordinatorRecord;
use crate::error::RegistryError;
use crate::registry::{Announcement, Lease, Registration, Registry};
use crate::standing::Standing;
use crate::view::{NodeView, NodeWatch};
use async_trait::async_trait;
use capstan_types::id::{Generation, NodeId};
use capstan_types::node::NodeRecord;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A registry that ends with the process.
#[derive(Debug)]
pub struct EmbeddedRegistry {
    view: NodeView,
    coordinators: Coordinators,
}

impl EmbeddedRegistry {
    /// A registry without nodes.
    #[must_use]
    pub fn empty() -> Self {
        Self { view: NodeView::empty(), coordinators: Coordinators::default() }
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

    async fn watch(&self) -> NodeWatch {
        self.view.watch()
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
    use super::EmbeddedRegistry;
    use crate::conformance;

    #[tokio::test]
    async fn the_embedded_registry_conforms() {
        conformance::check(async || EmbeddedRegistry::empty()).await;
    }
}
