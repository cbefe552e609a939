//! The Workspace service.

use crate::node::handle::NodeHandle;
use crate::service::packs;
use crate::service::patches::{self, PatchStream, Patches};
use crate::service::right::Right;
use crate::service::span::server_span;
use crate::workspace::checkpoint::patch::Span;
use crate::workspace::checkpoint::{Ended, Force};
use crate::workspace::message::WorkspaceRequest;
use crate::workspace::saved::SavedStates;
use crate::workspace::{files, git, patch, saved};
use capstan_proto::convert::{Malformed, exec, workspace as convert};
use capstan_proto::wire::node as wire;
use capstan_types::file_read::ReadFiles;
use capstan_types::grant::{Act, Asked, Work, policy_digest};
use capstan_types::path::AbsPath;
use capstan_types::policy::SandboxPolicy;
use capstan_types::saved::{CompareWorkspaces, RestoreWorkspace, SaveWorkspace};
use capstan_types::session::{Authority, PatchCall};
use capstan_types::source::MakeWorkspace;
use futures::{Stream, StreamExt};
use std::pin::Pin;
use std::time::Duration;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};
use tracing::Instrument;

const SERVICE: &str = "capstan.node.v1.Workspace";

/// How long a look at a directory may take; a network file system may be slow.
const OPEN_DEADLINE: Duration = Duration::from_secs(15);

/// What launching and clearing up may add to the time that a program of the node's has.
const ROOM: Duration = Duration::from_secs(30);

/// The diff's size when the request names none, in bytes.
const DEFAULT_DIFF: usize = 1 << 20;

/// What is told while a workspace is made.
type Making = Pin<Box<dyn Stream<Item = Result<wire::MakeEvent, Status>> + Send>>;

/// Serves workspaces.
#[derive(Debug, Clone)]
pub(crate) struct WorkspaceService {
    node: NodeHandle,
    patches: Patches,
}

impl WorkspaceService {
    pub(crate) fn new(node: NodeHandle) -> Self {
        Self { node, patches: Patches::default() }
    }

    /// The node's checkpoints, for an owner whom no other one has followed.
    async fn states(&self, who: Authority) -> Result<SavedStates, Status> {
        Ok(self.node.act(who, OPEN_DEADLINE, |reply| WorkspaceRequest::States { reply }).await?)
    }
}

fn directory(text: &str) -> Result<AbsPath, Malformed> {
    text.parse().map_err(|error| Malformed::new("cwd", error))
}

/// Something that is done with a workspace under no policy.
const fn work(authority: &Authority, work: Work) -> Asked<'_> {
    Asked { authority, act: Act::Workspace(work), policy: None }
}

/// Something that is done with a workspace under the policy of the thread's sessions.
fn under<'a>(authority: &'a Authority, done: Work, policy: &SandboxPolicy) -> Asked<'a> {
    Asked { policy: Some(policy_digest(policy, None)), ..work(authority, done) }
}

#[tonic::async_trait]
impl wire::workspace_server::Workspace for WorkspaceService {
    type PatchStream = PatchStream;
    type MakeStream = Making;
    type TakePacksStream = packs::Pieces;

    async fn open(&self, request: Request<wire::OpenRequest>) -> Result<Response<wire::OpenResponse>, Status> {
        let span = server_span(SERVICE, "Open", request.metadata());
        let right = Right::of("/capstan.node.v1.Workspace/Open", &request);
        let request = request.into_inner();
        let (who, cwd) = (exec::authority(request.authority)?, directory(&request.cwd)?);
        right.covers(&self.node, &work(&who, Work::Open))?;
        let open = |reply| WorkspaceRequest::Open { cwd, reply };
        let facts = self.node.act(who, OPEN_DEADLINE, open).instrument(span).await?;
        Ok(Response::new(facts.into()))
    }

