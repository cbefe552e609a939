//! One question to an actor, with a deadline and one error.
//!
//! ractor tells a failed send, a late answer and a dropped reply port apart in three places; a caller does the same after each of
//! them, and must not be able to forget the deadline.

use ractor::rpc::CallResult;
use ractor::{ActorRef, Message, MessagingErr, RpcReplyPort};
use std::time::Duration;

/// Why a question has no answer. For the caller.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// The actor had ended before the question reached it: nothing was done.
    #[error("the actor has stopped")]
    Stopped,
    /// There was no place in the actor's mailbox: nothing was done. Only a [`super::BoundedRef`] says so.
    #[error("the actor is busy; ask again later")]
    Busy,
    /// No answer came in time. The work may still go on: an actor is not interrupted by the impatience of its callers.
    #[error("the actor did not answer within {} ms", .0.as_millis())]
    Late(Duration),
    /// The actor dropped the question, as it does when it ends or fails. Whether anything was done is not known.
    #[error("the actor ended without an answer")]
    Dropped,
}

/// Asks `actor` and waits for the answer until `deadline` has passed.
///
/// # Errors
/// One of [`AskError`]; all but [`AskError::Late`] come without waiting.
pub async fn ask<M, T>(
    actor: &ActorRef<M>,
    deadline: Duration,
    question: impl FnOnce(RpcReplyPort<T>) -> M,
) -> Result<T, AskError>
where
    M: Message,
    T: Send + 'static,
{
    answered(actor.call(question, Some(deadline)).await, deadline)
}

pub(super) fn answered<M, T>(called: Result<CallResult<T>, MessagingErr<M>>, deadline: Duration) -> Result<T, AskError> {
    match called {
        Ok(CallResult::Success(answer)) => Ok(answer),
        Ok(CallResult::Timeout) => Err(AskError::Late(deadline)),
        Ok(CallResult::SenderError) => Err(AskError::Dropped),
        Err(MessagingErr::SendErr(_) | MessagingErr::ChannelClosed | MessagingErr::InvalidActorType) => Err(AskError::Stopped),
    }
}

#[cfg(test)]
mod tests;
