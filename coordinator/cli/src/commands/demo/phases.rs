//! Who answers in which of the demo's threads: each has a provider of its own.

use crate::config::auth::KeyRing;
use crate::failure::{self, Failure};
use crate::home::Home;
use crate::surroundings::Surroundings;
use capstan_coordinator::models::{ModelClient, Models, NoModel, PriceTable, ProviderConfig, open, open_script};
use capstan_types::money::Price;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::Arc;
use tempfile::Builder;

/// The provider of the thread that makes the repository.
pub(super) const BEGIN: &str = "demo-begin";

/// The provider of the thread that runs the test once more.
pub(super) const CHECK: &str = "demo-check";

/// The provider of the thread that mends, unless a model is named: the one that settings have with a script.
const MEND: &str = "script";

const SCRIPTS: [(&str, &str); 3] = [
    (BEGIN, include_str!("../../../demo/begin.json")),
    (MEND, include_str!("../../../demo/mend.json")),
    (CHECK, include_str!("../../../demo/check.json")),
];

/// The models of the demo, by provider.
#[derive(Debug)]
pub(super) struct Phases(BTreeMap<String, Arc<dyn ModelClient>>);

impl Phases {
    /// Opens the scripts, and the named model's provider.
    ///
    /// # Errors
    /// The provider's key is missing.
    pub(super) fn open(provider: Option<&ProviderConfig>, home: &Home, surroundings: &Surroundings) -> Result<Self, Failure> {
        let mut clients = BTreeMap::new();
        for (name, script) in SCRIPTS {
            clients.insert(name.to_owned(), scripted(name, script)?);
        }
        if let Some(provider) = provider {
            let (keys, warning) = KeyRing::open(home, surroundings)?;
            if let Some(warning) = warning {
                failure::warn(&mut io::stderr(), &warning);
            }
            clients.insert(provider.id.clone(), open(provider, &keys).map_err(Failure::bad_input)?);
        }
        Ok(Self(clients))
    }
}

/// The file's name is what a message calls the script.
fn scripted(name: &str, script: &str) -> Result<Arc<dyn ModelClient>, Failure> {
    let unwritten =
        |error: io::Error| Failure::bad_input(format!("the demo's script cannot be written to a temporary file: {error}"));
    let mut file = Builder::new().prefix(&format!("{name}-")).suffix(".json").tempfile().map_err(unwritten)?;
    file.write_all(script.as_bytes()).map_err(unwritten)?;
    open_script(file.path()).map_err(Failure::bad_input)
}

impl Models for Phases {
    fn client(&self, provider: &str) -> Result<Arc<dyn ModelClient>, NoModel> {
        self.0.get(provider).cloned().ok_or_else(|| NoModel(format!("the demo has no provider `{provider}`")))
    }

    fn price(&self, provider: &str, model: &str) -> Option<Price> {
        let scripted = [BEGIN, CHECK].contains(&provider);
        if scripted { Some(Price::default()) } else { PriceTable::default().price(provider, model) }
    }
}
