//! The items of one turn: numbered, recorded, and none left open when the turn ends.

use super::log::{Draft, LogError, ThreadLog};
use async_trait::async_trait;
use capstan_tools::items::{ItemSink, SinkClosed};
use capstan_types::event::EventBody;
use capstan_types::id::TurnId;
use capstan_types::item::{Item, ItemBody, ItemId, ItemStatus};
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
    open: Mutex<BTreeMap<ItemId, ItemBody>>,
}

impl TurnItems {
    /// No items yet.
    #[must_use]
    pub fn new(turn: TurnId, log: ThreadLog, numbers: Arc<ItemNumbers>) -> Self {
        Self { turn, log, numbers, open: Mutex::default() }
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
        let open = std::mem::take(&mut *self.lock());
        let close = |(id, body)| self.draft(EventBody::ItemCompleted { item: Item { id, body: given_up(body, reason) } });
        self.log.note(open.into_iter().map(close).collect()).await
    }

    fn draft(&self, body: EventBody) -> Draft {
        Draft::Event(Some(self.turn), body)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<ItemId, ItemBody>> {
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
        let id = self.numbers.next();
        self.lock().insert(id, body.clone());
        self.note(EventBody::ItemStarted { item: Item { id, body } }).await?;
        Ok(id)
    }

    async fn updated(&self, id: ItemId, body: ItemBody) -> Result<(), SinkClosed> {
        self.lock().insert(id, body.clone());
        self.note(EventBody::ItemUpdated { item: Item { id, body } }).await
    }

    async fn completed(&self, id: ItemId, body: ItemBody) -> Result<(), SinkClosed> {
        self.note(EventBody::ItemCompleted { item: Item { id, body } }).await?;
        self.lock().remove(&id);
        Ok(())
    }

    fn output(&self, id: ItemId, text: String) {
        self.log.tell(Some(self.turn), EventBody::OutputDelta { item: id, text });
    }
}

fn given_up(mut body: ItemBody, why: &str) -> ItemBody {
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
        | ItemBody::Error { .. } => {}
    }
    body
}
