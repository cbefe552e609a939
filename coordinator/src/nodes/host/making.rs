//! Having a workspace made of its source, where the thread is.

use super::{ANSWER_DEADLINE, NodeHost};
use crate::nodes::link::NodeLink;
use capstan_proto::wire::node as wire;
use capstan_types::grant::{Asked, Work, policy_digest};
use capstan_types::policy::SandboxPolicy;
use capstan_types::source::{GitCredential, MakeEvent, MakeProgress, MakeWorkspace, WorkspaceMade, WorkspaceSource};
use std::time::Duration;
use tonic::{Status, Streaming};

/// The longest that a node may say nothing while it makes a workspace. It has deadlines of its own, which are shorter.
const SILENCE: Duration = Duration::from_secs(900);

impl NodeHost {
    /// Has the node make the thread's workspace, or give the one that it has made, and tells `progress` what it does meanwhile.
    ///
    /// # Errors
    /// There is no workspace: the text is for the user, and the code says whether to ask again, as `workspace.proto` has it.
    pub async fn make_workspace(
        &self,
        source: WorkspaceSource,
        policy: Option<SandboxPolicy>,
        quota_bytes: Option<u64>,
        credentials: Vec<GitCredential>,
        progress: impl FnMut(MakeProgress) + Send,
    ) -> Result<WorkspaceMade, Status> {
        let make = MakeWorkspace { authority: self.authority.clone(), source, policy, quota_bytes, credentials };
        let digest = make.policy.as_ref().map(|policy| policy_digest(policy, None));
        let (asked, request) = (Asked { policy: digest, ..self.work(Work::Make) }, wire::MakeRequest::from(&make));
        let make = |link: &NodeLink| {
            let (mut node, request) = (link.workspace_for(&asked), request.clone());
            async move { node.make(request).await }
        };
        follow(self.ask(ANSWER_DEADLINE, make).await?, progress).await
    }
}

async fn follow(
    mut events: Streaming<wire::MakeEvent>,
    mut progress: impl FnMut(MakeProgress) + Send,
) -> Result<WorkspaceMade, Status> {
    let broken = || Status::unavailable("the node broke off while it made the workspace; ask again");
    loop {
        let silent = |_| Status::deadline_exceeded(format!("the node said nothing for {} s", SILENCE.as_secs()));
        let event = tokio::time::timeout(SILENCE, events.message()).await.map_err(silent)??.ok_or_else(broken)?;
        match MakeEvent::try_from(event).map_err(|error| Status::internal(error.to_string()))? {
            MakeEvent::Progress(told) => progress(told),
            MakeEvent::Made(made) => return Ok(*made),
        }
    }
}
