//! The coordinator: it runs threads, asks models, and has calls done on nodes.
//!
//! [`serve()`] builds one; clients speak `capstan.client.v1` to it. What is decided here is enforced elsewhere: this crate starts no
//! process and touches no workspace's files.

pub mod config;
pub mod serve;

pub mod client_api;

pub mod drain;

pub mod thread;

pub mod rollout;

pub mod placement;

pub mod checkpoints;
pub mod uploads;

pub mod nodes;

pub mod models;

pub mod git_credentials;

pub mod shared_ledger;

pub mod clock;

mod crash_point;

pub use capstan_registry::{
    EndpointError, Endpoints, EtcdLocation, Login, Registry, RegistryError, RegistryLocation, Tls, open as open_registry,
};
pub use capstan_store::open::StoreLocation;
pub use capstan_store::postgres::url::PostgresUrl;
pub use checkpoints::rules::CheckpointRules;
pub use config::CoordinatorConfig;
pub use git_credentials::{CredentialFile, GitCredentials};
pub use nodes::remote::StaticNode;
pub use serve::{Running, ServeError, serve};
