//! Which model answers for a thread: by its provider's name, or one that stands in for all of them.

mod providers;

pub use capstan_model::catalog::provider_for;
pub use capstan_model::credentials::{AuthFile, AuthFileError, Lookup, Secret};
pub use capstan_model::prices::{AS_OF as PRICES_AS_OF, PriceTable};
pub use capstan_model::{ModelClient, OpenError, ProviderConfig, ProviderError, ProviderTable, open, open_script, record};
pub use providers::Providers;

use capstan_types::money::Price;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

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

    /// What a model of a provider costs; `None` if that is not known.
    fn price(&self, provider: &str, model: &str) -> Option<Price> {
        PriceTable::default().price(provider, model)
    }
}

/// Models with prices of one's own.
#[derive(Debug, Clone)]
pub struct Priced {
    /// Who answers.
    pub models: Arc<dyn Models>,
    /// What they cost.
    pub prices: PriceTable,
}

impl Models for Priced {
    fn client(&self, provider: &str) -> Result<Arc<dyn ModelClient>, NoModel> {
        self.models.client(provider)
    }

    fn provider<'a>(&self, asked: &'a str) -> &'a str {
        self.models.provider(asked)
    }

    fn price(&self, provider: &str, model: &str) -> Option<Price> {
        self.prices.price(provider, model)
    }
}

/// Models that can be replaced while threads use them: each request asks those that are there then.
#[derive(Debug)]
pub struct Replaceable(RwLock<Arc<dyn Models>>);

impl Replaceable {
    /// With these for a start.
    #[must_use]
    pub fn new(models: Arc<dyn Models>) -> Self {
        Self(RwLock::new(models))
    }

    /// These from now on. What is under way ends with those that it began with.
    pub fn replace(&self, models: Arc<dyn Models>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = models;
    }

    fn now(&self) -> Arc<dyn Models> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Models for Replaceable {
    fn client(&self, provider: &str) -> Result<Arc<dyn ModelClient>, NoModel> {
        self.now().client(provider)
    }

    fn provider<'a>(&self, asked: &'a str) -> &'a str {
        self.now().provider(asked)
    }

    fn price(&self, provider: &str, model: &str) -> Option<Price> {
        self.now().price(provider, model)
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
