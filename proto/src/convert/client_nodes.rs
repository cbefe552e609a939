//! Nodes as operators see them, and what they order.

mod drain;
mod events;
mod order;
mod status;

pub use events::{event_filter, told};
pub use order::{Asked, asked};

use super::Malformed;
use crate::wire::client as wire;
use capstan_types::operator::Person;
use capstan_types::orders::Given;
use capstan_types::time::UnixMillis;

/// Reads who orders something now, and why.
///
/// # Errors
/// Nobody is named.
pub fn given(by: &str, reason: String, at: UnixMillis) -> Result<Given, Malformed> {
    let by: Person = super::parse("by", by)?;
    Ok(Given { by, at, reason: super::nonempty(reason) })
}

fn ordering(by: &Person, at: UnixMillis, reason: Option<&String>) -> wire::Ordering {
    wire::Ordering { by: by.to_string(), at_ms: at.0, reason: reason.cloned().unwrap_or_default() }
}

fn given_from(wire: Option<wire::Ordering>) -> Result<Given, Malformed> {
    let wire = wire.ok_or_else(|| Malformed::missing("order"))?;
    given(&wire.by, wire.reason, UnixMillis(wire.at_ms))
}
