//! What the node's supervisor is asked and told.

use crate::journal::JournalError;
use crate::workspace::message::WorkspaceRequest;
use capstan_runtime::actors::{Admitted, BoundedRef};
use capstan_types::id::{Epoch, SessionId, ThreadId};
use capstan_types::session::Authority;
use ractor::RpcReplyPort;
use std::fmt;

/// What the supervisor gets.
pub(crate) type NodeEnvelope = Admitted<NodeMsg>;

/// A message to the supervisor.
#[derive(Debug)]
pub(crate) enum NodeMsg {
    /// Do this, if the caller still owns the thread.
    Act { authority: Authority, request: WorkspaceRequest },
    /// Do this for an operator, who owns nothing. It passes no fence, and makes no workspace.
    Operate { thread: ThreadId, request: WorkspaceRequest },
    /// End every session and forget it. The answer comes when all are gone.
    DiscardAll { by: String, reply: RpcReplyPort<()> },
    /// Something happened below.
    Fact(NodeFact),
    /// Time has passed.
    Sweep,
}

/// What happened below the supervisor.
#[derive(Debug)]
pub(crate) enum NodeFact {
    /// A session ended, and its coordinator has not released it.
    SessionEnded { thread: ThreadId, session: SessionId },
    /// A session has been let go of.
    SessionReleased { session: SessionId },
    /// An epoch is in the journal, or could not be brought there.
    EpochKept { thread: ThreadId, epoch: Epoch, result: Result<(), JournalError> },
    /// Nothing goes on in a workspace, which has handled this many requests.
    WorkspaceQuiet { thread: ThreadId, handled: u64 },
}

/// Where the supervisor's children send facts. It has a bound of its own, so that a crowd of requests cannot delay a fact.
#[derive(Clone)]
pub(crate) struct NodeFacts(pub(crate) BoundedRef<NodeMsg>);

impl NodeFacts {
    /// Tells a fact; waits while the lane for facts is full.
    pub(crate) async fn tell(&self, fact: NodeFact) {
        // A supervisor that has stopped needs to know nothing any more.
        let _ = self.0.cast(NodeMsg::Fact(fact)).await;
    }
}

impl fmt::Debug for NodeFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NodeFacts")
    }
}
