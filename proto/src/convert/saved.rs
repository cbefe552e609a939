//! Checkpoints that travel.

use super::exec::{authority, policy};
use super::{Malformed, nonempty, parse};
use crate::wire::node as wire;
use capstan_types::saved::record::CheckpointRecord;
use capstan_types::saved::{CompareWorkspaces, RestoreWorkspace, SaveWorkspace, WorkspaceRestored, WorkspaceSaved};
use capstan_types::tree_document::{Difference, Differing, Skipped};

/// How many names a comparison has when none is asked for, and at most.
const USUAL_NAMES: u32 = 1000;
/// See [`USUAL_NAMES`].
const MOST_NAMES: u32 = 10_000;

/// Reads the record of a checkpoint.
///
/// # Errors
/// It is none, or of a later form.
pub fn record(field: &'static str, text: &[u8]) -> Result<CheckpointRecord, Malformed> {
    CheckpointRecord::parse(text).map_err(|reason| Malformed::new(field, reason))
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

impl From<&SaveWorkspace> for wire::SaveRequest {
    fn from(save: &SaveWorkspace) -> Self {
        Self {
            authority: Some((&save.authority).into()),
            cwd: save.cwd.to_string(),
            name: save.name.to_string(),
            policy: Some((&save.policy).into()),
            ignored: save.ignored,
        }
    }
}

impl TryFrom<wire::SaveRequest> for SaveWorkspace {
    type Error = Malformed;

    fn try_from(wire: wire::SaveRequest) -> Result<Self, Malformed> {
        Ok(Self {
            authority: authority(wire.authority)?,
            cwd: parse("cwd", &wire.cwd)?,
            name: parse("name", &wire.name)?,
            policy: policy(wire.policy)?,
            ignored: wire.ignored,
        })
    }
}

impl From<&RestoreWorkspace> for wire::RestoreRequest {
    fn from(restore: &RestoreWorkspace) -> Self {
        Self {
            authority: Some((&restore.authority).into()),
            cwd: restore.cwd.to_string(),
            name: restore.name.to_string(),
            policy: Some((&restore.policy).into()),
            of_thread_id: restore.of.map(|thread| thread.to_string()).unwrap_or_default(),
        }
    }
}

impl TryFrom<wire::RestoreRequest> for RestoreWorkspace {
    type Error = Malformed;

    fn try_from(wire: wire::RestoreRequest) -> Result<Self, Malformed> {
        Ok(Self {
            authority: authority(wire.authority)?,
            cwd: parse("cwd", &wire.cwd)?,
            of: nonempty(wire.of_thread_id).map(|thread| parse("of_thread_id", &thread)).transpose()?,
            name: parse("name", &wire.name)?,
            policy: policy(wire.policy)?,
        })
    }
}

impl From<&CompareWorkspaces> for wire::CompareRequest {
    fn from(compare: &CompareWorkspaces) -> Self {
        Self {
            authority: Some((&compare.authority).into()),
            before: compare.before.text().into(),
            after: compare.after.text().into(),
            most: u32::try_from(compare.most).unwrap_or(u32::MAX),
        }
    }
}

impl TryFrom<wire::CompareRequest> for CompareWorkspaces {
    type Error = Malformed;

    fn try_from(wire: wire::CompareRequest) -> Result<Self, Malformed> {
        let most = if wire.most == 0 { USUAL_NAMES } else { wire.most.min(MOST_NAMES) };
        Ok(Self {
            authority: authority(wire.authority)?,
            before: record("before", &wire.before)?,
            after: record("after", &wire.after)?,
            most: most as usize,
        })
    }
}

impl From<WorkspaceSaved> for wire::SaveResponse {
    fn from(saved: WorkspaceSaved) -> Self {
        let WorkspaceSaved { files, bytes, new_bytes, skipped, record } = saved;
        let record = record.map(|record| record.text().into()).unwrap_or_default();
        Self { files, bytes, new_bytes, skipped: Some(skipped.into()), record }
    }
}

impl From<wire::SaveResponse> for WorkspaceSaved {
    fn from(wire: wire::SaveResponse) -> Self {
        let wire::SaveResponse { files, bytes, new_bytes, skipped, record } = wire;
        // One that cannot be read is not told: whoever keeps it elsewhere does without.
        let record = CheckpointRecord::parse(&record).ok().map(Box::new);
        Self { files, bytes, new_bytes, skipped: skipped.unwrap_or_default().into(), record }
    }
}

impl From<WorkspaceRestored> for wire::RestoreResponse {
    fn from(restored: WorkspaceRestored) -> Self {
        let WorkspaceRestored { changed, named, skipped } = restored;
        let more = changed.saturating_sub(named.len() as u64);
        Self { changed: Some(wire::FileNames { names: named, more }), skipped: Some(skipped.into()) }
    }
}

impl From<wire::RestoreResponse> for WorkspaceRestored {
    fn from(wire: wire::RestoreResponse) -> Self {
        let wire::FileNames { names, more } = wire.changed.unwrap_or_default();
        let changed = more.saturating_add(names.len() as u64);
        Self { changed, named: names, skipped: wire.skipped.unwrap_or_default().into() }
    }
}

impl From<Skipped> for wire::Skipped {
    fn from(skipped: Skipped) -> Self {
        let name = |(path, reason)| wire::SkippedName { path, reason };
        Self { count: skipped.count, names: skipped.named.into_iter().map(name).collect() }
    }
}

impl From<wire::Skipped> for Skipped {
    fn from(wire: wire::Skipped) -> Self {
        let named = wire.names.into_iter().map(|name| (name.path, name.reason)).collect();
        Self { count: wire.count, named }
    }
}
