//! Why a node did not do what a coordinator asked. For the caller: each variant becomes one gRPC status, in one place.

use capstan_types::id::{Epoch, SessionId, ThreadId};
use capstan_types::launch::Refusal;
use std::time::Duration;

/// An answer that is no. Its text says what to do next where the status code alone does not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NodeError {
    #[error("epoch {given} is stale: this node has seen epoch {newest} of the thread; another coordinator owns it")]
    StaleEpoch { given: Epoch, newest: Epoch },
    #[error("there is no session {0} of this thread here; it was released, or never was")]
    NoSession(SessionId),
    #[error("thread {0} has no sessions here; they were released, or never were")]
    NoThread(ThreadId),
    #[error("all {total} session places of this node are taken")]
    Full { total: u32, retry_after: Duration },
    #[error("{said}")]
    Short { said: String, retry_after: Duration },
    #[error("{what} of this node has no room; ask again")]
    Busy { what: &'static str, retry_after: Duration },
    #[error("{most} people look at this session already, which is the most at once; wait until one of them has left")]
    Crowded { most: usize },
    #[error("{0}")]
    Refused(Refusal),
    #[error("it is not known whether it was done: {0}")]
    Unknown(String),
    #[error("this attempt of the call was started before, and its session has been released")]
    Over,
    #[error("standard input of the session is closed")]
    InputClosed,
    #[error("there was no answer within {} s; whether it was or will be done is not known", .0.as_secs())]
    Late(Duration),
    #[error("the session still runs; kill it first, or wait for its end")]
    StillRuns,
    #[error("the connection to the session's holder was lost: {0}")]
    HolderLost(String),
    #[error("`{path}` cannot be a workspace: {reason}")]
    NoDirectory { path: String, reason: String },
    #[error("there is no checkpoint of `{cwd}`: {reason}")]
    NoState { cwd: String, reason: String },
    #[error("there is no workspace here that was made for thread {0}")]
    NoMade(ThreadId),
    #[error("the workspace of thread {thread} is in use by {user}; end that, or remove it with --force")]
    MadeInUse { thread: ThreadId, user: String },
    #[error("{}", no_checkpoint(.0))]
    NoCheckpoint(String),
    #[error("{0}")]
    NoSource(String),
    #[error("the thread has a workspace of another source here: of {is}, and not of {asked}")]
    OtherSource { is: String, asked: String },
    #[error("{0}")]
    SourceAway(String),
    #[error("{0}")]
    NoRoom(String),
    #[error("the node is about to stop, and begins nothing; ask again: it may be back soon")]
    Closing { retry_after: Duration },
    #[error("the node is stopping")]
    Stopping,
}

/// When to ask again after [`NodeError::Full`] or [`NodeError::Busy`]. A short call ends in about this time.
pub(crate) const RETRY_AFTER: Duration = Duration::from_millis(500);

impl NodeError {
    pub(crate) const fn busy(what: &'static str) -> Self {
        Self::Busy { what, retry_after: RETRY_AFTER }
    }
}

fn no_checkpoint(name: &str) -> String {
    match name {
        "" => "no turn of this thread changed its workspace here, or none that is still known".to_owned(),
        name => format!("there is no checkpoint of `{name}` here: that turn changed nothing, or is too long ago"),
    }
}
