//! Checkpoints, as clients are told of them.

use super::{Malformed, nonempty, parse};
use crate::wire::client as wire;
use capstan_types::saved::note::{CheckpointNote, CheckpointReason, ListedCheckpoint};
use capstan_types::time::UnixMillis;
use capstan_types::tree_document::{Difference, Differing};

impl From<CheckpointNote> for wire::CheckpointSaved {
    fn from(note: CheckpointNote) -> Self {
        let CheckpointNote { thread, name, reason, files, bytes, new_bytes, skipped } = note;
        let reason = match reason {
            CheckpointReason::Turn => wire::CheckpointReason::Turn,
            CheckpointReason::Risk => wire::CheckpointReason::Risk,
        };
        let (thread_id, name, reason) = (thread.to_string(), name.to_string(), reason.into());
        Self { thread_id, name, reason, files, bytes, new_bytes, skipped }
    }
}

impl TryFrom<wire::CheckpointSaved> for CheckpointNote {
    type Error = Malformed;

    fn try_from(wire: wire::CheckpointSaved) -> Result<Self, Malformed> {
        let reason = match wire.reason() {
            wire::CheckpointReason::Turn => CheckpointReason::Turn,
            wire::CheckpointReason::Risk => CheckpointReason::Risk,
            wire::CheckpointReason::Unspecified => return Err(Malformed::missing("checkpoint_saved.reason")),
        };
        Ok(Self {
            thread: parse("checkpoint_saved.thread_id", &wire.thread_id)?,
            name: parse("checkpoint_saved.name", &wire.name)?,
            reason,
            files: wire.files,
            bytes: wire.bytes,
            new_bytes: wire.new_bytes,
            skipped: wire.skipped,
        })
    }
}

impl From<ListedCheckpoint> for wire::Checkpoint {
    fn from(listed: ListedCheckpoint) -> Self {
        let ListedCheckpoint { note, turn, at, kept } = listed;
        let turn_id = turn.map(|turn| turn.to_string()).unwrap_or_default();
        Self { saved: Some(note.into()), turn_id, at_ms: at.0, kept }
    }
}

impl TryFrom<wire::Checkpoint> for ListedCheckpoint {
    type Error = Malformed;

    fn try_from(wire: wire::Checkpoint) -> Result<Self, Malformed> {
        Ok(Self {
            note: wire.saved.ok_or_else(|| Malformed::missing("checkpoint.saved"))?.try_into()?,
            turn: nonempty(wire.turn_id).map(|turn| parse("checkpoint.turn_id", &turn)).transpose()?,
            at: UnixMillis(wire.at_ms),
            kept: wire.kept,
        })
    }
}

impl From<Difference> for wire::Difference {
    fn from(difference: Difference) -> Self {
        let kind = match difference.differing {
            Differing::Added => wire::DifferenceKind::Added,
            Differing::Removed => wire::DifferenceKind::Removed,
            Differing::Changed => wire::DifferenceKind::Changed,
            Differing::Mode => wire::DifferenceKind::Mode,
        };
        Self { path: difference.path, kind: kind.into() }
    }
}

impl From<wire::Difference> for Difference {
    fn from(wire: wire::Difference) -> Self {
        let differing = match wire.kind() {
            wire::DifferenceKind::Added => Differing::Added,
            wire::DifferenceKind::Removed => Differing::Removed,
            wire::DifferenceKind::Mode => Differing::Mode,
            // A way that this program does not know is a change all the same.
            wire::DifferenceKind::Changed | wire::DifferenceKind::Unspecified => Differing::Changed,
        };
        Self { path: wire.path, differing }
    }
}
