//! The Files service.

mod refusal;

use crate::error::NodeError;
use crate::node::handle::NodeHandle;
use crate::service::right::Right;
use crate::service::span::server_span;
use crate::workspace::file_access::{DEADLINE, Part, Parts, Question};
use crate::workspace::message::WorkspaceRequest;
use bytes::Bytes;
use capstan_proto::convert::{Malformed, files as convert};
use capstan_proto::wire::{files, node as wire};
use capstan_types::files::document::{FilesQuery, WriteQuery};
use capstan_types::files::report::{FileFacts, FilesReport};
use capstan_types::grant::{Act, Asked, Work, policy_digest};
use convert::FilesPlace;
use futures::StreamExt;
use futures::stream::BoxStream;
use std::time::Duration;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};
use tracing::Instrument;

const SERVICE: &str = "capstan.node.v1.Files";

/// How long the workspace may take to begin an answer.
const BEGIN: Duration = Duration::from_secs(10);

/// Serves files.
#[derive(Debug, Clone)]
pub(crate) struct FilesService {
    node: NodeHandle,
}

/// What comes with every request.
struct Asking {
    right: Right,
    span: tracing::Span,
    work: Work,
}

impl Asking {
    fn of<T>(method: &'static str, path: &'static str, work: Work, request: &Request<T>) -> Self {
        Self { right: Right::of(path, request), span: server_span(SERVICE, method, request.metadata()), work }
    }
}

impl FilesService {
    pub(crate) const fn new(node: NodeHandle) -> Self {
        Self { node }
    }

    async fn ask(&self, asking: Asking, place: FilesPlace, query: FilesQuery, data: Bytes) -> Result<Parts, Status> {
        let Asking { right, span, work } = asking;
        let FilesPlace { authority, top, policy } = place;
        let digest = Some(policy_digest(&policy, None));
        right.covers(&self.node, &Asked { authority: &authority, act: Act::Workspace(work), policy: digest })?;
        if query.writes() {
            self.node.is_open()?;
        }
        let question = Box::new(Question { thread: authority.thread, top, policy, query, data });
        let ask = |reply| WorkspaceRequest::Files { question, span: span.clone(), reply };
        Ok(self.node.act(authority, BEGIN, ask).instrument(span.clone()).await?)
    }

    /// An answer in parts. It ends when the node stops.
    fn stream<T>(&self, parts: Parts) -> Response<BoxStream<'static, Result<T, Status>>>
    where
        T: TryFrom<FilesReport, Error = Malformed> + Send + 'static,
    {
        let stopping = self.node.stopping.clone();
        Response::new(told(parts, stopping).boxed())
    }
}

fn told<T: TryFrom<FilesReport, Error = Malformed>>(
    parts: Parts,
    stopping: CancellationToken,
) -> impl futures::Stream<Item = Result<T, Status>> {
    let parts = ReceiverStream::new(parts).map(|part| match report(part)? {
        FilesReport::Refused(refused) => Err(refusal::status(refused)),
        report => T::try_from(report).map_err(|error| Status::unknown(error.to_string())),
    });
    let stopped = futures::stream::once(async move {
        stopping.cancelled_owned().await;
        Err(NodeError::Stopping.into())
    });
    // Whichever ends first; behind an error nothing follows.
    let mut over = false;
    let ends = futures::stream::select(parts.map(Some).chain(futures::stream::iter([None])), stopped.map(Some));
    ends.take_while(move |item| {
        let goes_on = !over && item.is_some();
        over |= item.as_ref().is_none_or(Result::is_err);
        futures::future::ready(goes_on)
    })
    .filter_map(futures::future::ready)
}

fn report(part: Result<Part, NodeError>) -> Result<FilesReport, Status> {
    match part? {
        Part::Report(report) => Ok(report),
        Part::Data(_) => Err(Status::unknown("the program that serves files answered another question")),
    }
}

