//! The Exec service.

use crate::error::NodeError;
use crate::node::handle::NodeHandle;
use crate::service::listing;
use crate::service::right::Right;
use crate::service::span::server_span;
use crate::session::message::{Done, Input, SessionDoor, SessionMsg};
use crate::session::stream::{self, Opening, Wanted};
use crate::session::viewers::ReaderKind;
use crate::workspace::message::WorkspaceRequest;
use capstan_proto::convert::listing as convert;
use capstan_proto::convert::{Malformed, exec};
use capstan_proto::wire::node as wire;
use capstan_types::control::MAX_DATA;
use capstan_types::grant::{Act, Asked, Said, policy_digest};
use capstan_types::id::SessionId;
use capstan_types::output::Seq;
use capstan_types::session::{Authority, StartCall};
use futures::{Stream, StreamExt};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tonic::{Request, Response, Status};
use tracing::Instrument;

const SERVICE: &str = "capstan.node.v1.Exec";

/// How long a start may take: the runner's own deadline, and some room.
const START_DEADLINE: Duration = Duration::from_secs(15);

/// How long anything else may take. A write takes long when the program does not read.
const DEADLINE: Duration = Duration::from_secs(10);

/// The largest number of a signal.
const MAX_SIGNAL: i32 = 64;

type Events = Pin<Box<dyn Stream<Item = Result<wire::SessionEvent, Status>> + Send>>;

/// Serves sessions.
#[derive(Debug, Clone)]
pub(crate) struct ExecService {
    node: NodeHandle,
}

impl ExecService {
    pub(crate) const fn new(node: NodeHandle) -> Self {
        Self { node }
    }

    fn events(&self, door: SessionDoor, wanted: Wanted, opening: Opening) -> Response<Events> {
        let events = stream::events(door, wanted, opening, self.node.stopping.clone());
        Response::new(Box::pin(events.map(|event| event.map(Into::into).map_err(Status::from))))
    }

    async fn hand_on(&self, who: Authority, session: SessionId, message: impl FnOnce(Done) -> SessionMsg) -> Result<(), Status> {
        Ok(self.node.tell_session(who, session, DEADLINE, message).await.map_err(|error| gone(error, session))?)
    }
}

/// A session's actor that has stopped drops what was handed on to it: the session has just been forgotten.
fn gone(error: NodeError, session: SessionId) -> NodeError {
    match error {
        NodeError::Unknown(_) => NodeError::NoSession(session),
        other => other,
    }
}

fn session(text: &str) -> Result<SessionId, Malformed> {
    text.parse().map_err(|error| Malformed::new("session_id", error))
}

#[tonic::async_trait]
impl wire::exec_server::Exec for ExecService {
    type StartStream = Events;
    type AttachStream = Events;

    async fn start(&self, request: Request<wire::StartRequest>) -> Result<Response<Events>, Status> {
        let span = server_span(SERVICE, "Start", request.metadata());
        let right = Right::of("/capstan.node.v1.Exec/Start", &request);
        let call = StartCall::try_from(request.into_inner())?;
        let (act, policy) = (Act::Start(call.call, call.attempt), policy_digest(&call.policy, Some(&call.limits)));
        right.covers(&self.node, &Asked { authority: &call.authority, act, policy: Some(policy) })?;
        self.node.is_open()?;
        let (who, from) = (call.authority.clone(), call.from);
        let request = |reply| WorkspaceRequest::Start { call: Box::new(call), span: span.clone(), reply };
        let door = self.node.act(who, START_DEADLINE, request).instrument(span.clone()).await?;
        Ok(self.events(door, Wanted { from, whole: false, reader: ReaderKind::Owner }, Opening::Started))
    }

    async fn attach(&self, request: Request<wire::AttachRequest>) -> Result<Response<Events>, Status> {
        let span = server_span(SERVICE, "Attach", request.metadata());
        let right = Right::of("/capstan.node.v1.Exec/Attach", &request);
        let request = request.into_inner();
        let (who, session) = (exec::authority(request.authority)?, session(&request.session_id)?);
        right.covers(&self.node, &Asked { authority: &who, act: Act::Session(session, Said::Attach), policy: None })?;
        let find = |reply| WorkspaceRequest::Find { session, reply };
        let door = self.node.act(who, DEADLINE, find).instrument(span).await?;
        Ok(self.events(
            door,
            Wanted { from: Seq(request.from_seq), whole: request.whole, reader: ReaderKind::Owner },
            Opening::Output,
        ))
    }

