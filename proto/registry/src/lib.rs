//! Who is alive: the nodes that can be given work, and how to hear of a change.
//!
//! [`Registry`] is the trait, [`embedded`] the implementation for one process, [`etcd`] the one for many hosts, and [`open()`] the factory
//! that is asked for either.
//! A coordinator and a node meet only here and on the wire.

pub mod coordinator;
pub mod error;
pub mod standing;

pub mod orders;
pub mod view;

pub mod registry;

pub mod embedded;
mod orders_file;

mod brake;
pub mod etcd;

pub mod open;

#[cfg(test)]
mod conformance;
#[cfg(test)]
#[path = "../../../tests/harness/src/etcd.rs"]
#[expect(unreachable_pub, reason = "the harness's servers; as a crate they would be above this one")]
mod etcd_cluster;

pub use coordinator::CoordinatorRecord;
pub use embedded::EmbeddedRegistry;
pub use error::{EtcdError, RegistryError};
pub use etcd::EtcdRegistry;
pub use etcd::location::{EndpointError, Endpoints, EtcdLocation, Login, Tls};
pub use etcd::records::{EtcdRecords, Made};
pub use open::{RegistryLocation, open};
pub use orders::{AllOrders, OrdersWatch};
pub use registry::{Announcement, Lease, Registration, Registry};
pub use standing::{Stale, Standing};
pub use view::{NodeEvent, NodeView, NodeWatch};
