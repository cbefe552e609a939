//! What is known of a file.

use super::enums::{kind, kind_read};
use crate::convert::{Malformed, nonempty};
use crate::wire::files as wire;
use capstan_types::files::report::{FileFacts, Written};

impl From<FileFacts> for wire::FileFacts {
    fn from(facts: FileFacts) -> Self {
        Self {
            kind: kind(facts.kind).into(),
            size: facts.size,
            allocated: facts.allocated,
            mode: facts.mode.into(),
            modified_ms: facts.modified_ms,
            hash: facts.hash.unwrap_or_default(),
        }
    }
}

impl TryFrom<wire::FileFacts> for FileFacts {
    type Error = Malformed;

    fn try_from(wire: wire::FileFacts) -> Result<Self, Malformed> {
        Ok(Self {
            kind: kind_read(wire.kind)?,
            size: wire.size,
            allocated: wire.allocated,
            mode: u16::try_from(wire.mode).map_err(|_| Malformed::new("facts.mode", "it has more bits than a mode"))?,
            modified_ms: wire.modified_ms,
            hash: nonempty(wire.hash),
        })
    }
}

/// Facts that must be told.
pub(super) fn facts(wire: Option<wire::FileFacts>) -> Result<FileFacts, Malformed> {
    wire.ok_or_else(|| Malformed::missing("facts"))?.try_into()
}

impl From<Written> for wire::WriteAnswer {
    fn from(written: Written) -> Self {
        Self { created: written.created, facts: Some(written.facts.into()) }
    }
}

impl TryFrom<wire::WriteAnswer> for Written {
    type Error = Malformed;

    fn try_from(wire: wire::WriteAnswer) -> Result<Self, Malformed> {
        Ok(Self { created: wire.created, facts: facts(wire.facts)? })
    }
}

/// What was read: the file and its bytes.
impl TryFrom<wire::ReadAnswer> for (FileFacts, bytes::Bytes) {
    type Error = Malformed;

    fn try_from(wire: wire::ReadAnswer) -> Result<Self, Malformed> {
        Ok((facts(wire.facts)?, wire.data))
    }
}

impl From<(FileFacts, bytes::Bytes)> for wire::ReadAnswer {
    fn from((facts, data): (FileFacts, bytes::Bytes)) -> Self {
        Self { facts: Some(facts.into()), data }
    }
}
