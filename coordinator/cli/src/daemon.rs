//! What a daemon does besides its work: it listens to signals, and reads its configuration again on SIGHUP.
//!
//! What is read again is taken in whole or not at all: a file that is broken leaves everything as it was, and says why.

use crate::config::{self, Inputs, Layers, UserConfig};
use crate::failure::{self, Failure};
use crate::signals::Signals;
use std::io;
use std::path::PathBuf;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Listens to signals as daemons do.
#[derive(Debug)]
pub struct DaemonSignals {
    ends: Signals,
    hang_ups: Signal,
}

/// What a daemon is wished to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wished {
    /// End.
    End,
    /// Read the configuration again.
    Reload,
}

impl DaemonSignals {
    /// Begins to listen. From then on none of them ends the process by itself.
    ///
    /// # Errors
    /// The system gives no handler.
    pub fn listen() -> Result<Self, Failure> {
        let failed = |error: io::Error| Failure::bad_input(format!("signals cannot be listened to: {error}"));
        Ok(Self { ends: Signals::but_hang_up().map_err(failed)?, hang_ups: signal(SignalKind::hangup()).map_err(failed)? })
    }

    /// The next wish. Dropping the future loses none.
    pub async fn next(&mut self) -> Wished {
        tokio::select! {
            _ = self.ends.next() => Wished::End,
            _ = self.hang_ups.recv() => Wished::Reload,
        }
    }

    /// The next wish to end; what is to be read again before is passed over.
    pub async fn end(&mut self) {
        while self.next().await == Wished::Reload {}
    }
}

/// The configuration of a daemon, which may be read again.
#[derive(Debug)]
pub struct Configuration {
    home: PathBuf,
    now: Layers,
    /// What of it takes effect without a restart: keys, each with what is below it.
    reloaded: &'static [&'static str],
}

impl Configuration {
    /// One that was read already, from this home.
    #[must_use]
    pub const fn read(home: PathBuf, now: Layers, reloaded: &'static [&'static str]) -> Self {
        Self { home, now, reloaded }
    }

    /// Reads it again, and has it taken in by `take`. Says on standard error what came of it.
    pub fn reload(&mut self, take: impl FnOnce(&Layers) -> Result<(), Failure>) {
        match self.again(take) {
            Ok(said) => said.iter().for_each(|sentence| failure::warn(&mut io::stderr(), sentence)),
            Err(failure) => {
                let sentence = format!("the configuration stays as it was: {}", failure.sentence);
                failure::warn(&mut io::stderr(), &sentence);
            }
        }
    }

    fn again(&mut self, take: impl FnOnce(&Layers) -> Result<(), Failure>) -> Result<Vec<String>, Failure> {
        let inputs = Inputs { home: &self.home, user: UserConfig::Read, profile: None, overrides: &[] };
        let (layers, unknown) = config::read(inputs)?;
        take(&layers)?;
        let (taken, left): (Vec<String>, Vec<String>) =
            layers.changed_since(&self.now).into_iter().partition(|key| self.takes_effect(key));
        let mut said: Vec<String> = unknown.iter().map(config::read::UnknownKey::warning).collect();
        said.push(match taken.as_slice() {
            [] => "the configuration was read again; nothing of it that takes effect without a restart has changed".to_owned(),
            keys => format!("the configuration was read again; in effect now: {}", keys.join(", ")),
        });
        if !left.is_empty() {
            said.push(format!("these take effect with a restart only: {}", left.join(", ")));
        }
        self.now = layers;
        Ok(said)
    }

    fn takes_effect(&self, key: &str) -> bool {
        let below = |whole: &&str| key == *whole || key.strip_prefix(*whole).is_some_and(|rest| rest.starts_with('.'));
        self.reloaded.iter().any(below)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn what_changed_is_taken_in_and_what_cannot_be_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let write = |text: &str| fs::write(dir.path().join("config.toml"), text).unwrap();
        write("[node.watermarks]\nterminals = 3\n");
        let read = || {
            let inputs = Inputs { home: dir.path(), user: UserConfig::Read, profile: None, overrides: &[] };
            config::read(inputs).unwrap().0
        };
        let mut configuration = Configuration::read(dir.path().to_owned(), read(), &["node.watermarks", "node.ceiling"]);
        write("store = \"x\"\n[node.watermarks]\nterminals = 4\ndisk = 5\n");
        let said = configuration.again(|_| Ok(())).unwrap();
        assert_eq!(
            said,
            [
                "the configuration was read again; in effect now: node.watermarks.disk, node.watermarks.terminals",
                "these take effect with a restart only: store"
            ]
        );
        assert_eq!(configuration.again(|_| Ok(())).unwrap().len(), 1);
    }

    #[test]
    fn a_broken_file_and_one_that_is_not_taken_keep_what_was() {
        let dir = tempfile::tempdir().unwrap();
        let write = |text: &str| fs::write(dir.path().join("config.toml"), text).unwrap();
        let mut configuration = Configuration::read(dir.path().to_owned(), Layers::default(), &["node"]);
        write("[node\n");
        assert!(configuration.again(|_| Ok(())).unwrap_err().sentence.contains("config.toml"));
        write("[node.watermarks]\ndisk = 7\n");
        assert_eq!(configuration.again(|_| Err(Failure::bad_input("no"))).unwrap_err().sentence, "no");
        // It was not taken then, and is now.
        assert!(configuration.again(|_| Ok(())).unwrap()[0].ends_with("in effect now: node.watermarks.disk"));
    }
}
