//! Sessions: list, attach, write, signal, resize, kill. A person's acts, whoever owns the thread.

use crate::nodes::everywhere::everywhere;
use crate::nodes::link::NodeLink;
use crate::nodes::operate::OperatorHands;
use crate::nodes::pool::PoolMsg;
use crate::thread::open::{ASK_DEADLINE, Threads};
use capstan_identity::audit::{Entry, Kind};
use capstan_identity::membership::Membership;
use capstan_proto::convert::{Malformed, client_looking as convert};
use capstan_proto::transport::tls::Caller;
use capstan_proto::wire::client as wire;
use capstan_proto::wire::client::sessions_server::Sessions as Service;
use capstan_runtime::actors::ask::ask;
use capstan_types::id::{NodeId, ThreadId};
use capstan_types::operator::Operator;
use capstan_types::output::Seq;
use capstan_types::session::{Listed, ListedState};
use futures::stream::BoxStream;
use tonic::{Request, Response, Status};

/// The most sessions in a list.
const LIST_MOST: u32 = 10_000;

/// Serves sessions.
#[derive(Debug, Clone)]
pub struct SessionsService {
    pub(crate) threads: Threads,
    /// Where members' acts are logged.
    pub(crate) membership: Option<Membership>,
}

impl SessionsService {
    async fn links(&self) -> Result<Vec<NodeLink>, Status> {
        ask(&self.threads.pool, ASK_DEADLINE, PoolMsg::Links).await.map_err(|error| Status::unavailable(error.to_string()))
    }

    /// The hands of the person named `by` on a session.
    async fn hands(&self, name: Option<wire::SessionName>, by: &str) -> Result<OperatorHands, Status> {
        let name = convert::name(name)?;
        let by = by.parse().map_err(|error| Malformed::new("by", error))?;
        let who = Operator { by, via: self.threads.name.parse().ok() };
        let link = self.links().await?.into_iter().find(|link| link.record().id == name.node);
        let link = link.ok_or_else(|| no_node(&name.node))?;
        Ok(OperatorHands::new(&link, who, name.place))
    }
}

impl SessionsService {
    /// Writes down what a member is about to do, if one asks: the name that it gives for its operator is its own word.
    fn note(&self, method: &'static str, caller: Option<&Caller>, name: Option<&wire::SessionName>, by: &str) {
        let (Some(membership), Some(caller)) = (&self.membership, caller) else { return };
        let reason = format!("for an operator who is said to be `{}`", by.escape_debug());
        let mut entry = Entry::new(Kind::Operated, caller.peer(), method, reason);
        entry.from = caller.from();
        entry.thread = name.map(|name| name.thread_id.clone());
        entry.act = name.map(|name| format!("{} on {}", name.session_id, name.node_id));
        membership.audit.write(entry);
    }
}

fn no_node(node: &NodeId) -> Status {
    Status::unavailable(format!("node {node} is not there now"))
}

/// Which sessions a client wants to see.
struct Wanted {
    thread: Option<ThreadId>,
    states: Vec<i32>,
}

impl Wanted {
    fn includes(&self, listed: &Listed) -> bool {
        let state = i32::from(match listed.state {
            ListedState::Starting => wire::SessionState::Starting,
            ListedState::Running => wire::SessionState::Running,
            ListedState::Ended(_) => wire::SessionState::Ended,
        });
        self.thread.is_none_or(|thread| thread == listed.thread) && (self.states.is_empty() || self.states.contains(&state))
    }
}

#[tonic::async_trait]
impl Service for SessionsService {
    type AttachStream = BoxStream<'static, Result<wire::SessionEvent, Status>>;

    async fn list(&self, request: Request<wire::ListSessionsRequest>) -> Result<Response<wire::ListSessionsResponse>, Status> {
        let request = request.into_inner();
        let thread = Some(request.thread_id).filter(|text| !text.is_empty()).map(|text| super::thread_id(&text)).transpose()?;
        let mut links = self.links().await?;
        if !request.node_id.is_empty() {
            let node = convert::node(&request.node_id)?;
            links.retain(|link| link.record().id == node);
            if links.is_empty() {
                return Err(Status::not_found(format!("this coordinator has no node {node}")));
            }
        }
        let most = if request.limit == 0 { LIST_MOST } else { request.limit.min(LIST_MOST) };
        let wanted = Wanted { thread, states: request.states };
        let mut all = everywhere(links, usize::try_from(most).unwrap_or(usize::MAX), |listed| wanted.includes(listed)).await;
        let numbers = self.threads.session_numbers(all.sessions.iter().map(|seen| seen.listed.thread).collect()).await;
        for seen in &mut all.sessions {
            seen.number = numbers.get(&seen.listed.session).copied();
        }
        let silent = all.silent.into_iter().map(|(node, reason)| wire::SilentNode { node_id: node.to_string(), reason });
        Ok(Response::new(wire::ListSessionsResponse {
            sessions: all.sessions.into_iter().map(Into::into).collect(),
            silent: silent.collect(),
            more: all.more,
        }))
    }

    async fn attach(&self, request: Request<wire::AttachSessionRequest>) -> Result<Response<Self::AttachStream>, Status> {
        let request = request.into_inner();
        let hands = self.hands(request.name, &request.by).await?;
        Ok(Response::new(hands.look(Seq(request.from_seq), request.whole).await?))
    }

    async fn write(&self, request: Request<wire::WriteSessionRequest>) -> Result<Response<wire::WriteSessionResponse>, Status> {
        let caller = request.extensions().get::<Caller>().cloned();
        let request = request.into_inner();
        self.note("/capstan.client.v1.Sessions/Write", caller.as_ref(), request.name.as_ref(), &request.by);
        self.hands(request.name, &request.by).await?.write(request.data, request.close).await?;
        Ok(Response::new(wire::WriteSessionResponse {}))
    }

    async fn signal(
        &self,
        request: Request<wire::SignalSessionRequest>,
    ) -> Result<Response<wire::SignalSessionResponse>, Status> {
        let caller = request.extensions().get::<Caller>().cloned();
        let request = request.into_inner();
        self.note("/capstan.client.v1.Sessions/Signal", caller.as_ref(), request.name.as_ref(), &request.by);
        self.hands(request.name, &request.by).await?.signal(request.signal).await?;
        Ok(Response::new(wire::SignalSessionResponse {}))
    }

    async fn resize(
        &self,
        request: Request<wire::ResizeSessionRequest>,
    ) -> Result<Response<wire::ResizeSessionResponse>, Status> {
        let caller = request.extensions().get::<Caller>().cloned();
        let request = request.into_inner();
        self.note("/capstan.client.v1.Sessions/Resize", caller.as_ref(), request.name.as_ref(), &request.by);
        let size = convert::size(request.rows, request.cols)?;
        self.hands(request.name, &request.by).await?.resize(size).await?;
        Ok(Response::new(wire::ResizeSessionResponse {}))
    }

    async fn kill(&self, request: Request<wire::KillSessionRequest>) -> Result<Response<wire::KillSessionResponse>, Status> {
        let caller = request.extensions().get::<Caller>().cloned();
        let request = request.into_inner();
        self.note("/capstan.client.v1.Sessions/Kill", caller.as_ref(), request.name.as_ref(), &request.by);
        self.hands(request.name, &request.by).await?.kill().await?;
        Ok(Response::new(wire::KillSessionResponse {}))
    }
}
