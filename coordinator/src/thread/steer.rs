//! What people say to a turn while it runs.
//!
//! Invariants: what was acknowledged is stored as an item of the turn, before the turn's end; the model is told in the turn with its next
//! request, and if there is none any more, in the next turn; a turn whose coordinator died before is told by its next owner. A turn that has
//! been told everything and has answered takes no more.

use super::items::ItemNumbers;
use super::log::{Draft, LogError, ThreadLog};
use capstan_types::event::EventBody;
use capstan_types::id::TurnId;
use capstan_types::item::{Item, ItemBody};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio_util::sync::CancellationToken;

/// Sayings that may wait for the model's next request. Full: whoever says more is told to try again.
const MOST: usize = 64;

/// What is said to one turn. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Steering {
    /// Cancelled once the turn takes what is said, or never will.
    begun: CancellationToken,
    said: Arc<Mutex<Said>>,
}

#[derive(Debug, Default)]
struct Said {
    closed: bool,
    waiting: Vec<String>,
}

/// Why something was not said to a turn. For the caller.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SteerRefused {
    /// There is nobody to say it to.
    #[error("no turn runs in this thread; start one with it")]
    NothingRuns,
    /// It was meant for another turn.
    #[error("turn {0} runs now, and not the one that was meant")]
    Another(TurnId),
    /// There is nothing to say.
    #[error("the text is empty; say what the turn is to know")]
    Empty,
    /// Too much waits already.
    #[error("{MOST} messages wait for the model's next request already; try again when it has been told")]
    Full,
    /// It could not be stored.
    #[error(transparent)]
    Log(#[from] LogError),
}

impl Steering {
    /// From now on the turn takes what is said. Its beginning is stored.
    pub fn open(&self) {
        self.begun.cancel();
    }

    /// What was stored as said to the turn in its life before, and was not told.
    pub fn again(&self, unsaid: Vec<String>) {
        self.lock().waiting.extend(unsaid);
    }

    /// Says something to the turn, once that has begun.
    ///
    /// # Errors
    /// See [`SteerRefused`]; the model is not told then.
    pub async fn say(&self, log: &ThreadLog, numbers: &ItemNumbers, turn: TurnId, text: String) -> Result<(), SteerRefused> {
        self.begun.cancelled().await;
        let submitted = {
            let mut said = self.lock();
            if said.closed {
                return Err(SteerRefused::NothingRuns);
            }
            if said.waiting.len() >= MOST {
                return Err(SteerRefused::Full);
            }
            let item = Item { id: numbers.next(), body: ItemBody::UserMessage { text: text.clone(), images: 0 } };
            // Under the lock, so that it has its place in the log before the turn's end has.
            let drafts = vec![Draft::Event(Some(turn), EventBody::ItemCompleted { item })];
            let submitted = log.try_submit(drafts)?.ok_or(SteerRefused::Full)?;
            said.waiting.push(text);
            submitted
        };
        Ok(submitted.stored().await?)
    }

    /// What the model has not been told.
    #[must_use]
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.lock().waiting)
    }

    /// What the model has not been told; if that is nothing, nothing more is taken.
    #[must_use]
    pub fn take_or_close(&self) -> Vec<String> {
        let mut said = self.lock();
        said.closed |= said.waiting.is_empty();
        std::mem::take(&mut said.waiting)
    }

    /// Takes no more, and gives what the model has not been told.
    #[must_use]
    pub fn close(&self) -> Vec<String> {
        let left = {
            let mut said = self.lock();
            said.closed = true;
            std::mem::take(&mut said.waiting)
        };
        // Those who wait for the turn's beginning are told that it will not come.
        self.begun.cancel();
        left
    }

    fn lock(&self) -> MutexGuard<'_, Said> {
        // Each change is one push or take, so a panic in the holder leaves nothing half done.
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
