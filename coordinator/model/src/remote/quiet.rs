//! Runs the provider library without its log.
//!
//! It logs error answers and events as they came, and those may quote a key or a prompt. What is worth saying is said by this crate,
//! redacted.

use tracing::dispatcher::{Dispatch, with_default};

/// Does the work with nobody listening to its log.
pub(super) fn quietly<T>(work: impl FnOnce() -> T) -> T {
    with_default(&Dispatch::none(), work)
}
