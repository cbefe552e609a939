//! What the test tells an attack: where things are, and who the victim is.

use std::collections::BTreeMap;

/// Named values.
#[derive(Debug)]
pub(crate) struct Facts(BTreeMap<String, String>);

impl Facts {
    /// Reads `KEY=VALUE` words.
    pub(crate) fn read(words: impl Iterator<Item = String>) -> Self {
        Self(words.filter_map(|word| word.split_once('=').map(|(key, value)| (key.to_owned(), value.to_owned()))).collect())
    }

    /// The value of this name.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.0.get(name).unwrap_or_else(|| {
            println!("no fact is called {name}");
            std::process::exit(2)
        })
    }

    /// The same as a number.
    pub(crate) fn number(&self, name: &str) -> usize {
        self.text(name).parse().expect("the fact is a number")
    }

    /// A path in the directory outside.
    pub(crate) fn outside(&self, name: &str) -> String {
        format!("{}/{name}", self.text("OUT"))
    }

    /// A path in the workspace.
    pub(crate) fn inside(&self, name: &str) -> String {
        format!("{}/{name}", self.text("WS"))
    }

    /// The process of the host that is attacked.
    pub(crate) fn victim(&self) -> usize {
        self.number("VICTIM")
    }
}

/// An attack. It gives what it got hold of, in words; nothing when it was held.
pub(crate) type Attack = fn(&Facts) -> Vec<String>;
