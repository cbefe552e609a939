//! Wire structs to values and back. A wire struct that does not make sense becomes a [`Malformed`], never a panic or a guess.

mod checkpoint;
mod client_checkpoint;
pub mod client_event;
pub mod client_item;
pub mod client_listing;
pub mod client_looking;
pub mod client_money;
pub mod client_nodes;
mod client_overrides;
mod client_placement;
mod client_profile;
mod client_session;
pub mod client_thread;
pub mod exec;
pub mod file_read;
pub mod files;
pub mod kept;
pub mod listing;
mod make;
pub mod node;
pub mod operate;
pub mod saved;
mod seal;
mod source;
pub mod workspace;

use tonic::Status;

/// A message that lacks something it must have, or holds something it must not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("malformed message: {field}: {reason}")]
pub struct Malformed {
    field: &'static str,
    reason: String,
}

impl Malformed {
    /// A message whose `field` is wrong for `reason`.
    pub fn new(field: &'static str, reason: impl std::fmt::Display) -> Self {
        Self { field, reason: reason.to_string() }
    }

    /// A message without a field that it must have.
    #[must_use]
    pub fn missing(field: &'static str) -> Self {
        Self::new(field, "it is missing")
    }
}

impl From<Malformed> for Status {
    fn from(malformed: Malformed) -> Self {
        Self::invalid_argument(malformed.to_string())
    }
}

/// Reads a text field by its type's `FromStr`.
pub(crate) fn parse<T>(field: &'static str, text: &str) -> Result<T, Malformed>
where
    T: std::str::FromStr,
    T::Err: std::fmt::Display,
{
    text.parse().map_err(|error| Malformed::new(field, error))
}

/// Zero stands for "not set" in numbers of the wire.
pub(crate) const fn nonzero(value: u64) -> Option<u64> {
    if value == 0 { None } else { Some(value) }
}

/// An empty text stands for "not set" in texts of the wire.
pub(crate) fn nonempty(text: String) -> Option<String> {
    if text.is_empty() { None } else { Some(text) }
}