    async fn read_files(&self, request: Request<wire::ReadFilesRequest>) -> Result<Response<wire::ReadFilesResponse>, Status> {
        let span = server_span(SERVICE, "ReadFiles", request.metadata());
        let right = Right::of("/capstan.node.v1.Workspace/ReadFiles", &request);
        let read = ReadFiles::try_from(request.into_inner())?;
        right.covers(&self.node, &under(&read.authority, Work::ReadFiles, &read.policy))?;
        let who = read.authority.clone();
        let ask = |reply| WorkspaceRequest::ReadFiles { read: Box::new(read), span: span.clone(), reply };
        let read = self.node.act(who, files::DEADLINE + ROOM, ask).instrument(span.clone()).await?;
        Ok(Response::new(read.into()))
    }

    async fn apply_patch(&self, request: Request<wire::ApplyPatchRequest>) -> Result<Response<wire::ApplyPatchResponse>, Status> {
        let span = server_span(SERVICE, "ApplyPatch", request.metadata());
        let right = Right::of("/capstan.node.v1.Workspace/ApplyPatch", &request);
        let call = PatchCall::try_from(request.into_inner())?;
        let (act, policy) = (Act::Patch(call.call, call.attempt), policy_digest(&call.policy, None));
        right.covers(&self.node, &Asked { authority: &call.authority, act, policy: Some(policy) })?;
        self.node.is_open()?;
        let who = call.authority.clone();
        let apply = |reply| WorkspaceRequest::ApplyPatch { call: Box::new(call), span: span.clone(), reply };
        let report = self.node.act(who, patch::DEADLINE + ROOM, apply).instrument(span.clone()).await?;
        Ok(Response::new(report.into()))
    }

    async fn checkpoint(&self, request: Request<wire::CheckpointRequest>) -> Result<Response<wire::CheckpointResponse>, Status> {
        let span = server_span(SERVICE, "Checkpoint", request.metadata());
        let right = Right::of("/capstan.node.v1.Workspace/Checkpoint", &request);
        let request = request.into_inner();
        let (who, cwd) = (exec::authority(request.authority)?, directory(&request.cwd)?);
        let policy = exec::policy(request.policy)?;
        right.covers(&self.node, &under(&who, Work::Checkpoint, &policy))?;
        let turn = convert::turn(&request.turn)?;
        let take = |reply| WorkspaceRequest::Checkpoint { cwd, policy: Box::new(policy), turn, span: span.clone(), reply };
        self.node.act(who, git::DEADLINE + ROOM, take).instrument(span.clone()).await?;
        Ok(Response::new(wire::CheckpointResponse {}))
    }

    async fn diff(&self, request: Request<wire::DiffRequest>) -> Result<Response<wire::DiffResponse>, Status> {
        let span = server_span(SERVICE, "Diff", request.metadata());
        let right = Right::of("/capstan.node.v1.Workspace/Diff", &request);
        let request = request.into_inner();
        let (who, turn) = (exec::authority(request.authority)?, convert::turn_or_last(&request.turn)?);
        let policy = exec::policy(request.policy)?;
        right.covers(&self.node, &under(&who, Work::Diff, &policy))?;
        let max_bytes = match request.max_bytes {
            0 => DEFAULT_DIFF,
            bytes => usize::try_from(bytes).unwrap_or(usize::MAX),
        };
        let ended = if request.ended { Ended::Now } else { Ended::NotNow };
        let diff = |reply| WorkspaceRequest::Diff { turn, policy: Box::new(policy), max_bytes, ended, span: span.clone(), reply };
        let changes = self.node.act(who, git::DEADLINE + ROOM, diff).instrument(span.clone()).await?;
        Ok(Response::new(changes.into()))
    }

