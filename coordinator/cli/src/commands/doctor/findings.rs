//! What was found, as `--json` prints it.

use capstan_types::launch::Enforced;
use capstan_types::node::Fingerprint;
use capstan_types::policy::Level;
use serde::Serialize;
use std::path::PathBuf;

/// Everything that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Findings {
    /// This release.
    pub version: String,
    /// The sandbox runner.
    pub runner: RunnerFound,
    /// What this host can enforce; `None` when the runner could not be asked.
    pub host: Option<Fingerprint>,
    /// The session that was run to see what is in force in one; `None` when the runner could not be asked.
    pub session: Option<SessionFound>,
    /// The providers that can be asked.
    pub providers: Vec<ProviderFound>,
    /// Programs that commands need.
    pub programs: Vec<ProgramFound>,
    /// The home directory.
    pub home: Place,
    /// The configuration.
    pub config: Place,
}

/// The sandbox runner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunnerFound {
    /// How it is started.
    pub command: String,
    /// Why it cannot be used.
    pub problem: Option<String>,
}

/// A session under `workspace-write` that did nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SessionFound {
    /// The directory in which its workspace was: file systems differ in whether they can be given to another user.
    pub place: PathBuf,
    /// What was in force in it.
    pub enforced: Option<Enforced>,
    /// Why there was none.
    pub problem: Option<String>,
}

/// A provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProviderFound {
    /// Its name in the configuration.
    pub id: String,
    /// The variable of its key; `None` when it wants none.
    pub env_key: Option<String>,
    /// Whether the key is there. The key itself is never shown.
    pub key: bool,
    /// Why it cannot be used.
    pub problem: Option<String>,
}

/// A program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProgramFound {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub path: Option<PathBuf>,
    /// What it is for.
    pub purpose: String,
    /// Whether nothing works without it.
    pub required: bool,
}

/// A file or directory of the user's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Place {
    /// Where it is; `None` when that cannot be told.
    pub path: Option<PathBuf>,
    /// Why it cannot be used.
    pub problem: Option<String>,
    /// What works but should be looked at.
    pub warnings: Vec<String>,
}

impl Findings {
    /// Whether `capstan exec` can work here, given a model.
    #[must_use]
    pub fn ready(&self) -> bool {
        let problems = [&self.runner.problem, &self.home.problem, &self.config.problem];
        let programs = self.programs.iter().all(|program| program.path.is_some() || !program.required);
        problems.iter().all(|problem| problem.is_none()) && programs && self.confines()
    }

    /// Whether `read-only` and `workspace-write` can be enforced.
    #[must_use]
    pub fn confines(&self) -> bool {
        self.enforced().is_some_and(|enforced| enforced.level > Level::None)
    }

    /// What was in force in the session that was tried.
    #[must_use]
    pub fn enforced(&self) -> Option<&Enforced> {
        self.session.as_ref()?.enforced.as_ref()
    }
}
