//! A node as a tool sees it: the [`ExecHost`] of one thread on one node.

pub(crate) mod checkpoints;
pub(crate) mod files;
mod making;
pub(crate) mod saved;
mod start;

use super::doorway::Doorway;
use super::failure::{may_be_repeated, of_status};
use super::link::{NodeChannel, NodeLink};
use super::patience::Patience;
use super::reader::{LinkReader, attach};
use crate::crash_point;
use async_trait::async_trait;
use bytes::Bytes;
use capstan_proto::convert::node::record;
use capstan_proto::wire::node as wire;
use capstan_tools::host::{ExecHost, FileRequest, HostError, Input, PatchRequest, SessionReader, StartSession};
use capstan_types::file_read::{FileRead, FilesRead, ReadFiles};
use capstan_types::grant::{Act, Asked, Said, Work, policy_digest};
use capstan_types::id::{Epoch, NodeId, SessionId};
use capstan_types::node::{JournalState, NodeAddress};
use capstan_types::output::Seq;
use capstan_types::path::AbsPath;
use capstan_types::policy::SandboxPolicy;
use capstan_types::session::{Authority, Listed, PatchCall, PatchReport, WorkspaceFacts};
use std::future::Future;
use std::time::Duration;
use tonic::{Code, Response, Status};
use wire::exec_client::ExecClient;

/// The longest a node may take to answer a request that starts or changes something small.
const ANSWER_DEADLINE: Duration = Duration::from_secs(30);

/// The longest a node may take for work on a whole workspace: a patch, a snapshot, a diff.
const WORKSPACE_DEADLINE: Duration = Duration::from_secs(120);

/// How long a refusal may wait for another life of its node to be heard of: the heartbeats find one that answers within 4 seconds.
const ANOTHER_LIFE_WITHIN: Duration = Duration::from_secs(5);

/// Files to be read in one look.
#[derive(Debug, Clone)]
pub struct FilesRequest {
    /// Where the program that reads them works.
    pub cwd: AbsPath,
    /// The files.
    pub paths: Vec<AbsPath>,
    /// Where they must really lie; `None` leaves that to the policy.
    pub root: Option<AbsPath>,
    /// The most bytes of one file.
    pub max_bytes: u64,
    /// What may be read.
    pub policy: SandboxPolicy,
    /// The stamp of an earlier answer to the same request.
    pub seen: Option<String>,
}

/// One thread's hands on one node, in whichever life it is.
#[derive(Debug, Clone)]
pub struct NodeHost {
    /// A link to some life: of each request, to the newest.
    link: NodeLink,
    authority: Authority,
}

impl NodeHost {
    /// The hands of `authority`'s thread on the node behind `link`.
    #[must_use]
    pub const fn new(link: NodeLink, authority: Authority) -> Self {
        Self { link, authority }
    }

    /// Whether the node knows what it was asked in its earlier lives, or has had none, as it says itself now: what is known of it may be of a life
    /// that is over. One that does not say so is taken for one that has forgotten.
    pub async fn keeps_a_journal(&self) -> bool {
        let link = self.link.newest();
        let mut node = link.describer();
        let answer = within(ANSWER_DEADLINE, async move { node.describe(wire::DescribeRequest {}).await }).await;
        let said = answer.ok().and_then(|answer| record(answer, link.record().address.clone()).ok());
        said.is_some_and(|record| matches!(record.journal, JournalState::Kept | JournalState::New))
    }

    /// By which the thread's owner is known to nodes.
    #[must_use]
    pub const fn epoch(&self) -> Epoch {
        self.authority.epoch
    }

    /// Whether turns may begin on the node, and how many run there.
    #[must_use]
    pub const fn doorway(&self) -> &Doorway {
        self.link.doorway()
    }

    /// Whether it is in this process.
    #[must_use]
    pub fn is_embedded(&self) -> bool {
        self.link.record().address == NodeAddress::Embedded
    }

    /// Asks the node what `cwd` is.
    ///
    /// # Errors
    /// The directory cannot be a workspace, or the node cannot be reached: the text is for the user.
    pub async fn open_workspace(&self, cwd: &AbsPath) -> Result<WorkspaceFacts, Status> {
        let request = wire::OpenRequest { authority: Some((&self.authority).into()), cwd: cwd.to_string() };
        let asked = self.work(Work::Open);
        let open = |link: &NodeLink| {
            let (mut node, request) = (link.workspace_for(&asked), request.clone());
            async move { node.open(request).await }
        };
        let answer = self.ask(ANSWER_DEADLINE, open).await?;
        WorkspaceFacts::try_from(answer).map_err(|error| Status::internal(error.to_string()))
    }

