//! One step of a turn: the model is asked, its answer is told as it comes, and stored whole before anything is done for it.

use super::items::TurnItems;
use super::log::{Draft, LogError, ThreadLog};
use crate::{clock, crash_point};
use capstan_model::{Answer, ModelClient, ModelError, ModelEvent, Prompt};
use capstan_tools::toolbox::Toolbox;
use capstan_types::call::{Call, CallAttempt, ReplayClass};
use capstan_types::event::EventBody;
use capstan_types::history::Entry;
use capstan_types::id::{Attempt, CallId, NodeId, TurnId};
use capstan_types::item::{Item, ItemBody, ItemId};
use capstan_types::money::Spent;
use capstan_types::thread::ThreadCost;
use futures::StreamExt as _;
use tokio_util::sync::CancellationToken;

/// Why a turn does not go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TurnStop {
    /// Somebody interrupted it.
    #[error("the turn was interrupted")]
    Interrupted,
    /// It failed; the text is for the user.
    #[error("{0}")]
    Failed(String),
    /// The model gave no answer.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A budget is used up; the text says which, and how to go on.
    #[error("{0}")]
    Paused(String),
    /// The thread has another owner, or the store no longer works.
    #[error(transparent)]
    Log(#[from] LogError),
}

/// Where a call of a tool with these arguments runs.
pub type NodeOf<'a> = &'a (dyn Fn(&str, &str) -> NodeId + Sync);

/// Asks the model for one answer. Deltas and retries are told to whoever listens.
///
/// # Errors
/// The model gave no answer, or the turn was interrupted.
pub async fn ask(
    client: &dyn ModelClient,
    prompt: Prompt,
    turn: TurnId,
    log: &ThreadLog,
    items: &TurnItems,
    interrupt: &CancellationToken,
) -> Result<(Answer, Option<ItemId>), TurnStop> {
    let mut message = None;
    let hear = async {
        crash_point::reached("model.asking");
        let mut stream = client.step(prompt).await?;
        while let Some(event) = stream.next().await {
            match event? {
                ModelEvent::TextDelta(text) => {
                    crash_point::reached("model.delta");
                    let item = *message.get_or_insert_with(|| items.number());
                    log.tell(Some(turn), EventBody::MessageDelta { item, text });
                }
                // The summary comes whole with the answer; its parts mean little to a reader.
                ModelEvent::ReasoningDelta(_) => {}
                ModelEvent::Retrying { attempt, of, reason, .. } => {
                    let notice = format!("Reconnecting... {attempt}/{of} ({reason})");
                    log.tell_surely(Some(turn), EventBody::Notice { message: notice }).await;
                }
                ModelEvent::Answered(answer) => {
                    crash_point::reached("model.answered");
                    return Ok(answer);
                }
            }
        }
        Err(ModelError::Unavailable("its stream ended without an answer".to_owned()).into())
    };
    tokio::select! {
        biased;
        () = interrupt.cancelled() => Err(TurnStop::Interrupted),
        answer = hear => answer.map(|answer| (answer, message)),
    }
}

/// Stores an answer whole, and with it what it used, the intent of every call in it, and its first try where that may be told ahead: a node that
/// does each try once, or a call that changes nothing, may be asked under it again, so that nothing is lost by it and no call waits for the disk
/// twice. `message` is the number under which the text was told.
///
/// # Errors
/// It could not be stored: nothing may be done for it.
pub async fn keep(
    answer: &Answer,
    spent: Spent,
    mut message: Option<ItemId>,
    turn: TurnId,
    (toolbox, node_of): (&Toolbox, NodeOf<'_>),
    log: &ThreadLog,
    items: &TurnItems,
) -> Result<Vec<Call>, LogError> {
    let asked_at = clock::now();
    let mut calls = Vec::new();
    let cost = ThreadCost { usage: spent.usage, micro_usd: spent.cost.unwrap_or_default().0 };
    let mut drafts = vec![Draft::Event(Some(turn), EventBody::ModelAnswered { spent }), Draft::Cost(cost)];
    for entry in &answer.entries {
        match entry {
            Entry::Reasoning { text, .. } if !text.trim().is_empty() => {
                let item = Item { id: items.number(), body: ItemBody::Reasoning { text: text.clone() } };
                drafts.push(Draft::Event(Some(turn), EventBody::ItemCompleted { item }));
            }
            Entry::Assistant { text } if !text.is_empty() => {
                let id = message.take().unwrap_or_else(|| items.number());
                let item = Item { id, body: ItemBody::AgentMessage { text: text.clone() } };
                drafts.push(Draft::Event(Some(turn), EventBody::ItemCompleted { item }));
            }
            Entry::Call { model_call_id, tool, arguments } => {
                let call = Call {
                    id: CallId::generate(),
                    turn,
                    model_call_id: model_call_id.clone(),
                    tool: tool.clone(),
                    arguments: arguments.clone(),
                    attempt: Attempt(1),
                    asked_at,
                    replay: toolbox.replay_class(tool, arguments),
                };
                drafts.push(Draft::CallAsked(call.clone()));
                if told_ahead(toolbox, &call) {
                    drafts.push(Draft::CallAttempted(attempt(&call, &node_of(&call.tool, &call.arguments))));
                }
                calls.push(call);
            }
            Entry::Reasoning { .. }
            | Entry::Assistant { .. }
            | Entry::Developer { .. }
            | Entry::User { .. }
            | Entry::CallOutput { .. }
            | Entry::Picture { .. }
            | Entry::Compacted { .. } => {}
        }
        drafts.push(Draft::Entry(turn, entry.clone()));
    }
    crash_point::reached("answer.storing");
    log.record(drafts).await?;
    crash_point::reached("answer.stored");
    Ok(calls)
}

/// Whether the first try of a call is stored with its intent.
#[must_use]
pub fn told_ahead(toolbox: &Toolbox, call: &Call) -> bool {
    call.attempt == Attempt(1) && (call.replay == ReplayClass::Pure || toolbox.once(&call.tool))
}

/// The try of a call that is made now.
#[must_use]
pub fn attempt(call: &Call, node: &NodeId) -> CallAttempt {
    CallAttempt { call: call.id, attempt: call.attempt, node: node.clone(), session: None, started_at: clock::now() }
}
