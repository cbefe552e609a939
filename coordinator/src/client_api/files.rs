//! Files of threads' workspaces. Handed on to the node that has them, and back.

use super::{create_status, thread_id};
use crate::nodes::host::files::Workplace;
use crate::thread::at_rest::{AtRest, Purpose};
use crate::thread::message::ThreadMsg;
use crate::thread::open::{ASK_DEADLINE, Threads};
use capstan_identity::audit::{Entry, Kind};
use capstan_identity::membership::Membership;
use capstan_proto::convert::Malformed;
use capstan_proto::transport::tls::Caller;
use capstan_proto::wire::client::files_server::Files;
use capstan_proto::wire::{client as wire, files, node};
use capstan_runtime::actors::ask::ask;
use capstan_types::grant::Work;
use capstan_types::operator::Person;
use futures::stream::{BoxStream, StreamExt as _};
use tonic::{Code, Request, Response, Status, Streaming};

/// Serves files.
#[derive(Debug, Clone)]
pub struct FilesService {
    pub(crate) threads: Threads,
    /// Where members' acts are logged.
    pub(crate) membership: Option<Membership>,
}

impl FilesService {
    /// Where a thread works, whether it runs here or not. One that another coordinator runs stays that one's.
    async fn workplace(&self, thread: &str) -> Result<Workplace, Status> {
        let thread = thread_id(thread)?;
        let unanswered = |error: capstan_runtime::actors::AskError| Status::unavailable(error.to_string());
        if let Some(actor) = self.threads.find(thread).await.map_err(unanswered)? {
            return ask(&actor, ASK_DEADLINE, ThreadMsg::Workplace).await.map_err(unanswered);
        }
        let AtRest { host, policy, root: top, .. } = self.threads.at_rest(thread, Purpose::Look).await.map_err(create_status)?;
        Ok(Workplace { host: host.into(), top, policy })
    }

    /// Writes down who is about to write a file.
    fn note(&self, caller: Option<&Caller>, thread: &str, path: &[u8], by: &Person) {
        let path = String::from_utf8_lossy(path).escape_debug().to_string();
        tracing::info!(thread, %by, path, "somebody writes a file of a workspace");
        let (Some(membership), Some(caller)) = (&self.membership, caller) else { return };
        let reason = format!("for an operator who is said to be `{by}`");
        let mut entry = Entry::new(Kind::Operated, caller.peer(), "/capstan.client.v1.Files/Write", reason);
        entry.from = caller.from();
        entry.thread = Some(thread.to_owned());
        entry.act = Some(format!("write {path}"));
        membership.audit.write(entry);
    }
}

/// A node's status as a client is told it. What is between the coordinator and its node is none of the client's fault.
fn handed_on(status: Status) -> Status {
    match status.code() {
        Code::NotFound
        | Code::FailedPrecondition
        | Code::Aborted
        | Code::OutOfRange
        | Code::InvalidArgument
        | Code::ResourceExhausted
        | Code::DeadlineExceeded
        | Code::Unknown => Status::new(status.code(), status.message()),
        Code::Unimplemented => Status::failed_precondition("the thread's node is of an older release, which serves no files"),
        _ => Status::unavailable(format!("the thread's node cannot be asked now: {}", status.message())),
    }
}

fn parts<T: Send + 'static>(stream: Streaming<T>) -> Response<BoxStream<'static, Result<T, Status>>> {
    Response::new(stream.map(|part| part.map_err(handed_on)).boxed())
}

#[tonic::async_trait]
impl Files for FilesService {
    type ListStream = BoxStream<'static, Result<files::ListPart, Status>>;
    type SearchStream = BoxStream<'static, Result<files::SearchPart, Status>>;
    type WatchStream = BoxStream<'static, Result<files::WatchPart, Status>>;

    async fn read(&self, request: Request<wire::ReadFileRequest>) -> Result<Response<files::ReadAnswer>, Status> {
        let wire::ReadFileRequest { thread_id, query } = request.into_inner();
        let workplace = self.workplace(&thread_id).await?;
        let asked = workplace.ask(Work::LookAtFiles, |mut node, place| {
            let request = node::ReadFileRequest { place: Some(place), query: query.clone() };
            async move { node.read(request).await }
        });
        asked.await.map(Response::new).map_err(handed_on)
    }

    async fn list(&self, request: Request<wire::ListFilesRequest>) -> Result<Response<Self::ListStream>, Status> {
        let wire::ListFilesRequest { thread_id, query } = request.into_inner();
        let workplace = self.workplace(&thread_id).await?;
        let asked = workplace.ask(Work::LookAtFiles, |mut node, place| {
            let request = node::ListFilesRequest { place: Some(place), query: query.clone() };
            async move { node.list(request).await }
        });
        asked.await.map(parts).map_err(handed_on)
    }

    async fn search(&self, request: Request<wire::SearchFilesRequest>) -> Result<Response<Self::SearchStream>, Status> {
        let wire::SearchFilesRequest { thread_id, query } = request.into_inner();
        let workplace = self.workplace(&thread_id).await?;
        let asked = workplace.ask(Work::LookAtFiles, |mut node, place| {
            let request = node::SearchFilesRequest { place: Some(place), query: query.clone() };
            async move { node.search(request).await }
        });
        asked.await.map(parts).map_err(handed_on)
    }

    async fn write(&self, request: Request<wire::WriteFileRequest>) -> Result<Response<files::WriteAnswer>, Status> {
        let caller = request.extensions().get::<Caller>().cloned();
        let wire::WriteFileRequest { thread_id, query, by } = request.into_inner();
        let by: Person = by.parse().map_err(|error| Malformed::new("by", error))?;
        let workplace = self.workplace(&thread_id).await?;
        self.note(caller.as_ref(), &thread_id, query.as_ref().map_or(&[][..], |query| &query.path), &by);
        let asked = workplace.ask(Work::WriteFile, |mut node, place| {
            let request = node::WriteFileRequest { place: Some(place), query: query.clone() };
            async move { node.write(request).await }
        });
        asked.await.map(Response::new).map_err(handed_on)
    }

    async fn watch(&self, request: Request<wire::WatchFilesRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let wire::WatchFilesRequest { thread_id, query } = request.into_inner();
        let workplace = self.workplace(&thread_id).await?;
        let asked = workplace.ask(Work::LookAtFiles, |mut node, place| {
            let request = node::WatchFilesRequest { place: Some(place), query: query.clone() };
            async move { node.watch(request).await }
        });
        asked.await.map(parts).map_err(handed_on)
    }
}
