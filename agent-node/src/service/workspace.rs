//! The Workspace service.

use crate::node::handle::NodeHandle;
use crate::service::span::server_span;
use crate::workspace::message::WorkspaceRequest;
use crate::workspace::{files, git, patch};
use capstan_proto::convert::{Malformed, exec};
use capstan_proto::wire::node as wire;
use capstan_types::file_read::ReadFiles;
use capstan_types::path::AbsPath;
use capstan_types::session::PatchCall;
use std::time::Duration;
use tonic::{Request, Response, Status};
use tracing::Instrument;

const SERVICE: &str = "capstan.node.v1.Workspace";

/// How long a look at a directory may take; a network file system may be slow.
const OPEN_DEADLINE: Duration = Duration::from_secs(15);

/// What launching and clearing up may add to the time that a program of the node's has.
const ROOM: Duration = Duration::from_secs(30);

/// The diff's size when the request names none, in bytes.
const DEFAULT_DIFF: usize = 1 << 20;

/// Serves workspaces.
#[derive(Debug, Clone)]
pub(crate) struct WorkspaceService {
    node: NodeHandle,
}

impl WorkspaceService {
    pub(crate) const fn new(node: NodeHandle) -> Self {
        Self { node }
    }
}

fn directory(text: &str) -> Result<AbsPath, Malformed> {
    text.parse().map_err(|error| Malformed::new("cwd", error))
}

#[tonic::async_trait]
impl wire::workspace_server::Workspace for WorkspaceService {
    async fn open(&self, request: Request<wire::OpenRequest>) -> Result<Response<wire::OpenResponse>, Status> {
        let span = server_span(SERVICE, "Open", request.metadata());
        let request = request.into_inner();
        let (who, cwd) = (exec::authority(request.authority)?, directory(&request.cwd)?);
        let open = |reply| WorkspaceRequest::Open { cwd, reply };
        let facts = self.node.act(who, OPEN_DEADLINE, open).instrument(span).await?;
        Ok(Response::new(facts.into()))
    }

    async fn read_files(&self, request: Request<wire::ReadFilesRequest>) -> Result<Response<wire::ReadFilesResponse>, Status> {
        let span = server_span(SERVICE, "ReadFiles", request.metadata());
        let read = ReadFiles::try_from(request.into_inner())?;
        let who = read.authority.clone();
        let ask = |reply| WorkspaceRequest::ReadFiles { read: Box::new(read), span: span.clone(), reply };
        let read = self.node.act(who, files::DEADLINE + ROOM, ask).instrument(span.clone()).await?;
        Ok(Response::new(read.into()))
    }

    async fn apply_patch(&self, request: Request<wire::ApplyPatchRequest>) -> Result<Response<wire::ApplyPatchResponse>, Status> {
        let span = server_span(SERVICE, "ApplyPatch", request.metadata());
        let call = PatchCall::try_from(request.into_inner())?;
        let who = call.authority.clone();
        let apply = |reply| WorkspaceRequest::ApplyPatch { call: Box::new(call), span: span.clone(), reply };
        let report = self.node.act(who, patch::DEADLINE + ROOM, apply).instrument(span.clone()).await?;
        Ok(Response::new(report.into()))
    }

    async fn snapshot(&self, request: Request<wire::SnapshotRequest>) -> Result<Response<wire::SnapshotResponse>, Status> {
        let span = server_span(SERVICE, "Snapshot", request.metadata());
        let request = request.into_inner();
        let (who, cwd) = (exec::authority(request.authority)?, directory(&request.cwd)?);
        let take = |reply| WorkspaceRequest::Snapshot { cwd, span: span.clone(), reply };
        let snapshot_id = self.node.act(who, git::DEADLINE + ROOM, take).instrument(span.clone()).await?;
        Ok(Response::new(wire::SnapshotResponse { snapshot_id }))
    }

    async fn diff(&self, request: Request<wire::DiffRequest>) -> Result<Response<wire::DiffResponse>, Status> {
        let span = server_span(SERVICE, "Diff", request.metadata());
        let request = request.into_inner();
        let (who, cwd) = (exec::authority(request.authority)?, directory(&request.cwd)?);
        let max_bytes = match request.max_bytes {
            0 => DEFAULT_DIFF,
            bytes => usize::try_from(bytes).unwrap_or(usize::MAX),
        };
        let snapshot = request.snapshot_id;
        let diff = |reply| WorkspaceRequest::Diff { cwd, snapshot, max_bytes, span: span.clone(), reply };
        let diff = self.node.act(who, git::DEADLINE + ROOM, diff).instrument(span.clone()).await?;
        Ok(Response::new(wire::DiffResponse { diff: diff.text, cut: diff.cut }))
    }
}