/// What was read: the file, and all of the bytes.
async fn read(mut parts: Parts) -> Result<(FileFacts, Bytes), Status> {
    let (mut facts, mut data) = (None, Vec::new());
    while let Some(part) = parts.recv().await {
        match part? {
            Part::Data(bytes) => data.extend(bytes),
            Part::Report(FilesReport::File(file)) => facts = Some(file),
            Part::Report(FilesReport::Refused(refused)) => return Err(refusal::status(refused)),
            Part::Report(_) => {}
        }
    }
    let facts = facts.ok_or_else(|| Status::unknown("the program that reads files did not say what it read"))?;
    Ok((facts, data.into()))
}

async fn written(mut parts: Parts) -> Result<files::WriteAnswer, Status> {
    while let Some(part) = parts.recv().await {
        match part? {
            Part::Report(FilesReport::Written(written)) => return Ok(written.into()),
            Part::Report(FilesReport::Refused(refused)) => return Err(refusal::status(refused)),
            Part::Report(_) | Part::Data(_) => {}
        }
    }
    Err(Status::unknown("the program that writes files did not say whether it did"))
}

async fn within<T>(answer: impl Future<Output = Result<T, Status>>) -> Result<T, Status> {
    let room = DEADLINE + BEGIN * 3;
    let late = |_| Status::deadline_exceeded(format!("there was no answer within {} s", room.as_secs()));
    tokio::time::timeout(room, answer).await.map_err(late)?
}

#[tonic::async_trait]
impl wire::files_server::Files for FilesService {
    type ListStream = BoxStream<'static, Result<files::ListPart, Status>>;
    type SearchStream = BoxStream<'static, Result<files::SearchPart, Status>>;
    type WatchStream = BoxStream<'static, Result<files::WatchPart, Status>>;

    async fn read(&self, request: Request<wire::ReadFileRequest>) -> Result<Response<files::ReadAnswer>, Status> {
        let asking = Asking::of("Read", "/capstan.node.v1.Files/Read", Work::LookAtFiles, &request);
        let wire::ReadFileRequest { place, query } = request.into_inner();
        let query = FilesQuery::Read(convert::query(query)?);
        let parts = self.ask(asking, convert::place(place)?, query, Bytes::new()).await?;
        Ok(Response::new(within(read(parts)).await?.into()))
    }

    async fn list(&self, request: Request<wire::ListFilesRequest>) -> Result<Response<Self::ListStream>, Status> {
        let asking = Asking::of("List", "/capstan.node.v1.Files/List", Work::LookAtFiles, &request);
        let wire::ListFilesRequest { place, query } = request.into_inner();
        let query = FilesQuery::List(convert::query(query)?);
        Ok(self.stream(self.ask(asking, convert::place(place)?, query, Bytes::new()).await?))
    }

    async fn search(&self, request: Request<wire::SearchFilesRequest>) -> Result<Response<Self::SearchStream>, Status> {
        let asking = Asking::of("Search", "/capstan.node.v1.Files/Search", Work::LookAtFiles, &request);
        let wire::SearchFilesRequest { place, query } = request.into_inner();
        let query = FilesQuery::Search(convert::query(query)?);
        Ok(self.stream(self.ask(asking, convert::place(place)?, query, Bytes::new()).await?))
    }

    async fn write(&self, request: Request<wire::WriteFileRequest>) -> Result<Response<files::WriteAnswer>, Status> {
        let asking = Asking::of("Write", "/capstan.node.v1.Files/Write", Work::WriteFile, &request);
        let wire::WriteFileRequest { place, query } = request.into_inner();
        let (query, data): (WriteQuery, Bytes) = convert::query(query)?;
        let parts = self.ask(asking, convert::place(place)?, FilesQuery::Write(query), data).await?;
        Ok(Response::new(within(written(parts)).await?))
    }

    async fn watch(&self, request: Request<wire::WatchFilesRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let asking = Asking::of("Watch", "/capstan.node.v1.Files/Watch", Work::LookAtFiles, &request);
        let wire::WatchFilesRequest { place, query } = request.into_inner();
        let query = FilesQuery::Watch(convert::query(query)?);
        Ok(self.stream(self.ask(asking, convert::place(place)?, query, Bytes::new()).await?))
    }
}
