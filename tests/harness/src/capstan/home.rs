//! A home directory for one test: configuration, store, and everything that runs leave behind.

use crate::responses_server::ResponsesServer;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Where homes are made. Not in `/tmp`, which sessions may write: a home must be hidden from them, and the runner rightly refuses a
/// writable directory that holds a hidden one. Short, because sockets are made below it, and their paths are bounded.
const PLACE: &str = "/var/tmp";

/// The directory, removed when dropped.
#[derive(Debug)]
pub struct Home {
    dir: TempDir,
}

impl Home {
    /// The provider key that [`Home::using`] gives to `capstan` in the variable [`Home::KEY_VARIABLE`]: no tool may ever see it.
    pub const KEY: &str = "sk-scripted-0123456789";
    /// The variable in which a run finds [`Home::KEY`].
    pub const KEY_VARIABLE: &str = "SCRIPTED_PROVIDER_KEY";

    /// An empty home.
    ///
    /// # Panics
    /// When no temporary directory can be made.
    #[must_use]
    pub fn new() -> Self {
        let dir = tempfile::Builder::new().prefix("capstan-test-").tempdir_in(PLACE).expect("a temporary directory can be made");
        let home = Self { dir };
        fs::create_dir_all(home.user_dir()).expect("a directory can be made in a fresh one");
        fs::create_dir_all(home.path()).expect("a directory can be made in a fresh one");
        home
    }

    /// A home whose configuration names this server as its provider.
    ///
    /// # Panics
    /// As [`Home::new`].
    #[must_use]
    pub fn using(server: &ResponsesServer) -> Self {
        let home = Self::new();
        home.configure(&Self::configuration(server));
        home
    }

    /// The configuration that [`Home::using`] writes, with patience suited to a test.
    #[must_use]
    pub fn configuration(server: &ResponsesServer) -> String {
        let (url, variable) = (server.base_url(), Self::KEY_VARIABLE);
        format!(
            "model = \"scripted-model\"\nmodel_provider = \"scripted\"\n\n[model_providers.scripted]\nname = \"Scripted\"\n\
             base_url = \"{url}\"\nwire_api = \"responses\"\nenv_key = \"{variable}\"\nrequest_max_retries = 2\n\
             stream_max_retries = 2\nstream_idle_timeout_ms = 2000\n"
        )
    }

    /// Writes `config.toml`.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn configure(&self, config: &str) {
        fs::write(self.path().join("config.toml"), config).expect("config.toml can be written");
    }

    /// What CAPSTAN_HOME is set to.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.dir.path().join("home")
    }

    /// What HOME is set to: an empty directory.
    #[must_use]
    pub fn user_dir(&self) -> PathBuf {
        self.dir.path().join("user")
    }

    /// The directory that holds all of this home, and whatever else the test puts into it.
    #[must_use]
    pub fn root(&self) -> &Path {
        self.dir.path()
    }
}

impl Default for Home {
    fn default() -> Self {
        Self::new()
    }
}
