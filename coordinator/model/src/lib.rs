//! Models: one trait, and what stands behind it.
//!
//! A remote model speaks to a provider, a scripted model reads recorded answers from a file, and a recorder writes such a file
//! while another model answers. [`open`] makes them. Model credentials live here and in the coordinator's process only.

mod client;
pub mod credentials;
pub mod provider;

pub mod catalog;
mod failure;
mod limiter;
pub mod prices;
mod retry;
pub mod size;
pub mod tokenizer;

mod redact;
mod remote;
mod seal;

mod record;
pub mod script_file;
mod scripted;

mod open;

pub use client::{Answer, ModelClient, ModelError, ModelEvent, Prompt, ToolDefinition};
pub use open::{OpenError, open, open_script, record};
pub use provider::{ProviderConfig, ProviderError, ProviderTable, WireApi};
pub use record::Recorder;
pub use remote::{RemoteModel, SetupError};
pub use retry::RetryPolicy;
pub use scripted::ScriptedModel;
