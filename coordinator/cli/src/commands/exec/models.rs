//! Who answers: a provider, a script, or a provider whose answers are recorded.

use crate::config::auth::KeyRing;
use crate::config::{self, Layers, providers};
use crate::failure::Failure;
use capstan_coordinator::models::{Models, OneModel, Priced, ProviderConfig, Providers, open, open_script, record};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// Who answers.
#[derive(Debug, Clone, Copy)]
pub enum Answers<'a> {
    /// A script.
    Script(&'a Path),
    /// A provider, whose answers go into a file as well.
    Recorded(&'a ProviderConfig, &'a Path),
    /// A provider, and those that are asked in its place.
    Provider(&'a ProviderConfig, &'a [ProviderConfig]),
}

/// Opens whoever answers. A provider's key is looked for here, so that a missing one is told before anything runs.
///
/// # Errors
/// The script is malformed, the recording cannot be written, or the key is missing.
pub fn models(answers: Answers<'_>, keys: KeyRing) -> Result<Arc<dyn Models>, Failure> {
    Ok(match answers {
        Answers::Script(path) => Arc::new(OneModel(open_script(path).map_err(Failure::bad_input)?)),
        Answers::Recorded(provider, path) => {
            let client = open(provider, &keys).map_err(Failure::bad_input)?;
            Arc::new(OneModel(record(client, path).map_err(Failure::bad_input)?))
        }
        Answers::Provider(provider, others) => {
            // A key that is missing for one of the others is told when that is asked for.
            let known = others.iter().chain([provider]).map(|provider| (provider.id.clone(), provider.clone())).collect();
            let providers = Providers::new(known, Box::new(keys));
            providers.client(&provider.id).map_err(Failure::bad_input)?;
            Arc::new(providers)
        }
    })
}

/// Every provider that the configuration knows. A key that is missing is told to whoever asks for its provider.
///
/// # Errors
/// A provider or a price makes no sense.
pub fn every_provider(layers: &Layers, keys: KeyRing) -> Result<Arc<dyn Models>, Failure> {
    let mut known = BTreeMap::new();
    for name in providers::names(layers)? {
        known.insert(name.clone(), providers::provider(layers, &name)?);
    }
    let models = Arc::new(Providers::new(known, Box::new(keys)));
    Ok(Arc::new(Priced { models, prices: config::spending::prices(layers)? }))
}
