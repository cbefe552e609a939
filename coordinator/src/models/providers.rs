//! Models by provider, each opened when it is first asked for.

use super::{Lookup, ModelClient, Models, NoModel, ProviderConfig, open};
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// The providers that a coordinator knows.
pub struct Providers {
    known: BTreeMap<String, ProviderConfig>,
    credentials: Box<dyn Lookup + Send + Sync>,
    open: Mutex<HashMap<String, Arc<dyn ModelClient>>>,
}

impl Providers {
    /// The providers of `known`, by id, with keys from `credentials`.
    #[must_use]
    pub fn new(known: BTreeMap<String, ProviderConfig>, credentials: Box<dyn Lookup + Send + Sync>) -> Self {
        Self { known, credentials, open: Mutex::default() }
    }
}

impl fmt::Debug for Providers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Providers").field("known", &self.known.keys()).finish_non_exhaustive()
    }
}

impl Models for Providers {
    fn client(&self, provider: &str) -> Result<Arc<dyn ModelClient>, NoModel> {
        let mut clients = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(provider) {
            return Ok(Arc::clone(client));
        }
        let config = self.known.get(provider).ok_or_else(|| self.unknown(provider))?;
        let client = open(config, self.credentials.as_ref()).map_err(|error| NoModel(error.to_string()))?;
        clients.insert(provider.to_owned(), Arc::clone(&client));
        Ok(client)
    }
}

impl Providers {
    fn unknown(&self, provider: &str) -> NoModel {
        let known: Vec<_> = self.known.keys().map(String::as_str).collect();
        let advice = "choose one of them with model_provider, or describe it under [model_providers] in config.toml";
        NoModel(format!("the provider `{provider}` is not known (known are {}); {advice}", known.join(", ")))
    }
}
