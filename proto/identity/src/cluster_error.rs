//! What is wrong with a cluster's own directory.

use crate::authority::AuthorityError;
use crate::certificate::CertificateError;
use crate::ledger::LedgerError;

/// The cluster's directory cannot be used. For the operator.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// There is a cluster already.
    #[error("there is a cluster in {0} already; its authority would be lost with every certificate that it made")]
    Exists(String),
    /// There is none.
    #[error("there is no cluster in {0}; make one with `capstan cluster init`, or name its directory with --cluster")]
    Missing(String),
    /// A file cannot be used.
    #[error("the cluster's file {path} cannot be used: {reason}")]
    File {
        /// Which.
        path: String,
        /// Why.
        reason: String,
    },
    /// One authority is taking over from another.
    #[error("the cluster's authority is being changed already; `capstan cluster ca status` says when that is over")]
    Changing,
    /// Its records are not in its directory.
    #[error("the cluster of {0} keeps its records in the registry; name that with --registry, CAPSTAN_REGISTRY or [registry]")]
    Shared(String),
    /// No authority signs at this time.
    #[error("by this host's clock the cluster has no authority that signs; set the clock")]
    Clock,
    /// The authority cannot be made or used.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// The records cannot be used.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A certificate cannot be read.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
}
