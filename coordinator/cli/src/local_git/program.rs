//! Git with settings of ours.

use crate::failure::Failure;
use crate::local_program::{Input, Program, Said};
use crate::programs;
use crate::surroundings::Surroundings;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::path::Path;

/// Settings that no repository can override: the first ones keep git from starting programs, the rest keep it quiet.
const SETTINGS: [(&str, &str); 12] = [
    ("core.fsmonitor", "false"),
    ("core.hooksPath", "/dev/null"),
    ("core.pager", "cat"),
    ("safe.bareRepository", "explicit"),
    ("credential.helper", ""),
    ("protocol.ext.allow", "never"),
    ("commit.gpgSign", "false"),
    // Whoever gave the command named the directory; nothing that its configuration names is started.
    ("safe.directory", "*"),
    ("submodule.recurse", "false"),
    ("core.quotePath", "false"),
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
];

/// Variables that do the same.
const VARIABLES: [(&str, &str); 8] = [
    ("GIT_CONFIG_NOSYSTEM", "1"),
    ("GIT_CONFIG_GLOBAL", "/dev/null"),
    ("GIT_ATTR_NOSYSTEM", "1"),
    ("GIT_OPTIONAL_LOCKS", "0"),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("GIT_NO_LAZY_FETCH", "1"),
    ("GIT_ASKPASS", "/bin/false"),
    ("LC_ALL", "C"),
];

/// Variables of the person's that git is given.
const KEPT: [&str; 2] = ["PATH", "TMPDIR"];

/// The program with its environment and the directory in which it works.
#[derive(Debug, Clone)]
pub struct Git(Program);

impl Git {
    /// Finds it by PATH; it works in the working directory.
    ///
    /// # Errors
    /// It is not installed.
    pub fn find(surroundings: &Surroundings) -> Result<Self, Failure> {
        let program = programs::find("git", surroundings)
            .ok_or_else(|| Failure::bad_input("git is not installed on this host").hint("install git, version 2.38 or later"))?;
        let kept = KEPT.iter().filter_map(|name| Some((name.into(), surroundings.variable(name)?.into())));
        let mut environment: Vec<(OsString, OsString)> = kept.collect();
        environment.extend(VARIABLES.map(|(name, value)| (name.into(), value.into())));
        let cwd = surroundings.cwd().as_path().to_owned();
        Ok(Self(Program { program, arguments: Vec::new(), environment, cwd }).set(&SETTINGS))
    }

    /// The same one with these settings instead of its own.
    #[must_use]
    pub fn set(&self, settings: &[(&str, &str)]) -> Self {
        let mut git = self.with("GIT_CONFIG_COUNT", settings.len().to_string());
        for (number, (key, value)) in settings.iter().enumerate() {
            git = git.with(format!("GIT_CONFIG_KEY_{number}"), key).with(format!("GIT_CONFIG_VALUE_{number}"), value);
        }
        git
    }

    /// The same one with its settings and these.
    #[must_use]
    pub fn and_set(&self, more: &[(&str, &str)]) -> Self {
        self.set(&[&SETTINGS, more].concat())
    }

    /// The same one as the person's own: with their configuration, for what it says of who they are.
    #[must_use]
    pub fn personal(&self, surroundings: &Surroundings) -> Self {
        let mut git = self.clone();
        git.0.environment.retain(|(name, _)| name != "GIT_CONFIG_NOSYSTEM" && name != "GIT_CONFIG_GLOBAL");
        let whose = surroundings.variables().iter().filter(|(name, _)| {
            matches!(name.as_str(), "HOME" | "XDG_CONFIG_HOME" | "USER" | "LOGNAME" | "EMAIL" | "GIT_CONFIG_GLOBAL")
                || name.starts_with("GIT_AUTHOR_")
                || name.starts_with("GIT_COMMITTER_")
        });
        git.0.environment.extend(whose.map(|(name, value)| (name.into(), value.into())));
        git
    }

    /// The same one in another directory.
    #[must_use]
    pub fn within(&self, cwd: &Path) -> Self {
        Self(Program { cwd: cwd.to_owned(), ..self.0.clone() })
    }

    /// The same one with a variable.
    #[must_use]
    pub fn with(&self, name: impl Into<OsString>, value: impl AsRef<OsStr>) -> Self {
        let (name, mut git) = (name.into(), self.clone());
        git.0.environment.retain(|(other, _)| *other != name);
        git.0.environment.push((name, value.as_ref().to_owned()));
        git
    }

    /// Runs it to its end.
    ///
    /// # Errors
    /// It cannot be started. That it failed is no error here.
    pub fn run<I: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = I>, input: Input<'_>) -> Result<Said, Failure> {
        self.0.run(arguments, input, None)
    }

    /// Runs it, and gives its output.
    ///
    /// # Errors
    /// It fails.
    pub fn ask<I: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = I>, input: Input<'_>) -> Result<Vec<u8>, Failure> {
        let said = self.run(arguments, input)?;
        if said.is_success { Ok(said.out) } else { Err(said.failure()) }
    }

    /// Runs it, and gives the first line of its output.
    ///
    /// # Errors
    /// It fails.
    pub fn word<I: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = I>) -> Result<String, Failure> {
        let out = self.ask(arguments, Input::Nothing)?;
        Ok(String::from_utf8_lossy(&out).lines().next().unwrap_or_default().to_owned())
    }

    /// Runs it with its output in a file.
    ///
    /// # Errors
    /// It fails, or the file cannot be written.
    pub fn write<I: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = I>, to: File) -> Result<(), Failure> {
        let said = self.0.run(arguments, Input::Nothing, Some(to))?;
        if said.is_success { Ok(()) } else { Err(said.failure()) }
    }
}
