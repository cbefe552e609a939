//! The turns that wait in a thread, whether or not an actor of this process runs it.

use super::message::{ThreadMsg, TurnRefused};
use super::open::{ASK_DEADLINE, CreateError, Threads};
use super::queue::{TurnQueue, Waiting};
use capstan_runtime::actors::ask::ask;
use capstan_store::store::{Record, StoreError};
use capstan_types::id::{ThreadId, TurnId};

/// Why a turn was not taken back. For the caller.
#[derive(Debug, thiserror::Error)]
pub enum NotWithdrawn {
    /// The thread cannot be had.
    #[error(transparent)]
    Thread(#[from] CreateError),
    /// Its actor refused.
    #[error(transparent)]
    Refused(#[from] TurnRefused),
    /// It is the thread of another coordinator, of this name.
    #[error("thread {0} is the coordinator {1}'s; `capstan exec resume` takes it over")]
    Elsewhere(ThreadId, String),
}

impl From<StoreError> for NotWithdrawn {
    fn from(error: StoreError) -> Self {
        Self::Thread(error.into())
    }
}

impl Threads {
    /// The turns that wait, in order.
    ///
    /// # Errors
    /// There is no such thread, the store does not work, or the coordinator is stopping.
    pub async fn queued(&self, thread: ThreadId) -> Result<Vec<Waiting>, CreateError> {
        if let Some(actor) = self.find(thread).await? {
            return Ok(ask(&actor, ASK_DEADLINE, ThreadMsg::Queued).await?);
        }
        self.stored(thread).await?;
        let queued = self.store.queued(thread).await?;
        Ok(TurnQueue::of(queued.into_iter().map(|(turn, input)| (turn, Box::new(input)))).list())
    }

    /// Says that no turn runs in a thread that no actor runs, if the thread is this coordinator's.
    ///
    /// # Errors
    /// See [`NotWithdrawn`].
    pub async fn nothing_runs_in(&self, thread: ThreadId) -> Result<Option<TurnId>, NotWithdrawn> {
        let record = self.stored(thread).await?;
        if self.inherits(&record.owner) { Ok(None) } else { Err(NotWithdrawn::Elsewhere(thread, record.owner)) }
    }

    /// Takes a turn back that waits, or all of them.
    ///
    /// # Errors
    /// See [`NotWithdrawn`].
    pub async fn withdraw(&self, thread: ThreadId, turn: Option<TurnId>) -> Result<(), NotWithdrawn> {
        let _alone = self.beginning.enter(thread).await;
        if let Some(actor) = self.find(thread).await.map_err(CreateError::from)? {
            let asked = ask(&actor, ASK_DEADLINE, |reply| ThreadMsg::Withdraw(turn, reply)).await;
            return Ok(asked.map_err(CreateError::from)??);
        }
        let record = self.stored(thread).await?;
        if !self.inherits(&record.owner) {
            return Err(NotWithdrawn::Elsewhere(thread, record.owner));
        }
        let queued = self.store.queued(thread).await?.into_iter().map(|(waits, _)| waits);
        let meant = queued.filter(|waits| turn.is_none_or(|turn| turn == *waits));
        let records: Vec<Record> = meant.map(Record::Unqueued).collect();
        if !records.is_empty() {
            self.store.append(thread, record.epoch, records).await?;
        }
        Ok(())
    }
}
