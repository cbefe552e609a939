//! Which project instructions a thread reads.

use super::error::ConfigError;
use super::layers::{Layers, bad_value, wrong_type};
use capstan_types::docs::{DEFAULT_MAX_BYTES, GlobalDoc, LARGEST_MAX_BYTES, ProjectDocs};
use toml::Value;

const BYTES: &str = "project_doc_max_bytes";
const NAMES: &str = "project_doc_fallback_filenames";

/// The instructions of the configuration, with the user's own.
///
/// # Errors
/// A value of a wrong type, too many or too large a number, or a name that is none.
pub(super) fn docs(layers: &Layers, global: Option<GlobalDoc>) -> Result<ProjectDocs, ConfigError> {
    let docs = ProjectDocs { global, fallback_names: layers.texts(NAMES)?, max_bytes: max_bytes(layers)? };
    docs.checked().map_err(|error| match layers.find(NAMES) {
        Ok(Some((place, _))) => bad_value(place, NAMES, error),
        Ok(None) => ConfigError::Conflict(error.to_string()),
        Err(error) => error,
    })
}

fn max_bytes(layers: &Layers) -> Result<u32, ConfigError> {
    match layers.find(BYTES)? {
        None => Ok(DEFAULT_MAX_BYTES),
        Some((place, Value::Integer(bytes))) => {
            let usable = u32::try_from(*bytes).ok().filter(|bytes| *bytes <= LARGEST_MAX_BYTES);
            usable.ok_or_else(|| bad_value(place, BYTES, format!("{bytes} is not a number of 0 to {LARGEST_MAX_BYTES}")))
        }
        Some((place, other)) => Err(wrong_type(place, BYTES, "a whole number", other)),
    }
}
