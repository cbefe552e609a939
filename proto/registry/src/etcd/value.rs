//! The values as they are stored: small JSON objects with a version, so that a release can tell what it can read.
//!
//! Version 1 may get fields that older releases skip. What they could not skip gets another version.

use crate::coordinator::CoordinatorRecord;
use capstan_types::id::Generation;
use capstan_types::node::NodeRecord;
use capstan_types::orders::NodeOrders;
use serde::{Deserialize, Serialize};

/// The version that is written.
const VERSION: u32 = 1;

/// The largest value that is stored, in bytes. A record is some hundred bytes; labels could make it more.
pub(super) const LARGEST: usize = 32 << 10;

#[derive(Debug, Serialize, Deserialize)]
struct Stored<T> {
    v: u32,
    record: T,
    /// The process says goodbye: what follows is no loss.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    leaving: bool,
}

/// A value that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found<T> {
    /// It is there.
    Here(T),
    /// It is about to go, by its own will.
    Leaving(T),
}

fn encode<T: Serialize>(record: &T, leaving: bool) -> Result<Vec<u8>, String> {
    let bytes = serde_json::to_vec(&Stored { v: VERSION, record, leaving }).map_err(|error| error.to_string())?;
    match bytes.len() {
        0..=LARGEST => Ok(bytes),
        more => Err(format!("the record has {more} bytes, and {LARGEST} are stored; give the node fewer labels")),
    }
}

fn decode<T: for<'de> Deserialize<'de>>(bytes: &[u8]) -> Result<Found<T>, String> {
    #[derive(Deserialize)]
    struct Version {
        v: u32,
    }
    // First of all, since nothing else may be taken for granted in another version.
    let Version { v } = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    if v != VERSION {
        return Err(format!("its version is {v}, and this release reads version {VERSION}"));
    }
    let stored: Stored<T> = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    Ok(if stored.leaving { Found::Leaving(stored.record) } else { Found::Here(stored.record) })
}

/// What is put for a process: its record, and what is put just before the key goes by its own will.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Value {
    pub(super) record: Vec<u8>,
    pub(super) goodbye: Vec<u8>,
}

impl Value {
    pub(super) fn of_node(record: &NodeRecord) -> Result<Self, String> {
        Ok(Self { record: encode(record, false)?, goodbye: encode(record, true)? })
    }

    pub(super) fn of_coordinator(record: &CoordinatorRecord) -> Result<Self, String> {
        Ok(Self { record: encode(record, false)?, goodbye: encode(record, true)? })
    }
}

/// The orders for a node, as they are stored.
pub(super) fn of_orders(orders: &NodeOrders) -> Result<Vec<u8>, String> {
    encode(orders, false)
}

/// Reads the orders for a node.
pub(super) fn orders(bytes: &[u8]) -> Result<NodeOrders, String> {
    match decode(bytes)? {
        Found::Here(orders) | Found::Leaving(orders) => Ok(orders),
    }
}

/// Reads a node's value.
pub(super) fn node(bytes: &[u8]) -> Result<Found<NodeRecord>, String> {
    decode(bytes)
}

/// Reads a coordinator's value.
pub(super) fn coordinator(bytes: &[u8]) -> Result<CoordinatorRecord, String> {
    match decode(bytes)? {
        Found::Here(record) | Found::Leaving(record) => Ok(record),
    }
}

/// Which life a value is of: all that whoever wants to replace it needs to read.
pub(super) fn generation(bytes: &[u8]) -> Result<Generation, String> {
    #[derive(Deserialize)]
    struct Life {
        // A coordinator has one life.
        generation: Option<Generation>,
    }
    match decode::<Life>(bytes)? {
        Found::Here(life) | Found::Leaving(life) => Ok(life.generation.unwrap_or(Generation(0))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::record;
    use capstan_types::node::NodeAddress;

    #[test]
    fn what_was_written_is_read() {
        let value = Value::of_node(&record("a", 7)).unwrap();
        assert_eq!(node(&value.record), Ok(Found::Here(record("a", 7))));
        assert_eq!(node(&value.goodbye), Ok(Found::Leaving(record("a", 7))));
        assert_eq!(generation(&value.goodbye), Ok(Generation(7)));
    }

    #[test]
    fn a_value_of_another_version_or_none_is_told_and_fields_of_a_later_release_are_skipped() {
        let text = String::from_utf8(Value::of_node(&record("a", 7)).unwrap().record).unwrap();
        let later = text.replacen("\"v\":1", "\"v\":1,\"zone\":{\"x\":[]}", 1).replacen("\"id\":", "\"mood\":3,\"id\":", 1);
        assert_eq!(node(later.as_bytes()), Ok(Found::Here(record("a", 7))));
        assert!(node(text.replacen("\"v\":1", "\"v\":2", 1).as_bytes()).unwrap_err().contains("its version is 2"));
        assert!(node(b"nonsense").is_err() && node(b"{}").is_err() && node(&[0xff]).is_err());
    }

    #[test]
    fn a_record_that_is_too_large_is_refused_before_etcd_sees_it() {
        let large = NodeRecord { address: NodeAddress::Tcp("x".repeat(LARGEST)), ..record("a", 1) };
        assert!(Value::of_node(&large).unwrap_err().contains("fewer labels"));
    }
}
