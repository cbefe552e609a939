//! Who processes are, and how they prove it: the cluster's authority, join tokens, certificates, the TLS that checks them, grants, and the
//! audit log.
//!
//! Decisions are functions of values; files are read and written at the rim ([`secret_file`], [`file_ledger`], [`credentials`], [`audit`]).
//! Invariant: a private key is made where it is used, is written with mode 0600, and never leaves its process but to that file.

mod pem_text;
pub mod random;
pub mod secret_file;
pub mod time_now;

pub mod authorities;
pub mod authority;
pub mod certificate;
mod cluster_error;
pub mod renewal;
pub mod request;
mod signature;
pub mod signed_trust;
pub mod succession;
pub mod token;
pub mod trust;

pub mod file_ledger;
pub mod issuer;
pub mod ledger;

pub mod credentials;
pub mod live;
pub mod tls;

pub mod audit;
pub mod grant;
pub mod membership;