    async fn patch(&self, request: Request<wire::PatchRequest>) -> Result<Response<PatchStream>, Status> {
        let span = server_span(SERVICE, "Patch", request.metadata());
        let right = Right::of("/capstan.node.v1.Workspace/Patch", &request);
        let request = request.into_inner();
        let (from, to) = (convert::turn_or_last(&request.from_turn)?, convert::turn_or_last(&request.to_turn)?);
        let (who, policy) = (exec::authority(request.authority)?, exec::policy(request.policy)?);
        right.covers(&self.node, &under(&who, Work::Patch, &policy))?;
        let place = self.patches.place()?;
        let what = Span { from, to };
        let ask = |reply| WorkspaceRequest::Patch { what, policy: Box::new(policy), span: span.clone(), reply };
        let patch = self.node.act(who, git::DEADLINE + ROOM, ask).instrument(span.clone()).await?;
        Ok(Response::new(patches::stream(patch, place)))
    }

    async fn undo(&self, request: Request<wire::UndoRequest>) -> Result<Response<wire::UndoResponse>, Status> {
        let span = server_span(SERVICE, "Undo", request.metadata());
        let right = Right::of("/capstan.node.v1.Workspace/Undo", &request);
        let request = request.into_inner();
        let (who, turn) = (exec::authority(request.authority)?, convert::turn_or_last(&request.turn)?);
        let policy = exec::policy(request.policy)?;
        right.covers(&self.node, &under(&who, Work::Undo, &policy))?;
        let force = if request.force { Force::Yes } else { Force::No };
        let undo = |reply| WorkspaceRequest::Undo { turn, policy: Box::new(policy), force, span: span.clone(), reply };
        // Two scripts: one looks, the other restores.
        let undo = self.node.act(who, git::DEADLINE * 2 + ROOM, undo).instrument(span.clone()).await?;
        Ok(Response::new(undo.into()))
    }

    async fn forget(&self, request: Request<wire::ForgetRequest>) -> Result<Response<wire::ForgetResponse>, Status> {
        let span = server_span(SERVICE, "Forget", request.metadata());
        let right = Right::of("/capstan.node.v1.Workspace/Forget", &request);
        let who = exec::authority(request.into_inner().authority)?;
        right.covers(&self.node, &work(&who, Work::Forget))?;
        let forget = |reply| WorkspaceRequest::Forget { span: span.clone(), reply };
        // What git does just now comes first.
        self.node.act(who, git::DEADLINE + ROOM, forget).instrument(span.clone()).await?;
        Ok(Response::new(wire::ForgetResponse {}))
    }

    async fn save(&self, request: Request<wire::SaveRequest>) -> Result<Response<wire::SaveResponse>, Status> {
        let span = server_span(SERVICE, "Save", request.metadata());
        let right = Right::of("/capstan.node.v1.Workspace/Save", &request);
        let save = SaveWorkspace::try_from(request.into_inner())?;
        let policy = Some(policy_digest(&save.policy, None));
        right.covers(&self.node, &Asked { policy, ..work(&save.authority, Work::Save) })?;
        let who = save.authority.clone();
        let ask = |reply| WorkspaceRequest::Save { save: Box::new(save), span: span.clone(), reply };
        let saved = self.node.act(who, saved::DEADLINE + ROOM, ask).instrument(span.clone()).await?;
        Ok(Response::new(saved.into()))
    }

    async fn restore(&self, request: Request<wire::RestoreRequest>) -> Result<Response<wire::RestoreResponse>, Status> {
        let span = server_span(SERVICE, "Restore", request.metadata());
        let right = Right::of("/capstan.node.v1.Workspace/Restore", &request);
        let restore = RestoreWorkspace::try_from(request.into_inner())?;
        let policy = Some(policy_digest(&restore.policy, None));
        right.covers(&self.node, &Asked { policy, ..work(&restore.authority, Work::Restore) })?;
        let who = restore.authority.clone();
        let ask = |reply| WorkspaceRequest::Restore { restore: Box::new(restore), span: span.clone(), reply };
        let restored = self.node.act(who, saved::DEADLINE + ROOM, ask).instrument(span.clone()).await?;
        Ok(Response::new(restored.into()))
    }

