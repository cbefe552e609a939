//! The states of a thread's workspace: noted before a turn changes it, compared, and brought back.

use super::{NodeHost, WORKSPACE_DEADLINE};
use crate::nodes::link::NodeLink;
use capstan_proto::wire::node as wire;
use capstan_types::checkpoint::{Changes, Undo};
use capstan_types::grant::Work;
use capstan_types::path::AbsPath;
use capstan_types::policy::SandboxPolicy;
use std::time::Duration;
use tonic::{Status, Streaming};

/// The longest an undo may take: it looks at the whole workspace, and then writes.
pub(crate) const UNDO_DEADLINE: Duration = Duration::from_secs(180);

/// A patch on its way from a node.
pub(crate) type Pieces = Streaming<wire::PatchResponse>;

impl NodeHost {
    /// Takes note of the workspace's state before `turn`, to compare with and to go back to.
    ///
    /// # Errors
    /// It cannot be taken: go on without a diff, and without undoing.
    pub async fn checkpoint(&self, cwd: &AbsPath, policy: &SandboxPolicy, turn: String) -> Result<(), Status> {
        let request = wire::CheckpointRequest {
            authority: Some((&self.authority).into()),
            cwd: cwd.to_string(),
            turn,
            policy: Some(policy.into()),
        };
        let asked = self.under(Work::Checkpoint, policy);
        let checkpoint = |link: &NodeLink| {
            let (mut node, request) = (link.workspace_for(&asked), request.clone());
            async move { node.checkpoint(request).await }
        };
        self.ask(WORKSPACE_DEADLINE, checkpoint).await.map(drop)
    }

    /// What `turn` changed, in at most `max_bytes`; an empty name is that of the last turn. `ended` says that it ends now.
    ///
    /// # Errors
    /// There is nothing to compare with.
    pub async fn diff(&self, policy: &SandboxPolicy, turn: String, max_bytes: u64, ended: bool) -> Result<Changes, Status> {
        let request =
            wire::DiffRequest { authority: Some((&self.authority).into()), turn, max_bytes, ended, policy: Some(policy.into()) };
        let asked = self.under(Work::Diff, policy);
        let diff = |link: &NodeLink| {
            let (mut node, request) = (link.workspace_for(&asked), request.clone());
            async move { node.diff(request).await }
        };
        Ok(self.ask(WORKSPACE_DEADLINE, diff).await?.into())
    }

    /// What `turn` changed, or for an empty name what the thread has changed until now, as a patch of any size.
    ///
    /// # Errors
    /// As [`NodeHost::diff`].
    pub async fn patch(&self, policy: &SandboxPolicy, turn: String) -> Result<Pieces, Status> {
        let (from_turn, to_turn) = (turn.clone(), turn);
        let request =
            wire::PatchRequest { authority: Some((&self.authority).into()), from_turn, to_turn, policy: Some(policy.into()) };
        let asked = self.under(Work::Patch, policy);
        let patch = |link: &NodeLink| {
            let (mut node, request) = (link.workspace_for(&asked), request.clone());
            async move { node.patch(request).await }
        };
        self.ask(WORKSPACE_DEADLINE, patch).await
    }

    /// Has all states of the workspace forgotten.
    ///
    /// # Errors
    /// It is not known whether they are.
    pub async fn forget(&self) -> Result<(), Status> {
        let request = wire::ForgetRequest { authority: Some((&self.authority).into()) };
        let asked = self.work(Work::Forget);
        let forget = |link: &NodeLink| {
            let (mut node, request) = (link.workspace_for(&asked), request.clone());
            async move { node.forget(request).await }
        };
        self.ask(WORKSPACE_DEADLINE, forget).await.map(drop)
    }

    /// Brings back the state before `turn`, or before the last turn that is not undone; `force` also where files have changed since.
    ///
    /// # Errors
    /// There is nothing to go back to, or it was cut off in the middle; the text is for the user.
    pub async fn undo(&self, policy: &SandboxPolicy, turn: String, force: bool) -> Result<Undo, Status> {
        let request = wire::UndoRequest { authority: Some((&self.authority).into()), turn, force, policy: Some(policy.into()) };
        let asked = self.under(Work::Undo, policy);
        let undo = |link: &NodeLink| {
            let (mut node, request) = (link.workspace_for(&asked), request.clone());
            async move { node.undo(request).await }
        };
        Undo::try_from(self.ask(UNDO_DEADLINE, undo).await?).map_err(|error| Status::internal(error.to_string()))
    }
}
