//! What a run is told to do: files, a profile, `-c` and flags, each above the one before.
//!
//! The keys are Codex's, so that a `config.toml` carries over. Reading knows no meaning and [`resolve()`] knows no file.

mod docs;
mod error;
mod keys;
mod layers;
mod source;

pub mod auth;
pub mod ceiling;
pub mod git;
pub mod kept;
pub mod permissions;
pub mod providers;
pub mod read;
pub mod registry;
pub mod resolve;
pub mod spending;
pub mod stock;
pub mod store;
pub mod telemetry;
pub mod watermarks;
mod window;

pub use ceiling::ceiling;
pub use error::ConfigError;
pub use git::git_credentials;
pub use kept::{blobs, kept};
pub use layers::Layers;
pub use read::{Inputs, UserConfig, read};
pub use registry::{ChosenRegistry, registry};
pub use resolve::{Flags, Sandboxing, resolve};
pub use stock::stock;
pub use store::store;
pub use watermarks::watermarks;
