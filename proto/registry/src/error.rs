//! What a registry did not do. For the operator: each says what to do next.

use capstan_types::id::{Generation, NodeId};
use capstan_types::orders::Unchanged;

/// Why something was not registered or found. For the operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegistryError {
    /// The registry is in etcd, which did not do it.
    #[error(transparent)]
    Etcd(#[from] EtcdError),
    /// A coordinator of this name is there.
    #[error("a coordinator called {0} is registered already; stop it, or start this one on another home directory")]
    Announced(String),
    /// The orders stay as they are.
    #[error(transparent)]
    Unchanged(#[from] Unchanged),
    /// The file with the orders cannot be used.
    #[error("the orders for nodes cannot be kept in {file}: {reason}")]
    OrdersFile {
        /// Which.
        file: String,
        /// What stands in the way.
        reason: String,
    },
    /// The record cannot be stored.
    #[error("the registry does not take the record: {0}")]
    Record(String),
    /// The id is held by a life that is as new or newer.
    #[error(
        "node {id} is already registered as generation {present}, and this one is generation {offered}; stop the other process, \
         or give this node another name"
    )]
    NotNewer {
        /// The node.
        id: NodeId,
        /// The generation that holds the id.
        present: Generation,
        /// The generation that was refused.
        offered: Generation,
    },
}

/// What etcd did not do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EtcdError {
    /// No member answers, or those that do have no leader.
    #[error("the registry (etcd at {endpoints}) does not answer: {reason}; is etcd running, and is its address right?")]
    Away {
        /// Where it was looked for.
        endpoints: String,
        /// What was seen last.
        reason: String,
    },
    /// The certificates do not fit.
    #[error("the registry's certificates cannot be used: {0}; see ca_file, cert_file and key_file under [registry]")]
    Tls(String),
    /// The user is not let in.
    #[error("etcd does not let this process in: {0}; see username and password_file under [registry], and etcd's users")]
    Login(String),
    /// The user may not do this.
    #[error("etcd does not allow this process to {0}; give its user a role that may")]
    Denied(String),
    /// Something else is stored where a record belongs.
    #[error(
        "what is stored in etcd at {key} is no record that this release can read ({reason}); is the prefix used by something else?"
    )]
    Foreign {
        /// Where.
        key: String,
        /// What is wrong with it.
        reason: String,
    },
    /// etcd understood and said no.
    #[error("etcd refused: {0}")]
    Refused(String),
}
