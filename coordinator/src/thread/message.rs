//! What a thread is asked and told.

use super::live::Subscription;
use super::log::LogError;
use capstan_types::checkpoint::{Changes, Undo};
use capstan_types::id::TurnId;
use capstan_types::session::known::KnownSessions;
use capstan_types::thread::{OnInterrupt, TurnInput};
use ractor::RpcReplyPort;
use tonic::Status;

/// Requests in the imperative, facts in the past tense.
#[derive(Debug)]
pub enum ThreadMsg {
    /// Start a turn under this id. One that was started before is not started again.
    StartTurn(TurnId, Box<TurnInput>, RpcReplyPort<Result<(), TurnRefused>>),
    /// Interrupt the running turn, if there is one.
    Interrupt(OnInterrupt, RpcReplyPort<()>),
    /// Add a listener.
    Subscribe(RpcReplyPort<Result<Subscription, LogError>>),
    /// Say whether a turn runs.
    IsBusy(RpcReplyPort<bool>),
    /// Say which sessions the model knows of.
    Sessions(RpcReplyPort<KnownSessions>),
    /// Say what a turn changed; an empty name is that of the last one.
    Diff(String, u64, RpcReplyPort<Result<Changes, Status>>),
    /// Undo a turn, or the last one; also what changed since, if that is said.
    Undo(String, bool, RpcReplyPort<Result<Undo, Status>>),
    /// The turn's task has ended.
    TurnEnded(TurnId),
}

/// A turn that was not started. For the caller.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TurnRefused {
    /// One runs already.
    #[error("turn {0} is still running; interrupt it, or wait until it has ended")]
    Running(TurnId),
    /// One is being undone.
    #[error("a turn is being undone; start this one when that has ended")]
    Undoing,
    /// There is nothing to begin with.
    #[error("the prompt is empty; say what is to be done")]
    Empty,
}
