//! The Operate service: what people do to sessions, past the fence and in its sight.

use crate::error::NodeError;
use crate::node::handle::NodeHandle;
use crate::service::kept::{at_disk, note};
use crate::service::span::server_span;
use crate::session::message::{Done, Input, SessionMsg};
use crate::session::stream::{self, Opening, Wanted};
use crate::workspace::disk::Disk;
use crate::workspace::message::WorkspaceRequest;
use capstan_identity::audit::{Entry, Kind};
use capstan_proto::convert::{Malformed, operate};
use capstan_proto::transport::tls::Caller;
use capstan_proto::wire::{kept, node as wire};
use capstan_types::control::MAX_DATA;
use capstan_types::kept::SweepQuery;
use capstan_types::operator::{Operator, SessionPlace};
use capstan_types::output::Seq;
use futures::{Stream, StreamExt};
use std::pin::Pin;
use std::time::Duration;
use tonic::{Request, Response, Status};
use tracing::Instrument;

const SERVICE: &str = "capstan.node.v1.Operate";

/// How long an answer may take. A write takes long when the program does not read.
const DEADLINE: Duration = Duration::from_secs(10);

/// The largest number of a signal.
const MAX_SIGNAL: i32 = 64;

type Events = Pin<Box<dyn Stream<Item = Result<wire::SessionEvent, Status>> + Send>>;

/// Serves operators.
#[derive(Debug, Clone)]
pub(crate) struct OperateService {
    node: NodeHandle,
}

impl OperateService {
    pub(crate) const fn new(node: NodeHandle) -> Self {
        Self { node }
    }

    /// Does it to the session, and has it logged first, with the member who asks for it: the operator's name is what that one says.
    async fn act(
        &self,
        (who, caller): (&Operator, Option<&Caller>),
        what: &'static str,
        place: SessionPlace,
        message: impl FnOnce(Done) -> SessionMsg,
    ) -> Result<(), NodeError> {
        let SessionPlace { thread, session } = place;
        let via = who.via.as_ref().map(ToString::to_string);
        tracing::info!(%session, %thread, by = %who, via, act = what.to_ascii_lowercase(), "an operator acts on a session");
        if let (Some(membership), Some(caller)) = (&self.node.membership, caller) {
            let method = format!("/{SERVICE}/{what}");
            let mut entry =
                Entry::new(Kind::Operated, caller.peer(), &method, format!("for an operator who is said to be {who}"));
            (entry.from, entry.thread) = (caller.from(), Some(thread.to_string()));
            entry.act = Some(format!("{what} {session}"));
            membership.audit.write(entry);
        }
        self.node.operate_session(place, DEADLINE, message).await.map_err(|error| match error {
            // Its actor stopped with the message in its mailbox.
            NodeError::Unknown(_) => NodeError::NoSession(session),
            other => other,
        })
    }
}

fn who(operator: Option<wire::Operator>, place: Option<wire::SessionPlace>) -> Result<(Operator, SessionPlace), Malformed> {
    Ok((operate::operator(operator)?, operate::place(place)?))
}

#[tonic::async_trait]
impl wire::operate_server::Operate for OperateService {
    type LookStream = Events;

    async fn look(&self, request: Request<wire::LookRequest>) -> Result<Response<Events>, Status> {
        let span = server_span(SERVICE, "Look", request.metadata());
        let request = request.into_inner();
        let (who, place) = who(request.operator, request.place)?;
        tracing::debug!(parent: &span, session = %place.session, by = %who, "somebody looks at a session");
        let find = |reply| WorkspaceRequest::Find { session: place.session, reply };
        let door = self.node.operate(place, DEADLINE, find).instrument(span).await?;
        let wanted = Wanted { from: Seq(request.from_seq), whole: request.whole, reader: door.viewers.take()? };
        let events = stream::events(door, wanted, Opening::Output, self.node.stopping.clone());
        Ok(Response::new(Box::pin(events.map(|event| event.map(Into::into).map_err(Status::from)))))
    }

    async fn write(&self, request: Request<wire::OperateWriteRequest>) -> Result<Response<wire::WriteResponse>, Status> {
        let span = server_span(SERVICE, "Write", request.metadata());
        let caller = request.extensions().get::<Caller>().cloned();
        let request = request.into_inner();
        let (who, place) = who(request.operator, request.place)?;
        if request.data.len() > MAX_DATA {
            return Err(Malformed::new("data", format!("at most {MAX_DATA} bytes are taken at once")).into());
        }
        let input = if request.close { Input::Last(request.data) } else { Input::Bytes(request.data) };
        self.act((&who, caller.as_ref()), "Write", place, |reply| SessionMsg::Write { input, reply }).instrument(span).await?;
        Ok(Response::new(wire::WriteResponse {}))
    }

