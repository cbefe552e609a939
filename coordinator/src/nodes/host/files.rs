//! The files of a thread's workspace, as a client asks for them. Questions and answers are handed on as they are.

use super::{NodeHost, WORKSPACE_DEADLINE};
use crate::nodes::link::{NodeChannel, NodeLink};
use capstan_proto::wire::node as wire;
use capstan_types::grant::Work;
use capstan_types::path::AbsPath;
use capstan_types::policy::SandboxPolicy;
use std::future::Future;
use std::sync::Arc;
use tonic::{Response, Status};
use wire::files_client::FilesClient;

/// A thread's workspace: where it is, and what its sessions may do there.
#[derive(Debug, Clone)]
pub struct Workplace {
    /// The thread's hands on its node.
    pub host: Arc<NodeHost>,
    /// The directory.
    pub top: AbsPath,
    /// The policy of its sessions.
    pub policy: SandboxPolicy,
}

impl Workplace {
    /// Asks the node about files, by this request.
    ///
    /// # Errors
    /// The node's own.
    pub async fn ask<T, F>(
        &self,
        work: Work,
        request: impl Fn(FilesClient<NodeChannel>, wire::FilesPlace) -> F,
    ) -> Result<T, Status>
    where
        F: Future<Output = Result<Response<T>, Status>>,
    {
        let place = wire::FilesPlace {
            authority: Some((&self.host.authority).into()),
            top: self.top.to_string(),
            policy: Some((&self.policy).into()),
        };
        let asked = self.host.under(work, &self.policy);
        let files = |link: &NodeLink| request(link.files_for(&asked), place.clone());
        self.host.ask(WORKSPACE_DEADLINE, files).await
    }
}
