//! A registry in memory, for the node that lives in the coordinator's own process and for nodes named on the command line.

use crate::registry::{Lease, Registration, Registry};
use crate::view::{NodeView, NodeWatch, RegistryError};
use async_trait::async_trait;
use capstan_types::id::{Generation, NodeId};
use capstan_types::node::NodeRecord;

/// A registry that ends with the process.
#[derive(Debug)]
pub struct EmbeddedRegistry {
    view: NodeView,
}

impl EmbeddedRegistry {
    /// A registry without nodes.
    #[must_use]
    pub fn empty() -> Self {
        Self { view: NodeView::empty() }
    }
}

#[async_trait]
impl Registry for EmbeddedRegistry {
    async fn register(&self, record: NodeRecord) -> Result<Registration, RegistryError> {
        self.view.join(record.clone())?;
        let lease = EmbeddedLease { view: self.view.clone(), id: record.id.clone(), generation: record.generation };
        Ok(Registration::new(record, Box::new(lease)))
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

#[cfg(test)]
mod tests {
    use super::EmbeddedRegistry;
    use crate::conformance;

    #[tokio::test]
    async fn the_embedded_registry_conforms() {
        conformance::check(async || EmbeddedRegistry::empty()).await;
    }
}
