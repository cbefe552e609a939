//! Taking a thread over because somebody asks for it, whoever runs it now.
//!
//! The store decides: whoever raises the thread's epoch first has it, and what the one before appends from then on is refused. That one lets
//! go when it meets the refusal; until then it can think, but not act.

use super::message::ThreadMsg;
use super::open::{ASK_DEADLINE, CreateError, Threads};
use super::recall::Recalled;
use capstan_runtime::actors::ask::ask;
use capstan_store::store::StoreError;
use capstan_types::id::{EventSeq, ThreadId};
use capstan_types::thread::ThreadRecord;
use ractor::ActorRef;
use std::time::Duration;

/// How long an actor whose thread is somebody else's may take to let go.
const LETS_GO_WITHIN: Duration = Duration::from_secs(12);

impl Threads {
    /// Runs a thread here, and gives its row and the number of its last event.
    ///
    /// # Errors
    /// See [`CreateError`]; the thread is this coordinator's all the same, unless the store did not say so.
    pub async fn resume(&self, thread: ThreadId) -> Result<(ThreadRecord, EventSeq), CreateError> {
        self.is_open()?;
        let _alone = self.beginning.enter(thread).await;
        let record = self.stored(thread).await?;
        match self.find(thread).await? {
            Some(_) if record.owner == self.name => {}
            stale => {
                if let Some(stale) = stale {
                    // It has not met the refusal yet.
                    stop(&stale).await?;
                }
                Box::pin(self.reopen(record, Recalled::default())).await?;
            }
        }
        self.standing(thread).await
    }

    /// A thread that runs here, with the number of its last event.
    pub(super) async fn standing(&self, thread: ThreadId) -> Result<(ThreadRecord, EventSeq), CreateError> {
        let gone = || CreateError::Stopping("it has let go of the thread again".to_owned());
        let actor = self.find(thread).await?.ok_or_else(gone)?;
        let place = ask(&actor, ASK_DEADLINE, ThreadMsg::Subscribe).await?.map_err(|_| gone())?;
        Ok((self.stored(thread).await?, place.after))
    }

    /// A thread's row.
    ///
    /// # Errors
    /// There is none, or the store does not work.
    pub async fn stored(&self, thread: ThreadId) -> Result<ThreadRecord, StoreError> {
        self.store.thread(thread).await?.ok_or(StoreError::NoThread(thread))
    }
}

/// Stops a thread's actor, and with it its turn.
pub(super) async fn stop(actor: &ActorRef<ThreadMsg>) -> Result<(), CreateError> {
    let stopped = actor.stop_and_wait(Some("the thread is opened anew".to_owned()), Some(LETS_GO_WITHIN)).await;
    stopped.map_err(|error| CreateError::Stopping(error.to_string()))
}