    async fn signal(&self, request: Request<wire::OperateSignalRequest>) -> Result<Response<wire::SignalResponse>, Status> {
        let span = server_span(SERVICE, "Signal", request.metadata());
        let caller = request.extensions().get::<Caller>().cloned();
        let request = request.into_inner();
        let (who, place) = who(request.operator, request.place)?;
        let number = request.signal;
        if !(1..=MAX_SIGNAL).contains(&number) {
            return Err(Malformed::new("signal", format!("{number} is no signal; use 1 to {MAX_SIGNAL}")).into());
        }
        self.act((&who, caller.as_ref()), "Signal", place, |reply| SessionMsg::Signal { number, reply }).instrument(span).await?;
        Ok(Response::new(wire::SignalResponse {}))
    }

    async fn resize(&self, request: Request<wire::OperateResizeRequest>) -> Result<Response<wire::ResizeResponse>, Status> {
        let span = server_span(SERVICE, "Resize", request.metadata());
        let caller = request.extensions().get::<Caller>().cloned();
        let request = request.into_inner();
        let (who, place) = who(request.operator, request.place)?;
        let size = request.size.ok_or_else(|| Malformed::missing("size"))?.try_into()?;
        self.act((&who, caller.as_ref()), "Resize", place, |reply| SessionMsg::Resize { size, reply }).instrument(span).await?;
        Ok(Response::new(wire::ResizeResponse {}))
    }

    async fn kill(&self, request: Request<wire::OperateKillRequest>) -> Result<Response<wire::KillResponse>, Status> {
        let span = server_span(SERVICE, "Kill", request.metadata());
        let caller = request.extensions().get::<Caller>().cloned();
        let request = request.into_inner();
        let (who, place) = who(request.operator, request.place)?;
        let by = who.by.to_string();
        self.act((&who, caller.as_ref()), "Kill", place, |reply| SessionMsg::Kill { by, reply }).instrument(span).await?;
        Ok(Response::new(wire::KillResponse {}))
    }

    async fn list_workspaces(
        &self,
        request: Request<wire::OperateListWorkspacesRequest>,
    ) -> Result<Response<wire::OperateListWorkspacesResponse>, Status> {
        let span = server_span(SERVICE, "ListWorkspaces", request.metadata());
        operate::operator(request.into_inner().operator)?;
        let kept = at_disk(&self.node, Disk::list).instrument(span).await?;
        Ok(Response::new(wire::OperateListWorkspacesResponse { workspaces: kept.into_iter().map(Into::into).collect() }))
    }

    async fn remove_workspace(
        &self,
        request: Request<wire::OperateRemoveWorkspaceRequest>,
    ) -> Result<Response<kept::Gone>, Status> {
        let span = server_span(SERVICE, "RemoveWorkspace", request.metadata());
        let caller = request.extensions().get::<Caller>().cloned();
        let wire::OperateRemoveWorkspaceRequest { operator, thread_id, force } = request.into_inner();
        let who = operate::operator(operator)?;
        let thread = thread_id.parse().map_err(|error| Malformed::new("thread_id", error))?;
        let act = format!("remove the workspace of thread {thread}{}", if force { " by force" } else { "" });
        note(&self.node, caller.as_ref(), &who, "/capstan.node.v1.Operate/RemoveWorkspace", act);
        let gone = at_disk(&self.node, move |disk| disk.remove(thread, force)).instrument(span).await??;
        Ok(Response::new(gone.into()))
    }

    async fn sweep_workspaces(
        &self,
        request: Request<wire::OperateSweepWorkspacesRequest>,
    ) -> Result<Response<kept::Swept>, Status> {
        let span = server_span(SERVICE, "SweepWorkspaces", request.metadata());
        let caller = request.extensions().get::<Caller>().cloned();
        let wire::OperateSweepWorkspacesRequest { operator, query } = request.into_inner();
        let (who, query) = (operate::operator(operator)?, SweepQuery::from(query.unwrap_or_default()));
        note(&self.node, caller.as_ref(), &who, "/capstan.node.v1.Operate/SweepWorkspaces", format!("sweep: {query:?}"));
        let swept = at_disk(&self.node, move |disk| disk.sweep(query)).instrument(span).await?;
        Ok(Response::new(swept.into()))
    }
}
