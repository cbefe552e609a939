//! The factory: the only place that knows which registries there are.

use crate::embedded::EmbeddedRegistry;
use crate::error::RegistryError;
use crate::etcd::EtcdRegistry;
use crate::etcd::location::EtcdLocation;
use crate::registry::Registry;
use std::path::PathBuf;
use std::sync::Arc;

/// Where the registry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RegistryLocation {
    /// In this process.
    Embedded,
    /// In this process, with what operators order for nodes in this file.
    Kept(PathBuf),
    /// In etcd.
    Etcd(Box<EtcdLocation>),
}

/// Opens a registry.
///
/// # Errors
/// Of one whose orders are kept in a file, a file that cannot be read. Of one in etcd, certificates that cannot be used; whether it can be reached is seen when it is used.
pub async fn open(location: &RegistryLocation) -> Result<Arc<dyn Registry>, RegistryError> {
    match location {
        RegistryLocation::Embedded => Ok(Arc::new(EmbeddedRegistry::empty())),
        RegistryLocation::Kept(file) => Ok(Arc::new(EmbeddedRegistry::keeping_orders_in(file.clone())?)),
        RegistryLocation::Etcd(location) => Ok(Arc::new(EtcdRegistry::open(location)?)),
    }
}
