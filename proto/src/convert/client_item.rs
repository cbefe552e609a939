//! Items as clients are told them.

use super::{Malformed, nonempty, parse};
use crate::wire::client as wire;
use capstan_types::item::{
    CommandExecution, Compaction, FileChange, FileChangeKind, Item, ItemBody, ItemId, ItemStatus, PlanStatus, PlanStep,
};
use capstan_types::launch::{Denial, Enforced, SessionEnd, SessionLimit};
use capstan_types::policy::Level;
use capstan_types::time::Millis;

impl From<Item> for wire::Item {
    fn from(item: Item) -> Self {
        use wire::item::Body;
        let body = match item.body {
            ItemBody::UserMessage { text, images } => Body::UserMessage(wire::UserMessage { text, images }),
            ItemBody::AgentMessage { text } => Body::AgentMessage(text),
            ItemBody::Reasoning { text } => Body::Reasoning(text),
            ItemBody::CommandExecution(command) => Body::CommandExecution(command.into()),
            ItemBody::FileChange { call, changes, status, reason } => Body::FileChange(wire::FileChange {
                call_id: call.to_string(),
                changes: changes.into_iter().map(Into::into).collect(),
                status: wire::ItemStatus::from(status).into(),
                reason: reason.unwrap_or_default(),
            }),
            ItemBody::ToolCall { call, tool, arguments, output, status } => Body::ToolCall(wire::ToolCall {
                call_id: call.to_string(),
                tool,
                arguments,
                output,
                status: wire::ItemStatus::from(status).into(),
            }),
            ItemBody::TodoList { steps } => Body::TodoList(wire::TodoList { steps: steps.into_iter().map(Into::into).collect() }),
            ItemBody::Compaction(compaction) => Body::Compaction(wire::Compaction {
                before_tokens: compaction.before_tokens,
                after_tokens: compaction.after_tokens,
                summed_up: compaction.summed_up,
            }),
            ItemBody::Error { message } => Body::Error(message),
        };
        Self { id: item.id.0, body: Some(body) }
    }
}

impl TryFrom<wire::Item> for Item {
    type Error = Malformed;

    fn try_from(wire: wire::Item) -> Result<Self, Malformed> {
        use wire::item::Body;
        let body = match wire.body.ok_or_else(|| Malformed::missing("item.body"))? {
            Body::UserMessage(message) => ItemBody::UserMessage { text: message.text, images: message.images },
            Body::AgentMessage(text) => ItemBody::AgentMessage { text },
            Body::Reasoning(text) => ItemBody::Reasoning { text },
            Body::CommandExecution(command) => ItemBody::CommandExecution(command.try_into()?),
            Body::FileChange(change) => ItemBody::FileChange {
                call: parse("file_change.call_id", &change.call_id)?,
                status: status(change.status)?,
                changes: change.changes.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?,
                reason: nonempty(change.reason),
            },
            Body::ToolCall(call) => ItemBody::ToolCall {
                call: parse("tool_call.call_id", &call.call_id)?,
                status: status(call.status)?,
                tool: call.tool,
                arguments: call.arguments,
                output: call.output,
            },
            Body::TodoList(list) => {
                ItemBody::TodoList { steps: list.steps.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()? }
            }
            Body::Compaction(compaction) => ItemBody::Compaction(Compaction {
                before_tokens: compaction.before_tokens,
                after_tokens: compaction.after_tokens,
                summed_up: compaction.summed_up,
            }),
            Body::Error(message) => ItemBody::Error { message },
        };
        Ok(Self { id: ItemId(wire.id), body })
    }
}

impl From<ItemStatus> for wire::ItemStatus {
    fn from(status: ItemStatus) -> Self {
        match status {
            ItemStatus::InProgress => Self::InProgress,
            ItemStatus::Completed => Self::Completed,
            ItemStatus::Failed => Self::Failed,
            ItemStatus::Declined => Self::Declined,
        }
    }
}

fn status(wire: i32) -> Result<ItemStatus, Malformed> {
    match wire::ItemStatus::try_from(wire) {
        Ok(wire::ItemStatus::InProgress) => Ok(ItemStatus::InProgress),
        Ok(wire::ItemStatus::Completed) => Ok(ItemStatus::Completed),
        Ok(wire::ItemStatus::Failed) => Ok(ItemStatus::Failed),
        Ok(wire::ItemStatus::Declined) => Ok(ItemStatus::Declined),
        Ok(wire::ItemStatus::Unspecified) | Err(_) => Err(Malformed::new("status", format!("{wire} is not a status"))),
    }
}

impl From<CommandExecution> for wire::CommandExecution {
    fn from(command: CommandExecution) -> Self {
        Self {
            call_id: command.call.to_string(),
            command: command.command,
            cwd: command.cwd.into(),
            node_id: command.node.into(),
            session_id: command.session.map(|session| session.to_string()).unwrap_or_default(),
            output: command.output,
            end: command.end.map(end_to_wire),
            duration_ms: command.duration.map(|span| span.0),
            status: wire::ItemStatus::from(command.status).into(),
            reason: command.reason.unwrap_or_default(),
            enforced: command.enforced.map(enforced_to_wire),
            denials: command.denials.into_iter().map(|Denial { act, reason }| wire::Denial { act, reason }).collect(),
        }
    }
}

impl TryFrom<wire::CommandExecution> for CommandExecution {
    type Error = Malformed;