    /// The thread's sessions on the node that were not released.
    ///
    /// # Errors
    /// As [`NodeLink::sessions`]; `OUT_OF_RANGE` when there are too many pages to read.
    pub async fn sessions(&self) -> Result<Vec<Listed>, Status> {
        let mut all = self.link.newest().all_sessions().await?;
        all.retain(|session| session.thread == self.authority.thread);
        Ok(all)
    }

    /// Reads files of the workspace, unless they are as they were seen.
    ///
    /// # Errors
    /// The node did not read them, and nothing is known of any of them.
    pub async fn read_files(&self, files: FilesRequest) -> Result<FilesRead, Status> {
        let FilesRequest { cwd, paths, root, max_bytes, policy, seen } = files;
        let read = ReadFiles { authority: self.authority.clone(), cwd, paths, root, max_bytes, policy, seen };
        let (asked, request) = (self.under(Work::ReadFiles, &read.policy), wire::ReadFilesRequest::from(&read));
        let read = |link: &NodeLink| {
            let (mut node, request) = (link.workspace_for(&asked), request.clone());
            async move { node.read_files(request).await }
        };
        let answer = self.ask(ANSWER_DEADLINE, read).await?;
        FilesRead::try_from(answer).map_err(|error| Status::internal(error.to_string()))
    }

    /// Something that is done with the workspace under no policy.
    const fn work(&self, work: Work) -> Asked<'_> {
        Asked { authority: &self.authority, act: Act::Workspace(work), policy: None }
    }

    /// Something that is done with the workspace under the policy of the thread's sessions.
    fn under(&self, work: Work, policy: &SandboxPolicy) -> Asked<'_> {
        Asked { policy: Some(policy_digest(policy, None)), ..self.work(work) }
    }

    /// Asks the node, in its newest life. One that denies the request may be in a newer life than was known, and is asked again once that is
    /// heard of: who denies has done nothing.
    async fn ask<T, F>(&self, deadline: Duration, request: impl Fn(&NodeLink) -> F) -> Result<T, Status>
    where
        F: Future<Output = Result<Response<T>, Status>>,
    {
        let link = self.link.newest();
        let answer = within(deadline, request(&link)).await;
        if answer.as_ref().is_err_and(|status| status.code() == Code::PermissionDenied)
            && let Some(link) = link.another(ANOTHER_LIFE_WITHIN).await
        {
            return within(deadline, request(&link)).await;
        }
        answer
    }

    fn failed(&self, status: &Status) -> HostError {
        of_status(&self.link.record().id, status)
    }

    /// Asks for what the node does once, until it has room or can be reached again.
    async fn persist<T, F: Future<Output = Result<T, Status>>>(&self, ask: impl Fn() -> F) -> Result<T, HostError> {
        let (mut waits, mut patience) = (start::WAITS.iter(), Patience::WITH_A_FULL_NODE);
        loop {
            let status = match ask().await {
                Ok(answer) => return Ok(answer),
                Err(status) => status,
            };
            if let Some(wait) = patience.wait(&self.failed(&status)) {
                tokio::time::sleep(wait).await;
                continue;
            }
            match waits.next() {
                Some(wait) if may_be_repeated(&status) => tokio::time::sleep(*wait).await,
                _ => return Err(self.failed(&status)),
            }
        }
    }

    /// Says something to a session that is there. A node that has no room for it has done nothing, and is asked again.
    async fn tell<R, T, F>(
        &self,
        (session, said): (SessionId, Said),
        request: R,
        say: impl Fn(ExecClient<NodeChannel>, R) -> F,
    ) -> Result<(), HostError>
    where
        R: Clone,
        F: Future<Output = Result<Response<T>, Status>>,
    {
        let asked = Asked { authority: &self.authority, act: Act::Session(session, said), policy: None };
        let mut patience = Patience::WITH_A_QUEUE;
        loop {
            let said = self.ask(ANSWER_DEADLINE, |link| say(link.exec_for(&asked), request.clone())).await;
            let Err(status) = said else { return Ok(()) };
            let refused = self.failed(&status);
            let Some(wait) = patience.wait(&refused) else { return Err(refused) };
            tokio::time::sleep(wait).await;
        }
    }
}

/// Whether what was refused may be done a little later.
fn is_passing(status: &Status) -> bool {
    may_be_repeated(status) || status.code() == Code::ResourceExhausted
}

#[async_trait]
impl ExecHost for NodeHost {
    fn node(&self) -> NodeId {
        self.link.record().id.clone()
    }

