//! Who is alive: the nodes that can be given work, and how to hear of a change.
//!
//! [`Registry`] is the trait, [`embedded`] the implementation for one process, and [`open()`] the factory that is asked for either.
//! A coordinator and a node meet only here and on the wire.

pub mod view;

pub mod registry;

pub mod embedded;

pub mod open;

#[cfg(test)]
mod conformance;

pub use embedded::EmbeddedRegistry;
pub use open::{RegistryLocation, open};
pub use registry::{Lease, Registration, Registry};
pub use view::{NodeEvent, NodeView, NodeWatch, RegistryError};
