//! The items of one turn: numbered, recorded, and none left open when the turn ends.
//!
//! Invariant: an item is completed once. A session may outlive its turn; its item does not, and what becomes of the session later is
//! told by the call that looks at it.

use super::log::{Draft, LogError, ThreadLog};
use crate::crash_point;
use async_trait::async_trait;
use capstan_tools::items::{ItemSink, SinkClosed};
use capstan_types::event::EventBody;
use capstan_types::id::{CallId, SessionId, TurnId};
use capstan_types::item::{Item, ItemBody, ItemId, ItemStatus};
use capstan_types::session::known::SessionChange;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Gives a thread's items their numbers.
#[derive(Debug, Default)]
pub struct ItemNumbers(AtomicU64);

impl ItemNumbers {
    /// Numbers from `next` on.
    #[must_use]
    pub const fn from(next: u64) -> Self {
        Self(AtomicU64::new(next))
    }

    /// The next number.
    pub fn next(&self) -> ItemId {
        ItemId(self.0.fetch_add(1, Ordering::Relaxed))
    }
}

/// Records one turn's items.
#[derive(Debug)]
pub struct TurnItems {
    turn: TurnId,
    log: ThreadLog,
    numbers: Arc<ItemNumbers>,
    open: Mutex<BTreeMap<ItemId, Unfinished>>,
    /// Items that calls of the turn had when another coordinator ran it.
    before: BTreeMap<CallId, ItemId>,
}

/// An item that is not completed yet.
#[derive(Debug)]
struct Unfinished {
    body: ItemBody,
    // Its completion is on its way into the log.
    ending: bool,
}

impl TurnItems {
    /// No items yet.
    #[must_use]
    pub fn new(turn: TurnId, log: ThreadLog, numbers: Arc<ItemNumbers>) -> Self {
        Self { turn, log, numbers, open: Mutex::default(), before: BTreeMap::new() }
    }

    /// The items of a turn that another coordinator began: those that are open, and those that its calls have.
    #[must_use]
    pub fn going_on(self, open: BTreeMap<ItemId, ItemBody>, calls: BTreeMap<CallId, ItemId>) -> Self {
        let open = open.into_iter().map(|(id, body)| (id, Unfinished { body, ending: false })).collect();
        Self { open: Mutex::new(open), before: calls, ..self }
    }

    /// Completes the item that a call had before, if it has one that is open, as failed for `reason`.
    ///
    /// # Errors
    /// [`LogError::Stopped`].
    pub async fn give_up(&self, call: CallId, reason: &str) -> Result<(), LogError> {
        let id = self.before.get(&call).copied();
        let item = id.and_then(|id| self.lock().remove(&id).map(|item| Item { id, body: given_up(item.body, reason) }));
        match item {
            Some(item) => self.log.note(vec![self.draft(EventBody::ItemCompleted { item })]).await,
            None => Ok(()),
        }
    }

    /// A number for an item that is recorded later.
    pub fn number(&self) -> ItemId {
        self.numbers.next()
    }

    /// Completes every item that is still open as failed for `reason`, so that no item stays in progress for ever.
    ///
    /// # Errors
    /// [`LogError::Stopped`].
    pub async fn close_open(&self, reason: &str) -> Result<(), LogError> {
        let open: Vec<_> = self.lock().extract_if(.., |_, item| !item.ending).collect();
        let close = |(id, item): (ItemId, Unfinished)| {
            self.draft(EventBody::ItemCompleted { item: Item { id, body: given_up(item.body, reason) } })
        };
        self.log.note(open.into_iter().map(close).collect()).await
    }

    /// What was stored of a call's item that is open: its session, and its output.
    #[must_use]
    pub fn seen_of(&self, call: CallId) -> (Option<SessionId>, String) {
        let open = self.lock();
        match self.before.get(&call).and_then(|id| open.get(id)).map(|item| &item.body) {
            Some(ItemBody::CommandExecution(command)) => (command.session, command.output.clone()),
            _ => (None, String::new()),
        }
    }

    fn draft(&self, body: EventBody) -> Draft {
        Draft::Event(Some(self.turn), body)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<ItemId, Unfinished>> {
        // Each change is one insert or remove, so a panic in the holder leaves nothing half done.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn note(&self, body: EventBody) -> Result<(), SinkClosed> {
        self.log.note(vec![self.draft(body)]).await.map_err(|_| SinkClosed)
    }
}

#[async_trait]
impl ItemSink for TurnItems {
    async fn started(&self, body: ItemBody) -> Result<ItemId, SinkClosed> {
        if let Some(id) = body.call().and_then(|call| self.before.get(&call)) {
            return Ok(*id);
        }
        let id = self.numbers.next();
        self.lock().insert(id, Unfinished { body: body.clone(), ending: false });
        self.note(EventBody::ItemStarted { item: Item { id, body } }).await?;
        crash_point::reached("item.started");
        Ok(id)
    }

    async fn updated(&self, id: ItemId, body: ItemBody) -> Result<(), SinkClosed> {
        match self.lock().get_mut(&id) {
            Some(item) => item.body = body.clone(),
            None => return Ok(()), // its turn has ended, and it with it
        }
        self.note(EventBody::ItemUpdated { item: Item { id, body } }).await
    }

    async fn completed(&self, id: ItemId, body: ItemBody) -> Result<(), SinkClosed> {
        let Some(ending) = Ending::begin(self, id) else { return Ok(()) };
        crash_point::reached("item.completing");
        self.note(EventBody::ItemCompleted { item: Item { id, body } }).await?;
        ending.done();
        crash_point::reached("item.completed");
        Ok(())
    }

    async fn session(&self, change: SessionChange) -> Result<(), SinkClosed> {
        self.note(EventBody::SessionChanged { change }).await?;
        crash_point::reached("session.opened");
        Ok(())
    }

    fn output(&self, id: ItemId, text: String) {
        crash_point::reached("session.output");
        self.log.tell(Some(self.turn), EventBody::OutputDelta { item: id, text });
    }
}

/// Holds an item's place while its completion goes into the log. Dropped before that, as when a call is interrupted, it leaves the item
/// open, for the end of the turn to close.
struct Ending<'a> {
    items: &'a TurnItems,
    id: ItemId,
}

impl<'a> Ending<'a> {
    /// Nothing for an item that is completed, or being completed by somebody else.
    fn begin(items: &'a TurnItems, id: ItemId) -> Option<Self> {
        let mut open = items.lock();
        let item = open.get_mut(&id).filter(|item| !item.ending)?;
        item.ending = true;
        Some(Self { items, id })
    }

    fn done(self) {
        self.items.lock().remove(&self.id);
    }
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        if let Some(item) = self.items.lock().get_mut(&self.id) {
            item.ending = false;
        }
    }
}

/// The item as it stays when it is not brought to its own end.
pub(super) fn given_up(mut body: ItemBody, why: &str) -> ItemBody {
    match &mut body {
        ItemBody::CommandExecution(command) => {
            command.status = ItemStatus::Failed;
            command.reason = Some(why.to_owned());
        }
        ItemBody::FileChange { status, reason, .. } => {
            *status = ItemStatus::Failed;
            *reason = Some(why.to_owned());
        }
        ItemBody::ToolCall { status, .. } => *status = ItemStatus::Failed,
        ItemBody::UserMessage { .. }
        | ItemBody::AgentMessage { .. }
        | ItemBody::Reasoning { .. }
        | ItemBody::TodoList { .. }
        | ItemBody::Compaction(_)
        | ItemBody::Error { .. } => {}
    }
    body
}

#[cfg(test)]
mod tests;