    fn try_from(wire: wire::CommandExecution) -> Result<Self, Malformed> {
        Ok(Self {
            call: parse("command_execution.call_id", &wire.call_id)?,
            command: wire.command,
            cwd: parse("command_execution.cwd", &wire.cwd)?,
            node: parse("command_execution.node_id", &wire.node_id)?,
            session: nonempty(wire.session_id).map(|id| parse("command_execution.session_id", &id)).transpose()?,
            output: wire.output,
            end: wire.end.map(end_from_wire).transpose()?,
            duration: wire.duration_ms.map(Millis),
            status: status(wire.status)?,
            reason: nonempty(wire.reason),
            enforced: wire.enforced.map(enforced_from_wire),
            denials: wire.denials.into_iter().map(|wire::Denial { act, reason }| Denial { act, reason }).collect(),
        })
    }
}

const fn limit_name(limit: SessionLimit) -> &'static str {
    match limit {
        SessionLimit::Total => "total",
        SessionLimit::Idle => "idle",
        SessionLimit::Ownerless => "ownerless",
        SessionLimit::Memory => "memory",
        SessionLimit::Processes => "processes",
        SessionLimit::CpuTime => "cpu-time",
        SessionLimit::Written => "written",
        SessionLimit::FileSize => "file-size",
        SessionLimit::Output => "output",
    }
}

pub(super) fn end_to_wire(end: SessionEnd) -> wire::SessionEnd {
    use wire::session_end::End;
    let end = match end {
        SessionEnd::Exited { code } => End::Exited(code),
        SessionEnd::Signalled { signal } => End::Signalled(signal),
        SessionEnd::Limit(limit) => End::Limit(limit_name(limit).to_owned()),
        SessionEnd::Killed { by } => End::KilledBy(by),
        SessionEnd::Unknown { reason } => End::Unknown(reason),
    };
    wire::SessionEnd { end: Some(end) }
}

pub(super) fn end_from_wire(wire: wire::SessionEnd) -> Result<SessionEnd, Malformed> {
    use wire::session_end::End;
    Ok(match wire.end.ok_or_else(|| Malformed::missing("end"))? {
        End::Exited(code) => SessionEnd::Exited { code },
        End::Signalled(signal) => SessionEnd::Signalled { signal },
        End::Limit(name) => match SessionLimit::ALL.into_iter().find(|limit| limit_name(*limit) == name) {
            Some(limit) => SessionEnd::Limit(limit),
            // A newer coordinator's limit: the session did end, so that much is passed on.
            None => SessionEnd::Unknown { reason: format!("the limit `{name}` was reached") },
        },
        End::KilledBy(by) => SessionEnd::Killed { by },
        End::Unknown(reason) => SessionEnd::Unknown { reason },
    })
}

fn enforced_to_wire(enforced: Enforced) -> wire::Enforced {
    wire::Enforced {
        landlock_abi: enforced.landlock_abi.unwrap_or(0),
        seccomp_sha256: enforced.seccomp_sha256.unwrap_or_default(),
        no_new_privs: enforced.no_new_privs,
        capabilities_dropped: enforced.capabilities_dropped,
        network_closed: enforced.network_closed,
        uid: enforced.uid,
        limits: enforced.limits,
        level: enforced.level.to_string(),
        landlock_rights: enforced.landlock_rights,
        namespaces: enforced.namespaces,
        network: enforced.network,
        missing: enforced.missing,
    }
}

fn enforced_from_wire(wire: wire::Enforced) -> Enforced {
    Enforced {
        landlock_abi: Some(wire.landlock_abi).filter(|abi| *abi > 0),
        seccomp_sha256: nonempty(wire.seccomp_sha256),
        no_new_privs: wire.no_new_privs,
        capabilities_dropped: wire.capabilities_dropped,
        network_closed: wire.network_closed,
        uid: wire.uid,
        limits: wire.limits,
        level: wire.level.parse().unwrap_or(Level::None),
        landlock_rights: wire.landlock_rights,
        namespaces: wire.namespaces,
        network: wire.network,
        missing: wire.missing,
    }
}

impl From<FileChange> for wire::ChangedFile {
    fn from(change: FileChange) -> Self {
        let (kind, moved_to) = match change.kind {
            FileChangeKind::Add => ("add", None),
            FileChangeKind::Delete => ("delete", None),
            FileChangeKind::Update { moved_to } => ("update", moved_to),
        };
        Self { path: change.path, kind: kind.to_owned(), moved_to: moved_to.unwrap_or_default() }
    }
}

impl TryFrom<wire::ChangedFile> for FileChange {
    type Error = Malformed;

    fn try_from(wire: wire::ChangedFile) -> Result<Self, Malformed> {
        let kind = match wire.kind.as_str() {
            "add" => FileChangeKind::Add,
            "delete" => FileChangeKind::Delete,
            "update" => FileChangeKind::Update { moved_to: nonempty(wire.moved_to) },
            other => return Err(Malformed::new("changes.kind", format!("`{other}` is not add, delete or update"))),
        };
        Ok(Self { path: wire.path, kind })
    }
}

impl From<PlanStep> for wire::PlanStep {
    fn from(step: PlanStep) -> Self {
        let status = match step.status {
            PlanStatus::Pending => "pending",
            PlanStatus::InProgress => "in_progress",
            PlanStatus::Completed => "completed",
        };
        Self { step: step.step, status: status.to_owned() }
    }
}

impl TryFrom<wire::PlanStep> for PlanStep {
    type Error = Malformed;

    fn try_from(wire: wire::PlanStep) -> Result<Self, Malformed> {
        let status = match wire.status.as_str() {
            "pending" => PlanStatus::Pending,
            "in_progress" => PlanStatus::InProgress,
            "completed" => PlanStatus::Completed,
            other => return Err(Malformed::new("steps.status", format!("`{other}` is not pending, in_progress or completed"))),
        };
        Ok(Self { step: wire.step, status })
    }
}
