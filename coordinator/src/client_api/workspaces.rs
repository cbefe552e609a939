//! Workspaces that nodes have made: list, remove, sweep. A person's acts, whoever owns the thread.

use crate::nodes::link::{NodeChannel, NodeLink};
use crate::nodes::pool::PoolMsg;
use crate::thread::message::ThreadMsg;
use crate::thread::open::{ASK_DEADLINE, Threads};
use capstan_identity::audit::{Entry, Kind};
use capstan_identity::membership::Membership;
use capstan_proto::convert::Malformed;
use capstan_proto::transport::tls::Caller;
use capstan_proto::wire::client::workspaces_server::Workspaces as Service;
use capstan_proto::wire::node::operate_client::OperateClient;
use capstan_proto::wire::{client as wire, node};
use capstan_runtime::actors::ask::ask;
use capstan_types::operator::{Operator, Person};
use std::future::Future;
use std::time::Duration;
use tonic::{Code, Request, Response, Status};

/// How long a node may take: it measures what lies on its disk.
const LIST_DEADLINE: Duration = Duration::from_secs(60);
/// How long it may take to remove much.
const REMOVE_DEADLINE: Duration = Duration::from_secs(300);

/// Serves workspaces.
#[derive(Debug, Clone)]
pub struct WorkspacesService {
    pub(crate) threads: Threads,
    /// Where members' acts are logged.
    pub(crate) membership: Option<Membership>,
}

impl WorkspacesService {
    /// The nodes that are meant.
    async fn links(&self, node: &str) -> Result<Vec<NodeLink>, Status> {
        let links = ask(&self.threads.pool, ASK_DEADLINE, PoolMsg::Links).await;
        let mut links = links.map_err(|error| Status::unavailable(error.to_string()))?;
        links.retain(|link| node.is_empty() || link.record().id.as_str() == node);
        if links.is_empty() && !node.is_empty() {
            return Err(Status::not_found(format!("this coordinator has no node {}", node.escape_debug())));
        }
        Ok(links)
    }

    fn who(&self, by: Person) -> node::Operator {
        (&Operator { by, via: self.threads.name.parse().ok() }).into()
    }

    /// Writes down what a member is about to do: the name that it gives for its operator is its own word.
    fn note(&self, method: &'static str, caller: Option<&Caller>, act: String, by: &Person) {
        let (Some(membership), Some(caller)) = (&self.membership, caller) else { return };
        let mut entry = Entry::new(Kind::Operated, caller.peer(), method, format!("for an operator who is said to be `{by}`"));
        (entry.from, entry.act) = (caller.from(), Some(act));
        membership.audit.write(entry);
    }

    /// Refuses while a turn of the thread runs here: between two commands nothing of it is seen on its node.
    async fn is_idle(&self, thread: &str) -> Result<(), Status> {
        let unanswered = |error: capstan_runtime::actors::AskError| Status::unavailable(error.to_string());
        let actor = self.threads.find(super::thread_id(thread)?).await.map_err(unanswered)?;
        let Some(actor) = actor else { return Ok(()) };
        if ask(&actor, ASK_DEADLINE, ThreadMsg::IsBusy).await.map_err(unanswered)? {
            return Err(Status::failed_precondition(format!(
                "the workspace of thread {thread} is in use by a turn that runs; interrupt it, or remove the workspace with --force"
            )));
        }
        Ok(())
    }
}

async fn within<T>(deadline: Duration, answer: impl Future<Output = Result<Response<T>, Status>>) -> Result<T, Status> {
    match tokio::time::timeout(deadline, answer).await {
        Ok(answer) => answer.map(Response::into_inner).map_err(handed_on),
        Err(_) => Err(Status::unavailable(format!("the node did not answer within {} s", deadline.as_secs()))),
    }
}

fn handed_on(status: Status) -> Status {
    match status.code() {
        Code::NotFound | Code::InvalidArgument | Code::Unknown => Status::new(status.code(), status.message()),
        Code::Aborted => Status::failed_precondition(status.message()),
        Code::Unimplemented => Status::failed_precondition("the node is of an older release, which makes no workspaces"),
        _ => Status::unavailable(format!("the node cannot be reached: {}", status.message())),
    }
}

