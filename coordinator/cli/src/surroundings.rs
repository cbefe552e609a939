//! What the process was started in, read once: later code is given values and can be tested with others.

use crate::failure::Failure;
use capstan_types::path::AbsPath;
use std::collections::BTreeMap;
use std::fmt;

/// The environment's variables and the working directory.
#[derive(Clone)]
pub struct Surroundings {
    variables: BTreeMap<String, String>,
    cwd: AbsPath,
}

impl Surroundings {
    /// Those of this process. Variables that are not UTF-8 are left out.
    ///
    /// # Errors
    /// The working directory has been removed, or its name or that of the home directory is not UTF-8.
    pub fn of_process() -> Result<Self, Failure> {
        let cwd = std::env::current_dir().map_err(|error| {
            Failure::bad_input(format!("the working directory cannot be found: {error}"))
                .hint("change into a directory that exists")
        })?;
        // Left out like any other, it would quietly be replaced by another directory, with other keys in it.
        if std::env::var_os("CAPSTAN_HOME").is_some_and(|home| home.to_str().is_none()) {
            return Err(
                Failure::bad_input("CAPSTAN_HOME is not UTF-8 text").hint("set it to a directory whose whole path is UTF-8")
            );
        }
        let text =
            |(name, value): (std::ffi::OsString, std::ffi::OsString)| Some((name.into_string().ok()?, value.into_string().ok()?));
        let variables = std::env::vars_os().filter_map(text).collect();
        Ok(Self { variables, cwd: AbsPath::new(cwd).map_err(Failure::bad_input)? })
    }

    /// Given ones.
    #[must_use]
    pub const fn new(variables: BTreeMap<String, String>, cwd: AbsPath) -> Self {
        Self { variables, cwd }
    }

    /// A variable; an empty one counts as not set.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// All variables.
    #[must_use]
    pub const fn variables(&self) -> &BTreeMap<String, String> {
        &self.variables
    }

    /// The working directory.
    #[must_use]
    pub const fn cwd(&self) -> &AbsPath {
        &self.cwd
    }

    /// A path from the command line: relative to the working directory.
    ///
    /// # Errors
    /// A path that is not UTF-8.
    pub fn absolute(&self, path: &std::path::Path) -> Result<AbsPath, Failure> {
        self.cwd.join(path).map_err(Failure::bad_input)
    }
}

impl fmt::Debug for Surroundings {
    /// Without values: some of them are keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Surroundings").field("cwd", &self.cwd).finish_non_exhaustive()
    }
}
