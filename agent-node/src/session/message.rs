//! What a session's actor is asked and told: requests in the imperative, facts in the past tense.

use crate::error::NodeError;
use crate::session::link::LinkError;
use crate::session::protected::Writes;
use crate::session::viewers::Viewers;
use bytes::Bytes;
use capstan_types::id::SessionId;
use capstan_types::launch::{Enforced, SessionEnd, TermSize};
use ractor::{ActorRef, RpcReplyPort};
use std::path::Path;
use std::sync::Arc;

/// Where a yes or no goes.
pub(crate) type Done = RpcReplyPort<Result<(), NodeError>>;

/// A message to a session's actor.
///
/// Its mailbox is bounded by its senders: the workspace, which hands on what came through its own bounded mailbox, and one fact from
/// each of the session's tasks and readers.
#[derive(Debug)]
pub(crate) enum SessionMsg {
    /// Write to standard input, and close it if the caller has no more.
    Write { input: Input, reply: Done },
    /// Send a signal to the foreground.
    Signal { number: i32, reply: Done },
    /// Change the terminal's size.
    Resize { size: TermSize, reply: Done },
    /// End the whole tree.
    Kill { by: String, reply: Done },
    /// Forget the session, which must have ended.
    Release { reply: Done },
    /// End the tree if it lives, and forget the session. The answer comes when both are done.
    Discard { by: String, reply: RpcReplyPort<()> },
    /// Say how it ended, once that is known.
    AwaitEnd { reply: RpcReplyPort<SessionEnd> },

    /// It ended, as the holder says.
    Ended(SessionEnd),
    /// It ended, as its directory says after the holder's death.
    EndFound(SessionEnd),
    /// Standard input is closed.
    InputClosed,
    /// The holder cannot be spoken to.
    ControlLost(String),
    /// The holder's process has ended.
    HolderExited,
    /// The holder of a released session has had its time.
    ReleaseOverdue,
    /// The journal knows that nobody wants it any more.
    ReleaseKept,
    /// The directory is gone.
    DirRemoved,
}

/// What is written to standard input.
#[derive(Debug)]
pub(crate) enum Input {
    /// Bytes, with more to come.
    Bytes(Bytes),
    /// The last bytes, perhaps none.
    Last(Bytes),
}

impl SessionMsg {
    /// Answers a request with an error instead. A fact has nobody to be told.
    pub(crate) fn refuse(self, error: NodeError) {
        match self {
            Self::Write { reply, .. }
            | Self::Signal { reply, .. }
            | Self::Resize { reply, .. }
            | Self::Kill { reply, .. }
            | Self::Release { reply } => {
                let _ = reply.send(Err(error));
            }
            Self::Discard { reply, .. } => {
                let _ = reply.send(());
            }
            // Dropping the port is an answer too: nobody knows the end.
            Self::AwaitEnd { .. } => {}
            Self::Ended(_)
            | Self::EndFound(_)
            | Self::InputClosed
            | Self::ControlLost(_)
            | Self::HolderExited
            | Self::ReleaseOverdue
            | Self::ReleaseKept
            | Self::DirRemoved => {}
        }
    }
}

/// What is said of a frame that was sent, or was not.
pub(crate) fn said(sent: &Result<(), LinkError>) -> Result<(), NodeError> {
    match sent {
        Ok(()) => Ok(()),
        Err(error) => Err(NodeError::HolderLost(error.to_string())),
    }
}

/// What a reader needs to find a session.
#[derive(Debug, Clone)]
pub(crate) struct SessionDoor {
    pub(crate) session: SessionId,
    pub(crate) enforced: Arc<Enforced>,
    pub(crate) socket: Arc<Path>,
    pub(crate) actor: ActorRef<SessionMsg>,
    pub(crate) writes: Writes,
    pub(crate) viewers: Viewers,
}

impl SessionDoor {
    /// The session's directory.
    pub(crate) fn dir(&self) -> &Path {
        self.socket.parent().unwrap_or(&self.socket)
    }
}
