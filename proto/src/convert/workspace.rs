//! Workspaces: patches and facts.

use super::exec::{attempt, authority, policy};
use super::{Malformed, nonempty, parse};
use crate::wire::node as wire;
use capstan_types::id::TurnId;
use capstan_types::item::{FileChange, FileChangeKind};
use capstan_types::session::{PatchCall, PatchReport, WorkspaceFacts};

/// The largest patch, in bytes: 8 MiB.
pub const MAX_PATCH: usize = 8 << 20;

impl From<&PatchCall> for wire::ApplyPatchRequest {
    fn from(call: &PatchCall) -> Self {
        Self {
            authority: Some((&call.authority).into()),
            call_id: call.call.to_string(),
            attempt: call.attempt.0,
            patch: call.patch.clone(),
            cwd: call.cwd.to_string(),
            policy: Some((&call.policy).into()),
        }
    }
}

impl TryFrom<wire::ApplyPatchRequest> for PatchCall {
    type Error = Malformed;

    fn try_from(wire: wire::ApplyPatchRequest) -> Result<Self, Malformed> {
        if wire.patch.len() > MAX_PATCH {
            return Err(Malformed::new("patch", format!("it has {} bytes; at most {MAX_PATCH} are taken", wire.patch.len())));
        }
        Ok(Self {
            authority: authority(wire.authority)?,
            call: parse("call_id", &wire.call_id)?,
            attempt: attempt(wire.attempt)?,
            patch: wire.patch,
            cwd: parse("cwd", &wire.cwd)?,
            policy: policy(wire.policy)?,
        })
    }
}

impl From<PatchReport> for wire::ApplyPatchResponse {
    fn from(report: PatchReport) -> Self {
        use wire::apply_patch_response::Result as Wire;
        let result = match report {
            PatchReport::Applied { changes } => {
                Wire::Applied(wire::Applied { changes: changes.into_iter().map(Into::into).collect() })
            }
            PatchReport::Refused { reason } => Wire::Refused(reason),
        };
        Self { result: Some(result) }
    }
}

impl TryFrom<wire::ApplyPatchResponse> for PatchReport {
    type Error = Malformed;

    fn try_from(wire: wire::ApplyPatchResponse) -> Result<Self, Malformed> {
        use wire::apply_patch_response::Result as Wire;
        Ok(match wire.result.ok_or_else(|| Malformed::missing("result"))? {
            Wire::Applied(applied) => {
                Self::Applied { changes: applied.changes.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()? }
            }
            Wire::Refused(reason) => Self::Refused { reason },
        })
    }
}

impl From<FileChange> for wire::FileChange {
    fn from(change: FileChange) -> Self {
        let (kind, moved_to) = match change.kind {
            FileChangeKind::Add => (wire::FileChangeKind::Add, None),
            FileChangeKind::Delete => (wire::FileChangeKind::Delete, None),
            FileChangeKind::Update { moved_to } => (wire::FileChangeKind::Update, moved_to),
        };
        Self { path: change.path, kind: kind.into(), moved_to: moved_to.unwrap_or_default() }
    }
}

impl TryFrom<wire::FileChange> for FileChange {
    type Error = Malformed;

    fn try_from(wire: wire::FileChange) -> Result<Self, Malformed> {
        let kind = match wire.kind() {
            wire::FileChangeKind::Add => FileChangeKind::Add,
            wire::FileChangeKind::Delete => FileChangeKind::Delete,
            wire::FileChangeKind::Update => FileChangeKind::Update { moved_to: nonempty(wire.moved_to) },
            wire::FileChangeKind::Unspecified => return Err(Malformed::missing("kind")),
        };
        Ok(Self { path: wire.path, kind })
    }
}

impl From<WorkspaceFacts> for wire::OpenResponse {
    fn from(facts: WorkspaceFacts) -> Self {
        Self {
            root: facts.root.into(),
            git: facts.git,
            node_id: facts.node.into(),
            temp_dirs: facts.temp_dirs.into_iter().map(Into::into).collect(),
            top: facts.top.map(Into::into).unwrap_or_default(),
            system: facts.system,
        }
    }
}

impl TryFrom<wire::OpenResponse> for WorkspaceFacts {
    type Error = Malformed;

    fn try_from(wire: wire::OpenResponse) -> Result<Self, Malformed> {
        Ok(Self {
            root: parse("root", &wire.root)?,
            git: wire.git,
            node: parse("node_id", &wire.node_id)?,
            temp_dirs: wire.temp_dirs.iter().map(|dir| parse("temp_dirs", dir)).collect::<Result<_, _>>()?,
            top: nonempty(wire.top).map(|top| parse("top", &top)).transpose()?,
            system: wire.system,
        })
    }
}
/// Reads the name of a turn, or of a state that an undo noted.
///
/// # Errors
/// It is neither.
pub fn turn(text: &str) -> Result<String, Malformed> {
    let id: TurnId = parse("turn", text)?;
    Ok(id.to_string())
}

/// As [`turn`], and empty for the last one.
///
/// # Errors
/// As [`turn`].
pub fn turn_or_last(text: &str) -> Result<String, Malformed> {
    if text.is_empty() { Ok(String::new()) } else { turn(text) }
}
