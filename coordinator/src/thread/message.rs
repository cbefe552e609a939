//! What a thread is asked and told.

use super::context::TurnContext;
use super::errand::Errand;
use super::live::Subscription;
use super::log::LogError;
use super::queue::{MOST, Waiting};
use super::steer::SteerRefused;
use crate::nodes::host::checkpoints::Pieces;
use crate::nodes::host::files::Workplace;
use capstan_types::checkpoint::{Changes, Undo};
use capstan_types::id::{NodeId, TurnId};
use capstan_types::session::known::KnownSessions;
use capstan_types::thread::{OnInterrupt, TurnInput};
use ractor::RpcReplyPort;
use std::sync::Arc;
use tonic::Status;

/// Requests in the imperative, facts in the past tense.
#[derive(Debug)]
pub enum ThreadMsg {
    /// Start a turn under this id. One that was started before is not started again.
    StartTurn(TurnId, Box<TurnInput>, RpcReplyPort<Result<(), TurnRefused>>),
    /// Start a turn when those before it have ended, and say how many these are, once it is stored that it is to run.
    QueueTurn(TurnId, Box<TurnInput>, RpcReplyPort<Result<usize, TurnRefused>>),
    /// Say which turns wait.
    Queued(RpcReplyPort<Vec<Waiting>>),
    /// Take a turn back that waits, or all of them, and say so once it is stored.
    Withdraw(Option<TurnId>, RpcReplyPort<Result<(), TurnRefused>>),
    /// Say something to the running turn, if it is this one; say which it is.
    Steer(Option<TurnId>, String, RpcReplyPort<Result<TurnId, SteerRefused>>),
    /// Interrupt the running turn, if there is one; say which it is.
    Interrupt(OnInterrupt, RpcReplyPort<Option<TurnId>>),
    /// Add a listener.
    Subscribe(RpcReplyPort<Result<Subscription, LogError>>),
    /// Say whether a turn runs.
    IsBusy(RpcReplyPort<bool>),
    /// Say which sessions the model knows of.
    Sessions(RpcReplyPort<KnownSessions>),
    /// Say where the thread works.
    Workplace(RpcReplyPort<Workplace>),
    /// Say what a turn changed; an empty name is that of the last one.
    Diff(String, u64, RpcReplyPort<Result<Changes, Status>>),
    /// Give what a turn changed as a patch; an empty name is the whole thread.
    Patch(String, RpcReplyPort<Result<Pieces, Status>>),
    /// Undo a turn, or the last one; also what changed since, if that is said.
    Undo(String, bool, RpcReplyPort<Result<Undo, Status>>),
    /// Do something at the workspace while no turn runs: none begins until it has ended.
    Lend(Errand, RpcReplyPort<Result<(), TurnRefused>>),
    /// Give what its turns have.
    Context(RpcReplyPort<Arc<TurnContext>>),
    /// Begin the next turn that waits, if none runs.
    Advance,
    /// Begin no turn that waits any more: the next coordinator does.
    Close,
    /// End the running turn with its sessions, if the thread is on this node; by whose order is said in these words.
    Cancel(NodeId, String),
    /// Stop, and leave the running turn to the next coordinator, as if this one had died.
    HandOver,
    /// It could not be stored that the turn is to run.
    NotQueued(TurnId),
    /// The turn's task has ended.
    TurnEnded(TurnId),
    /// The thread is another coordinator's, or has been deleted.
    OwnershipLost,
}

/// A turn that was not started. For the caller.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TurnRefused {
    /// One runs already.
    #[error("turn {0} is still running; interrupt it, or wait until it has ended")]
    Running(TurnId),
    /// So many wait already.
    #[error("{MOST} turns wait in this thread already; try again when one of them has ended")]
    Full,
    /// It was to be taken back.
    #[error("turn {0} has begun; interrupt it")]
    Begun(TurnId),
    /// Too much is to be stored already.
    #[error("the thread has more to store than its store takes at the moment; try again")]
    Crowded,
    /// It could not be stored.
    #[error(transparent)]
    Log(#[from] LogError),
    /// One is being undone, or a checkpoint brought back.
    #[error("a turn is being undone, or a checkpoint brought back; try again when that has ended")]
    Undoing,
    /// Its node is being drained.
    #[error(
        "node {0} is being drained, or is drained, and begins no turn; `capstan nodes uncordon {0}` ends that, and a queued turn waits for it"
    )]
    Draining(NodeId),
    /// There is nothing to begin with.
    #[error("the prompt is empty; say what is to be done")]
    Empty,
}