    async fn start(&self, session: StartSession) -> Result<Box<dyn SessionReader>, HostError> {
        let (first, stream) = self.begin(session).await?;
        Ok(Box::new(LinkReader::new(self.link.clone(), self.authority.clone(), None, Seq(0), stream).after(first)))
    }

    async fn attach(&self, session: SessionId, from: Seq) -> Result<Box<dyn SessionReader>, HostError> {
        let opened = self.ask(ANSWER_DEADLINE, |link| attach(link, &self.authority, session, from)).await;
        let stream = opened.map_err(|status| self.failed(&status))?;
        Ok(Box::new(LinkReader::new(self.link.clone(), self.authority.clone(), Some(session), from, stream)))
    }

    async fn write(&self, session: SessionId, bytes: Bytes, then: Input) -> Result<(), HostError> {
        let authority = Some((&self.authority).into());
        let request =
            wire::WriteRequest { authority, session_id: session.to_string(), data: bytes, close: then == Input::Closes };
        crash_point::reached("input.sending");
        let written =
            self.tell((session, Said::Write), request, |mut node, request| async move { node.write(request).await }).await;
        crash_point::reached("input.sent");
        written
    }

    async fn signal(&self, session: SessionId, signal: i32) -> Result<(), HostError> {
        let request = wire::SignalRequest { authority: Some((&self.authority).into()), session_id: session.to_string(), signal };
        self.tell((session, Said::Signal), request, |mut node, request| async move { node.signal(request).await }).await
    }

    async fn kill(&self, session: SessionId, by: &str) -> Result<(), HostError> {
        let authority = Some((&self.authority).into());
        let request = wire::KillRequest { authority, session_id: session.to_string(), by: by.to_owned() };
        self.tell((session, Said::Kill), request, |mut node, request| async move { node.kill(request).await }).await
    }

    async fn release(&self, session: SessionId) -> Result<(), HostError> {
        let request = wire::ReleaseRequest { authority: Some((&self.authority).into()), session_id: session.to_string() };
        self.tell((session, Said::Release), request, |mut node, request| async move { node.release(request).await }).await
    }

    async fn apply_patch(&self, patch: PatchRequest) -> Result<PatchReport, HostError> {
        let call = PatchCall {
            authority: self.authority.clone(),
            call: patch.call,
            attempt: patch.attempt,
            patch: patch.patch,
            cwd: patch.cwd,
            policy: patch.policy,
        };
        let request = wire::ApplyPatchRequest::from(&call);
        crash_point::reached("patch.sending");
        let (act, policy) = (Act::Patch(call.call, call.attempt), policy_digest(&call.policy, None));
        let asked = Asked { authority: &self.authority, act, policy: Some(policy) };
        let apply = |link: &NodeLink| {
            let (mut node, request) = (link.workspace_for(&asked), request.clone());
            async move { node.apply_patch(request).await }
        };
        let answer = match self.ask(WORKSPACE_DEADLINE, &apply).await {
            // A node without its journal could apply it twice.
            Err(status) if is_passing(&status) && self.keeps_a_journal().await => {
                self.persist(|| self.ask(WORKSPACE_DEADLINE, &apply)).await
            }
            answer => answer.map_err(|status| self.failed(&status)),
        };
        crash_point::reached("patch.applied");
        let answer = answer?;
        PatchReport::try_from(answer).map_err(|error| HostError::Lost { node: self.node(), reason: error.to_string() })
    }

    async fn read_file(&self, file: FileRequest) -> Result<FileRead, HostError> {
        let FileRequest { path, cwd, max_bytes, policy } = file;
        let files = FilesRequest { cwd, paths: vec![path], root: None, max_bytes, policy, seen: None };
        match self.read_files(files).await.map_err(|status| self.failed(&status))? {
            FilesRead::Now { files, .. } if files.len() == 1 => Ok(files.into_iter().next().unwrap_or(FileRead::Missing)),
            FilesRead::Now { .. } | FilesRead::Unchanged => {
                Err(HostError::Lost { node: self.node(), reason: "it did not answer for the one file".to_owned() })
            }
        }
    }
}

async fn within<T>(deadline: Duration, answer: impl Future<Output = Result<Response<T>, Status>>) -> Result<T, Status> {
    match tokio::time::timeout(deadline, answer).await {
        Ok(answer) => answer.map(Response::into_inner),
        Err(_) => Err(Status::deadline_exceeded(format!("the node did not answer within {} s", deadline.as_secs()))),
    }
}

#[cfg(test)]
mod tests;
