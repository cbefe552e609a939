//! What is wrong with a configuration. For the operator: each names where it is and what was expected.

use super::source::Source;
use crate::failure::Failure;
use capstan_coordinator::models::ProviderError;
use capstan_runtime::config_file::{ConfigFileError, OverrideError};
use std::path::PathBuf;

/// A configuration that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A file cannot be read, or is not TOML.
    #[error(transparent)]
    File(#[from] ConfigFileError),
    /// A `-c` argument is malformed.
    #[error(transparent)]
    Override(#[from] OverrideError),
    /// The profile is nowhere.
    #[error("there is no profile `{name}`: make {}, or a table [profiles.{name}] in config.toml", file.display())]
    NoProfile {
        /// Its name.
        name: String,
        /// Where its file would be.
        file: PathBuf,
    },
    /// The profile's name would lead out of the home directory.
    #[error("`{0}` cannot be a profile's name; use letters, digits, `-` and `_`")]
    ProfileName(String),
    /// The permission profile is nowhere.
    #[error(
        "there is no permission profile `{name}` (known are {known}); choose one of them, or describe it under [permissions.{name}]"
    )]
    NoPermissions {
        /// Its name.
        name: String,
        /// Those that there are.
        known: String,
    },
    /// No permission profile can have that name.
    #[error(
        "`{0}` cannot be a permission profile's name; use letters, digits, `-` and `_`, or one of :read-only, :workspace and \
         :danger-full-access"
    )]
    PermissionsName(String),
    /// A value has the wrong type.
    #[error("{place}: `{key}` must be {expected}, not {found}")]
    Type {
        /// Where it is.
        place: Source,
        /// The key.
        key: String,
        /// The type that it must have.
        expected: &'static str,
        /// The type that it has.
        found: &'static str,
    },
    /// A value of the right type means nothing.
    #[error("{place}: `{key}`: {reason}")]
    Value {
        /// Where it is.
        place: Source,
        /// The key.
        key: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A key means nothing, and the configuration is to be strict.
    #[error("{place}: the key `{key}` is not known; correct or remove it, or run without --strict-config")]
    Unknown {
        /// Where it is.
        place: Source,
        /// The key.
        key: String,
    },
    /// The provider is nowhere.
    #[error(
        "the model provider `{id}` is not known (known are {known}); choose one of them, or describe it under [model_providers.{id}]"
    )]
    NoProvider {
        /// Its name.
        id: String,
        /// Those that there are.
        known: String,
    },
    /// The provider cannot be used as it is described.
    #[error(transparent)]
    Provider(#[from] ProviderError),
    /// Nobody says which model answers.
    #[error("no model is chosen for the provider `{0}`; name one with -m, or with `model` in config.toml")]
    NoModel(String),
    /// Flags that exclude each other.
    #[error("{0}")]
    Conflict(String),
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::bad_input(error)
    }
}