/// Asks these nodes side by side; one that does not answer says why.
async fn everywhere<T, F: Future<Output = Result<Response<T>, Status>>>(
    links: Vec<NodeLink>,
    deadline: Duration,
    request: impl Fn(OperateClient<NodeChannel>) -> F,
) -> Vec<(String, Result<T, String>)> {
    let asked = links.into_iter().map(|link| {
        let answer = within(deadline, request(link.operate()));
        async move { (link.record().id.to_string(), answer.await.map_err(|status| status.message().to_owned())) }
    });
    futures::future::join_all(asked).await
}

fn person(by: &str) -> Result<Person, Status> {
    Ok(by.parse().map_err(|error| Malformed::new("by", error))?)
}

#[tonic::async_trait]
impl Service for WorkspacesService {
    async fn list(
        &self,
        request: Request<wire::ListWorkspacesRequest>,
    ) -> Result<Response<wire::ListWorkspacesResponse>, Status> {
        let links = self.links(&request.into_inner().node_id).await?;
        // To look is nobody's act; a node wants a name all the same.
        let who = self.who(person("somebody who looks")?);
        let asked = everywhere(links, LIST_DEADLINE, |mut node| {
            let request = node::OperateListWorkspacesRequest { operator: Some(who.clone()) };
            async move { node.list_workspaces(request).await }
        });
        let nodes = asked.await.into_iter().map(|(node_id, answer)| match answer {
            Ok(told) => wire::NodeWorkspaces { node_id, workspaces: told.workspaces, silent: String::new() },
            Err(silent) => wire::NodeWorkspaces { node_id, workspaces: Vec::new(), silent },
        });
        Ok(Response::new(wire::ListWorkspacesResponse { nodes: nodes.collect() }))
    }

    async fn remove(
        &self,
        request: Request<wire::RemoveWorkspaceRequest>,
    ) -> Result<Response<wire::RemoveWorkspaceResponse>, Status> {
        let caller = request.extensions().get::<Caller>().cloned();
        let wire::RemoveWorkspaceRequest { node_id, thread_id, force, by } = request.into_inner();
        let by = person(&by)?;
        let link = self.links(&node_id).await?.into_iter().next().filter(|_| !node_id.is_empty());
        let link = link.ok_or_else(|| Malformed::missing("node_id"))?;
        if !force {
            self.is_idle(&thread_id).await?;
        }
        let act = format!("remove the workspace of thread {} on {node_id}", thread_id.escape_debug());
        self.note("/capstan.client.v1.Workspaces/Remove", caller.as_ref(), act, &by);
        let request = node::OperateRemoveWorkspaceRequest { operator: Some(self.who(by)), thread_id, force };
        let mut node = link.operate();
        let gone = within(REMOVE_DEADLINE, node.remove_workspace(request)).await?;
        Ok(Response::new(wire::RemoveWorkspaceResponse { gone: Some(gone) }))
    }

    async fn sweep(
        &self,
        request: Request<wire::SweepWorkspacesRequest>,
    ) -> Result<Response<wire::SweepWorkspacesResponse>, Status> {
        let caller = request.extensions().get::<Caller>().cloned();
        let wire::SweepWorkspacesRequest { node_id, query, by } = request.into_inner();
        let by = person(&by)?;
        let links = self.links(&node_id).await?;
        self.note("/capstan.client.v1.Workspaces/Sweep", caller.as_ref(), format!("sweep: {query:?}"), &by);
        let who = self.who(by);
        let asked = everywhere(links, REMOVE_DEADLINE, |mut node| {
            let request = node::OperateSweepWorkspacesRequest { operator: Some(who.clone()), query };
            async move { node.sweep_workspaces(request).await }
        });
        let nodes = asked.await.into_iter().map(|(node_id, answer)| match answer {
            Ok(swept) => wire::NodeSwept { node_id, swept: Some(swept), silent: String::new() },
            Err(silent) => wire::NodeSwept { node_id, swept: None, silent },
        });
        Ok(Response::new(wire::SweepWorkspacesResponse { nodes: nodes.collect() }))
    }
}
