//! Checkpoints that travel.

use super::exec::{authority, policy};
use super::{Malformed, parse};
use crate::wire::node as wire;
use capstan_types::saved::{RestoreWorkspace, SaveWorkspace, WorkspaceRestored, WorkspaceSaved};
use capstan_types::tree_document::Skipped;

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
        }
    }
}

impl TryFrom<wire::RestoreRequest> for RestoreWorkspace {
    type Error = Malformed;

    fn try_from(wire: wire::RestoreRequest) -> Result<Self, Malformed> {
        Ok(Self {
            authority: authority(wire.authority)?,
            cwd: parse("cwd", &wire.cwd)?,
            name: parse("name", &wire.name)?,
            policy: policy(wire.policy)?,
        })
    }
}

impl From<WorkspaceSaved> for wire::SaveResponse {
    fn from(saved: WorkspaceSaved) -> Self {
        let WorkspaceSaved { files, bytes, new_bytes, skipped } = saved;
        Self { files, bytes, new_bytes, skipped: Some(skipped.into()) }
    }
}

impl From<wire::SaveResponse> for WorkspaceSaved {
    fn from(wire: wire::SaveResponse) -> Self {
        let wire::SaveResponse { files, bytes, new_bytes, skipped } = wire;
        Self { files, bytes, new_bytes, skipped: skipped.unwrap_or_default().into() }
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