    async fn write(&self, request: Request<wire::WriteRequest>) -> Result<Response<wire::WriteResponse>, Status> {
        let span = server_span(SERVICE, "Write", request.metadata());
        let right = Right::of("/capstan.node.v1.Exec/Write", &request);
        let request = request.into_inner();
        let (who, session) = (exec::authority(request.authority)?, session(&request.session_id)?);
        right.covers(&self.node, &Asked { authority: &who, act: Act::Session(session, Said::Write), policy: None })?;
        if request.data.len() > MAX_DATA {
            return Err(Malformed::new("data", format!("at most {MAX_DATA} bytes are taken at once")).into());
        }
        let input = if request.close { Input::Last(request.data) } else { Input::Bytes(request.data) };
        self.hand_on(who, session, |reply| SessionMsg::Write { input, reply }).instrument(span).await?;
        Ok(Response::new(wire::WriteResponse {}))
    }

    async fn signal(&self, request: Request<wire::SignalRequest>) -> Result<Response<wire::SignalResponse>, Status> {
        let span = server_span(SERVICE, "Signal", request.metadata());
        let right = Right::of("/capstan.node.v1.Exec/Signal", &request);
        let request = request.into_inner();
        let (who, session) = (exec::authority(request.authority)?, session(&request.session_id)?);
        right.covers(&self.node, &Asked { authority: &who, act: Act::Session(session, Said::Signal), policy: None })?;
        let number = request.signal;
        if !(1..=MAX_SIGNAL).contains(&number) {
            return Err(Malformed::new("signal", format!("{number} is no signal; use 1 to {MAX_SIGNAL}")).into());
        }
        self.hand_on(who, session, |reply| SessionMsg::Signal { number, reply }).instrument(span).await?;
        Ok(Response::new(wire::SignalResponse {}))
    }

    async fn resize(&self, request: Request<wire::ResizeRequest>) -> Result<Response<wire::ResizeResponse>, Status> {
        let span = server_span(SERVICE, "Resize", request.metadata());
        let right = Right::of("/capstan.node.v1.Exec/Resize", &request);
        let request = request.into_inner();
        let (who, session) = (exec::authority(request.authority)?, session(&request.session_id)?);
        right.covers(&self.node, &Asked { authority: &who, act: Act::Session(session, Said::Resize), policy: None })?;
        let size = request.size.ok_or_else(|| Malformed::missing("size"))?.try_into()?;
        self.hand_on(who, session, |reply| SessionMsg::Resize { size, reply }).instrument(span).await?;
        Ok(Response::new(wire::ResizeResponse {}))
    }

    async fn kill(&self, request: Request<wire::KillRequest>) -> Result<Response<wire::KillResponse>, Status> {
        let span = server_span(SERVICE, "Kill", request.metadata());
        let right = Right::of("/capstan.node.v1.Exec/Kill", &request);
        let request = request.into_inner();
        let (who, session) = (exec::authority(request.authority)?, session(&request.session_id)?);
        right.covers(&self.node, &Asked { authority: &who, act: Act::Session(session, Said::Kill), policy: None })?;
        let by = if request.by.is_empty() { who.owner.clone() } else { request.by };
        self.hand_on(who, session, |reply| SessionMsg::Kill { by, reply }).instrument(span).await?;
        Ok(Response::new(wire::KillResponse {}))
    }

    async fn release(&self, request: Request<wire::ReleaseRequest>) -> Result<Response<wire::ReleaseResponse>, Status> {
        let span = server_span(SERVICE, "Release", request.metadata());
        let right = Right::of("/capstan.node.v1.Exec/Release", &request);
        let request = request.into_inner();
        let (who, session) = (exec::authority(request.authority)?, session(&request.session_id)?);
        right.covers(&self.node, &Asked { authority: &who, act: Act::Session(session, Said::Release), policy: None })?;
        let released = self.hand_on(who, session, |reply| SessionMsg::Release { reply }).instrument(span).await;
        match released {
            // Somebody else's release came first.
            Err(status) if status.code() == tonic::Code::NotFound => {}
            released => released?,
        }
        Ok(Response::new(wire::ReleaseResponse {}))
    }

    async fn list(&self, request: Request<wire::ListRequest>) -> Result<Response<wire::ListResponse>, Status> {
        let span = server_span(SERVICE, "List", request.metadata());
        let request = request.into_inner();
        let after = convert::after(&request.page_token)?;
        let (journal, sessions) = (self.node.journal.clone(), Arc::clone(&self.node.sessions));
        let listing = tokio::task::spawn_blocking(move || listing::page(&journal, &sessions, after, request.page_size));
        let (sessions, next) = listing.instrument(span).await.map_err(|_| NodeError::Stopping)?;
        Ok(Response::new(convert::page(sessions, next)))
    }
}
