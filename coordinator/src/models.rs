//! Which model answers for a thread: by its provider's name, or one that stands in for all of them.

mod providers;

pub use capstan_model::catalog::provider_for;
pub use capstan_model::credentials::{AuthFile, AuthFileError, Lookup, Secret};
pub use capstan_model::{ModelClient, OpenError, ProviderConfig, ProviderError, ProviderTable, open, open_script, record};
pub use providers::Providers;

use std::fmt;
use std::sync::Arc;

/// Gives the client for a provider.
pub trait Models: fmt::Debug + Send + Sync {
    /// The client of `provider`.
    ///
    /// # Errors
    /// The provider is not known, or has no credentials.
    fn client(&self, provider: &str) -> Result<Arc<dyn ModelClient>, NoModel>;

    /// The provider that answers when `asked` is asked for, as threads remember it.
    fn provider<'a>(&self, asked: &'a str) -> &'a str {
        asked
    }
}

/// A thread's model cannot be had. The text is for the user.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoModel(pub String);

/// One client for every provider: a scripted model, or a recorder around a real one.
#[derive(Debug, Clone)]
pub struct OneModel(pub Arc<dyn ModelClient>);

impl Models for OneModel {
    fn client(&self, _: &str) -> Result<Arc<dyn ModelClient>, NoModel> {
        Ok(Arc::clone(&self.0))
    }
}

/// A script, whoever is asked for.
#[derive(Debug, Clone)]
pub struct Scripted(pub Arc<dyn ModelClient>);

impl Models for Scripted {
    fn client(&self, _: &str) -> Result<Arc<dyn ModelClient>, NoModel> {
        Ok(Arc::clone(&self.0))
    }

    fn provider<'a>(&self, _: &'a str) -> &'a str {
        "script"
    }
}
