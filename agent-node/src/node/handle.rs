//! What the services hold of the node: a way to ask its supervisor, with one error.

use crate::error::{NodeError, RETRY_AFTER};
use crate::journal::Journal;
use crate::node::capacity::Places;
use crate::node::load::gate::Gate;
use crate::node::message::NodeMsg;
use crate::session::message::{Done, SessionMsg};
use crate::workspace::disk::Disk;
use crate::workspace::message::{Reply, WorkspaceRequest};
use capstan_identity::membership::Membership;
use capstan_runtime::actors::{AskError, BoundedRef};
use capstan_types::id::SessionId;
use capstan_types::node::NodeRecord;
use capstan_types::operator::SessionPlace;
use capstan_types::session::Authority;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// The node, as its services see it.
#[derive(Debug, Clone)]
pub(crate) struct NodeHandle {
    pub(crate) supervisor: BoundedRef<NodeMsg>,
    /// The supervisor's lane for what is said to sessions: of its own, as [`crate::node::lanes`] tells why.
    pub(crate) to_sessions: BoundedRef<NodeMsg>,
    pub(crate) places: Places,
    pub(crate) gate: Gate,
    pub(crate) record: Arc<NodeRecord>,
    /// What makes it a member of a cluster.
    pub(crate) membership: Option<Membership>,
    pub(crate) journal: Journal,
    /// The workspaces that it made, on its disk.
    pub(crate) disk: Disk,
    /// Where the sessions' directories lie.
    pub(crate) sessions: Arc<Path>,
    /// Cancelled when the node begins nothing new any more.
    pub(crate) closing: CancellationToken,
    /// Cancelled when the node begins to stop.
    pub(crate) stopping: CancellationToken,
}

impl NodeHandle {
    /// Asks for something on behalf of a thread's owner, and waits until `deadline` has passed.
    pub(crate) async fn act<T: Send + 'static>(
        &self,
        authority: Authority,
        deadline: Duration,
        request: impl FnOnce(Reply<T>) -> WorkspaceRequest,
    ) -> Result<T, NodeError> {
        self.ask(&self.supervisor, deadline, |reply| NodeMsg::Act { authority, request: request(reply) }).await
    }

    /// Asks for something on behalf of an operator, and waits until `deadline` has passed.
    pub(crate) async fn operate<T: Send + 'static>(
        &self,
        place: SessionPlace,
        deadline: Duration,
        request: impl FnOnce(Reply<T>) -> WorkspaceRequest,
    ) -> Result<T, NodeError> {
        self.ask(&self.supervisor, deadline, |reply| NodeMsg::Operate { thread: place.thread, request: request(reply) }).await
    }

    /// Says something to a session on behalf of its thread's owner, and waits until `deadline` has passed.
    pub(crate) async fn tell_session(
        &self,
        authority: Authority,
        session: SessionId,
        deadline: Duration,
        message: impl FnOnce(Done) -> SessionMsg,
    ) -> Result<(), NodeError> {
        let request = |reply| WorkspaceRequest::Session { session, message: message(reply) };
        self.ask(&self.to_sessions, deadline, |reply| NodeMsg::Act { authority, request: request(reply) }).await
    }

    /// Says something to a session on behalf of an operator, and waits until `deadline` has passed.
    pub(crate) async fn operate_session(
        &self,
        place: SessionPlace,
        deadline: Duration,
        message: impl FnOnce(Done) -> SessionMsg,
    ) -> Result<(), NodeError> {
        let SessionPlace { thread, session } = place;
        let request = |reply| WorkspaceRequest::Session { session, message: message(reply) };
        self.ask(&self.to_sessions, deadline, |reply| NodeMsg::Operate { thread, request: request(reply) }).await
    }

    /// Whether something new may begin here.
    pub(crate) fn is_open(&self) -> Result<(), NodeError> {
        if self.closing.is_cancelled() { Err(NodeError::Closing { retry_after: RETRY_AFTER }) } else { Ok(()) }
    }

    async fn ask<T: Send + 'static>(
        &self,
        lane: &BoundedRef<NodeMsg>,
        deadline: Duration,
        question: impl FnOnce(Reply<T>) -> NodeMsg,
    ) -> Result<T, NodeError> {
        if self.stopping.is_cancelled() {
            return Err(NodeError::Stopping);
        }
        match lane.ask(deadline, question).await {
            Ok(answer) => answer,
            Err(AskError::Busy) => Err(NodeError::busy("the mailbox")),
            Err(AskError::Stopped) => Err(NodeError::Stopping),
            Err(AskError::Late(waited)) => Err(NodeError::Late(waited)),
            Err(AskError::Dropped) => Err(NodeError::Unknown("the node lost the request".to_owned())),
        }
    }
}
