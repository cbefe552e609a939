//! The shapes of the lines.

use super::spending::Spending;
use capstan_types::history::Usage;
use capstan_types::item::{CommandExecution, Compaction, FileChange, FileChangeKind, ItemBody, ItemStatus, PlanStatus, PlanStep};
use capstan_types::launch::{Denial, Enforced, SessionEnd};
use serde::Serialize;

/// One line.
#[derive(Debug, Serialize)]
#[serde(tag = "type")]
pub(super) enum Line {
    #[serde(rename = "thread.started")]
    ThreadStarted { thread_id: String },
    #[serde(rename = "turn.started")]
    TurnStarted {},
    #[serde(rename = "item.started")]
    ItemStarted(Shown),
    #[serde(rename = "item.updated")]
    ItemUpdated(Shown),
    #[serde(rename = "item.completed")]
    ItemCompleted(Shown),
    #[serde(rename = "turn.completed")]
    TurnCompleted {
        usage: Usage,
        #[serde(skip_serializing_if = "Option::is_none")]
        capstan: Option<Box<Spending>>,
    },
    #[serde(rename = "turn.failed")]
    TurnFailed {
        error: Fault,
        #[serde(skip_serializing_if = "Option::is_none")]
        capstan: Option<Box<Spending>>,
    },
    #[serde(rename = "error")]
    Error { message: String },
}

#[derive(Debug, Serialize)]
pub(super) struct Fault {
    pub(super) message: String,
}

/// An item in its line.
#[derive(Debug, Serialize)]
pub(super) struct Shown {
    item: Numbered,
}

#[derive(Debug, Serialize)]
struct Numbered {
    id: String,
    #[serde(flatten)]
    body: Body,
}

impl Shown {
    pub(super) fn new(number: u64, body: Body) -> Self {
        Self { item: Numbered { id: format!("item_{number}"), body } }
    }
}

/// What an item is.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Body {
    AgentMessage {
        text: String,
    },
    Reasoning {
        text: String,
    },
    CommandExecution {
        command: String,
        aggregated_output: String,
        exit_code: Option<i32>,
        status: ItemStatus,
        capstan: Box<CommandExtras>,
    },
    FileChange {
        changes: Vec<Change>,
        status: ItemStatus,
        #[serde(skip_serializing_if = "Option::is_none")]
        capstan: Option<ChangeExtras>,
    },
    TodoList {
        items: Vec<Todo>,
    },
    ContextCompaction {
        before_tokens: u64,
        after_tokens: u64,
        summed_up: bool,
    },
    Error {
        message: String,
    },
}

/// What we know of a command beyond Codex's fields.
#[derive(Debug, Serialize)]
pub(super) struct CommandExtras {
    node: String,
    cwd: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end: Option<SessionEnd>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    enforced: Option<Enforced>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    denials: Vec<Denial>,
}

/// Why a patch was not applied.
#[derive(Debug, Serialize)]
pub(super) struct ChangeExtras {
    reason: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Change {
    path: String,
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    capstan: Option<Moved>,
}

#[derive(Debug, Serialize)]
struct Moved {
    moved_to: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Todo {
    text: String,
    completed: bool,
}

impl Body {
    /// The item's shape; `None` for items that have no line.
    pub(super) fn of(body: &ItemBody) -> Option<Self> {
        Some(match body {
            ItemBody::UserMessage { .. } | ItemBody::ToolCall { .. } => return None,
            ItemBody::AgentMessage { text } => Self::AgentMessage { text: text.clone() },
            ItemBody::Reasoning { text } => Self::Reasoning { text: text.clone() },
            ItemBody::CommandExecution(command) => Self::command(command),
            ItemBody::FileChange { changes, status, reason, .. } => Self::FileChange {
                changes: changes.iter().map(Change::of).collect(),
                status: *status,
                capstan: reason.clone().map(|reason| ChangeExtras { reason }),
            },
            ItemBody::TodoList { steps } => Self::todo_list(steps),
            ItemBody::Compaction(Compaction { before_tokens, after_tokens, summed_up }) => {
                Self::ContextCompaction { before_tokens: *before_tokens, after_tokens: *after_tokens, summed_up: *summed_up }
            }
            ItemBody::Error { message } => Self::Error { message: message.clone() },
        })
    }

    pub(super) fn todo_list(steps: &[PlanStep]) -> Self {
        let todo = |step: &PlanStep| Todo { text: step.step.clone(), completed: step.status == PlanStatus::Completed };
        Self::TodoList { items: steps.iter().map(todo).collect() }
    }

    fn command(command: &CommandExecution) -> Self {
        Self::CommandExecution {
            command: command.command.clone(),
            aggregated_output: command.output.clone(),
            exit_code: command.end.as_ref().and_then(SessionEnd::shell_code),
            status: command.status,
            capstan: Box::new(CommandExtras {
                node: command.node.to_string(),
                cwd: command.cwd.to_string(),
                session: command.session.map(|session| session.to_string()),
                duration_ms: command.duration.map(|span| span.0),
                end: command.end.clone(),
                reason: command.reason.clone(),
                enforced: command.enforced.clone(),
                denials: command.denials.clone(),
            }),
        }
    }
}

impl Change {
    fn of(change: &FileChange) -> Self {
        let (kind, moved_to) = match &change.kind {
            FileChangeKind::Add => ("add", None),
            FileChangeKind::Delete => ("delete", None),
            FileChangeKind::Update { moved_to } => ("update", moved_to.clone()),
        };
        Self { path: change.path.clone(), kind, capstan: moved_to.map(|moved_to| Moved { moved_to }) }
    }
}
