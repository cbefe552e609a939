//! A mailbox with a bound, since those of ractor have none.
//!
//! A message travels in an envelope that holds one of a fixed number of places. The place is free again when the handler drops the
//! envelope, so that what is bounded is work that has been accepted and not finished, wherever it is. Invariant: there are never more
//! than `places` envelopes.

use super::ask::{AskError, answered};
use ractor::{ActorRef, Message, RpcReplyPort};
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError};

/// A message that holds a place in its actor's mailbox until it is dropped.
#[derive(Debug)]
pub struct Admitted<M> {
    /// The message. A handler that takes it out and drops the rest gives the place back at once.
    pub message: M,
    _place: OwnedSemaphorePermit,
}

/// Why a message was not accepted.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
pub enum CastError<M> {
    /// Every place is taken. The message is handed back, to be offered elsewhere or again.
    #[error("the actor is busy; try again later")]
    Busy(M),
    /// The actor has ended. The message is dropped, and with it any reply port in it.
    #[error("the actor has stopped")]
    Stopped,
}

// By hand, because messages hold reply ports and the like, which have no form to be shown in.
impl<M> fmt::Debug for CastError<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Busy(_) => "Busy(_)",
            Self::Stopped => "Stopped",
        })
    }
}

/// A reference to an actor that accepts a bounded number of messages. Clones share the bound.
pub struct BoundedRef<M> {
    actor: ActorRef<Admitted<M>>,
    places: Arc<Semaphore>,
}

impl<M: Send + 'static> BoundedRef<M>
where
    Admitted<M>: Message,
{
    /// A reference that accepts at most `places` unfinished messages. Make one per actor and clone it: two of them would each have
    /// their own count.
    #[must_use]
    pub fn new(actor: ActorRef<Admitted<M>>, places: NonZeroUsize) -> Self {
        let places = places.get().min(Semaphore::MAX_PERMITS);
        Self { actor, places: Arc::new(Semaphore::new(places)) }
    }

    /// The actor behind it, for supervision; sending to it directly is not possible, because only this type makes envelopes.
    #[must_use]
    pub const fn actor(&self) -> &ActorRef<Admitted<M>> {
        &self.actor
    }

    /// Sends now or not at all. `Ok` means queued, never handled.
    ///
    /// # Errors
    /// [`CastError::Busy`] with the message, or [`CastError::Stopped`].
    pub fn try_cast(&self, message: M) -> Result<(), CastError<M>> {
        match Arc::clone(&self.places).try_acquire_owned() {
            Ok(place) => self.send(message, place),
            Err(TryAcquireError::NoPermits) => Err(CastError::Busy(message)),
            Err(TryAcquireError::Closed) => Err(CastError::Stopped),
        }
    }

    /// Waits for a place, in the order of asking, and sends. The wait has no deadline of its own: it ends when the actor finishes
    /// some work or ends.
    ///
    /// # Errors
    /// [`CastError::Stopped`] when the actor has ended, before or during the wait.
    pub async fn cast(&self, message: M) -> Result<(), CastError<M>> {
        match Arc::clone(&self.places).acquire_owned().await {
            Ok(place) => self.send(message, place),
            Err(_closed) => Err(CastError::Stopped),
        }
    }

    /// Asks a question if there is a place for it now.
    ///
    /// # Errors
    /// One of [`AskError`]; [`AskError::Busy`] when every place is taken.
    pub async fn ask<T: Send + 'static>(
        &self,
        deadline: Duration,
        question: impl FnOnce(RpcReplyPort<T>) -> M,
    ) -> Result<T, AskError> {
        let place = match Arc::clone(&self.places).try_acquire_owned() {
            Ok(place) => place,
            Err(TryAcquireError::NoPermits) => return Err(AskError::Busy),
            Err(TryAcquireError::Closed) => return Err(AskError::Stopped),
        };
        let envelope = |reply| Admitted { message: question(reply), _place: place };
        answered(self.actor.call(envelope, Some(deadline)).await, deadline)
    }

    fn send(&self, message: M, place: OwnedSemaphorePermit) -> Result<(), CastError<M>> {
        self.actor.cast(Admitted { message, _place: place }).map_err(|_| CastError::Stopped)
    }
}

impl<M> Clone for BoundedRef<M> {
    fn clone(&self) -> Self {
        Self { actor: self.actor.clone(), places: Arc::clone(&self.places) }
    }
}

impl<M> fmt::Debug for BoundedRef<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoundedRef").field("free_places", &self.places.available_permits()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
