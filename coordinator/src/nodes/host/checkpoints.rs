//! The states of a thread's workspace: noted before a turn changes it, compared, and brought back.

use super::{NodeHost, WORKSPACE_DEADLINE, within};
use capstan_proto::wire::node as wire;
use capstan_types::checkpoint::{Changes, Undo};
use capstan_types::grant::Work;
use capstan_types::path::AbsPath;
use capstan_types::policy::SandboxPolicy;
use std::time::Duration;
use tonic::Status;

/// The longest an undo may take: it looks at the whole workspace, and then writes.
pub(crate) const UNDO_DEADLINE: Duration = Duration::from_secs(180);

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
        within(WORKSPACE_DEADLINE, self.link.workspace_for(&self.under(Work::Checkpoint, policy)).checkpoint(request))
            .await
            .map(drop)
    }

    /// What `turn` changed, in at most `max_bytes`; an empty name is that of the last turn. `ended` says that it ends now.
    ///
    /// # Errors
    /// There is nothing to compare with.
    pub async fn diff(&self, policy: &SandboxPolicy, turn: String, max_bytes: u64, ended: bool) -> Result<Changes, Status> {
        let request =
            wire::DiffRequest { authority: Some((&self.authority).into()), turn, max_bytes, ended, policy: Some(policy.into()) };
        Ok(within(WORKSPACE_DEADLINE, self.link.workspace_for(&self.under(Work::Diff, policy)).diff(request)).await?.into())
    }

    /// Has all states of the workspace forgotten.
    ///
    /// # Errors
    /// It is not known whether they are.
    pub async fn forget(&self) -> Result<(), Status> {
        let request = wire::ForgetRequest { authority: Some((&self.authority).into()) };
        within(WORKSPACE_DEADLINE, self.link.workspace_for(&self.work(Work::Forget)).forget(request)).await.map(drop)
    }

    /// Brings back the state before `turn`, or before the last turn that is not undone; `force` also where files have changed since.
    ///
    /// # Errors
    /// There is nothing to go back to, or it was cut off in the middle; the text is for the user.
    pub async fn undo(&self, policy: &SandboxPolicy, turn: String, force: bool) -> Result<Undo, Status> {
        let request = wire::UndoRequest { authority: Some((&self.authority).into()), turn, force, policy: Some(policy.into()) };
        let answer = within(UNDO_DEADLINE, self.link.workspace_for(&self.under(Work::Undo, policy)).undo(request)).await?;
        Undo::try_from(answer).map_err(|error| Status::internal(error.to_string()))
    }
}
