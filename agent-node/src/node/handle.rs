//! What the services hold of the node: a way to ask its supervisor, with one error.

use crate::error::NodeError;
use crate::journal::Journal;
use crate::node::capacity::Places;
use crate::node::load::gate::Gate;
use crate::node::message::NodeMsg;
use crate::workspace::message::{Reply, WorkspaceRequest};
use capstan_runtime::actors::{AskError, BoundedRef};
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
    pub(crate) places: Places,
    pub(crate) gate: Gate,
    pub(crate) record: Arc<NodeRecord>,
    pub(crate) journal: Journal,
    /// Where the sessions' directories lie.
    pub(crate) sessions: Arc<Path>,
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
        self.ask(deadline, |reply| NodeMsg::Act { authority, request: request(reply) }).await
    }

    /// Asks for something on behalf of an operator, and waits until `deadline` has passed.
    pub(crate) async fn operate<T: Send + 'static>(
        &self,
        place: SessionPlace,
        deadline: Duration,
        request: impl FnOnce(Reply<T>) -> WorkspaceRequest,
    ) -> Result<T, NodeError> {
        self.ask(deadline, |reply| NodeMsg::Operate { thread: place.thread, request: request(reply) }).await
    }

    async fn ask<T: Send + 'static>(
        &self,
        deadline: Duration,
        question: impl FnOnce(Reply<T>) -> NodeMsg,
    ) -> Result<T, NodeError> {
        if self.stopping.is_cancelled() {
            return Err(NodeError::Stopping);
        }
        match self.supervisor.ask(deadline, question).await {
            Ok(answer) => answer,
            Err(AskError::Busy) => Err(NodeError::busy("the mailbox")),
            Err(AskError::Stopped) => Err(NodeError::Stopping),
            Err(AskError::Late(waited)) => Err(NodeError::Late(waited)),
            Err(AskError::Dropped) => Err(NodeError::Unknown("the node lost the request".to_owned())),
        }
    }
}