    async fn compare(&self, request: Request<wire::CompareRequest>) -> Result<Response<wire::CompareResponse>, Status> {
        let span = server_span(SERVICE, "Compare", request.metadata());
        let right = Right::of("/capstan.node.v1.Workspace/Compare", &request);
        let compare = CompareWorkspaces::try_from(request.into_inner())?;
        right.covers(&self.node, &work(&compare.authority, Work::Compare))?;
        let who = compare.authority.clone();
        let ask = |reply| WorkspaceRequest::Compare { compare: Box::new(compare), span: span.clone(), reply };
        let differences = self.node.act(who, saved::DEADLINE + ROOM, ask).instrument(span.clone()).await?;
        Ok(Response::new(wire::CompareResponse { differences: differences.into_iter().map(Into::into).collect() }))
    }

    async fn lacks_packs(&self, request: Request<wire::LacksPacksRequest>) -> Result<Response<wire::LacksPacksResponse>, Status> {
        let span = server_span(SERVICE, "LacksPacks", request.metadata());
        let right = Right::of("/capstan.node.v1.Workspace/LacksPacks", &request);
        let request = request.into_inner();
        let who = exec::authority(request.authority)?;
        right.covers(&self.node, &work(&who, Work::LacksPacks))?;
        let record = capstan_proto::convert::saved::record("record", &request.record)?;
        let states = self.states(who).instrument(span).await?;
        Ok(Response::new(wire::LacksPacksResponse { packs: states.lacks(&record).await? }))
    }

    async fn give_packs(
        &self,
        request: Request<Streaming<wire::GivePacksRequest>>,
    ) -> Result<Response<wire::GivePacksResponse>, Status> {
        let span = server_span(SERVICE, "GivePacks", request.metadata());
        let right = Right::of("/capstan.node.v1.Workspace/GivePacks", &request);
        let mut pieces = request.into_inner();
        let first = pieces.message().await?.unwrap_or_default();
        let who = exec::authority(first.authority.clone())?;
        right.covers(&self.node, &work(&who, Work::GivePacks))?;
        let states = self.states(who).instrument(span.clone()).await?;
        let bytes = packs::take_in(&states, first, pieces).instrument(span).await?;
        Ok(Response::new(wire::GivePacksResponse { bytes }))
    }

    async fn take_packs(&self, request: Request<wire::TakePacksRequest>) -> Result<Response<packs::Pieces>, Status> {
        let span = server_span(SERVICE, "TakePacks", request.metadata());
        let right = Right::of("/capstan.node.v1.Workspace/TakePacks", &request);
        let request = request.into_inner();
        let who = exec::authority(request.authority)?;
        right.covers(&self.node, &work(&who, Work::TakePacks))?;
        let name = request.name.parse().map_err(|error| Malformed::new("name", error))?;
        let thread = who.thread;
        let states = self.states(who).instrument(span).await?;
        let paths = states.packs_of(thread, &name, &request.packs)?;
        let carrier = states.carrier()?;
        Ok(Response::new(packs::give_out(request.packs.into_iter().zip(paths).collect(), carrier)))
    }

    async fn make(&self, request: Request<wire::MakeRequest>) -> Result<Response<Making>, Status> {
        let span = server_span(SERVICE, "Make", request.metadata());
        let right = Right::of("/capstan.node.v1.Workspace/Make", &request);
        let make = MakeWorkspace::try_from(request.into_inner())?;
        let policy = make.policy.as_ref().map(|policy| policy_digest(policy, None));
        right.covers(&self.node, &Asked { policy, ..work(&make.authority, Work::Make) })?;
        self.node.is_open()?;
        let who = make.authority.clone();
        let ask = |reply| WorkspaceRequest::Make { make: Box::new(make), span: span.clone(), reply };
        let events = self.node.act(who, OPEN_DEADLINE, ask).instrument(span.clone()).await?;
        let events = ReceiverStream::new(events).map(|event| event.map(Into::into).map_err(Status::from));
        Ok(Response::new(Box::pin(events)))
    }
}
