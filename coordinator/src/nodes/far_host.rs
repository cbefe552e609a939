//! A thread's hands on a host that is not its home: by name, so that they reach whatever life of the host there is when they are used.

use super::host::NodeHost;
use super::pool::PoolMsg;
use async_trait::async_trait;
use bytes::Bytes;
use capstan_runtime::actors::ask::ask;
use capstan_tools::host::{ExecHost, FileRequest, HostError, Input, PatchReport, PatchRequest, SessionReader, StartSession};
use capstan_types::file_read::FileRead;
use capstan_types::id::{NodeId, SessionId};
use capstan_types::output::Seq;
use capstan_types::session::Authority;
use ractor::ActorRef;
use std::time::Duration;

/// How long the pool may take to answer.
const ASK_DEADLINE: Duration = Duration::from_secs(10);

/// One thread's hands on one host.
#[derive(Debug, Clone)]
pub struct FarHost {
    node: NodeId,
    pool: ActorRef<PoolMsg>,
    authority: Authority,
}

impl FarHost {
    /// The hands of `authority`'s thread on the host of this name.
    #[must_use]
    pub const fn new(node: NodeId, pool: ActorRef<PoolMsg>, authority: Authority) -> Self {
        Self { node, pool, authority }
    }

    /// The life of the host that is registered now.
    ///
    /// # Errors
    /// There is none. Nothing was asked of it.
    pub async fn now(&self) -> Result<NodeHost, HostError> {
        let lost = |reason: String| HostError::Lost { node: self.node.clone(), reason };
        let link = ask(&self.pool, ASK_DEADLINE, |reply| PoolMsg::Link(self.node.clone(), reply)).await;
        let link = link.map_err(|error| lost(error.to_string()))?.ok_or_else(|| lost("it is not registered now".to_owned()))?;
        Ok(NodeHost::new(link, self.authority.clone()))
    }
}

#[async_trait]
impl ExecHost for FarHost {
    fn node(&self) -> NodeId {
        self.node.clone()
    }

    async fn start(&self, session: StartSession) -> Result<Box<dyn SessionReader>, HostError> {
        self.now().await?.start(session).await
    }

    async fn attach(&self, session: SessionId, from: Seq) -> Result<Box<dyn SessionReader>, HostError> {
        self.now().await?.attach(session, from).await
    }

    async fn write(&self, session: SessionId, bytes: Bytes, then: Input) -> Result<(), HostError> {
        self.now().await?.write(session, bytes, then).await
    }

    async fn signal(&self, session: SessionId, signal: i32) -> Result<(), HostError> {
        self.now().await?.signal(session, signal).await
    }

    async fn kill(&self, session: SessionId, by: &str) -> Result<(), HostError> {
        self.now().await?.kill(session, by).await
    }

    async fn release(&self, session: SessionId) -> Result<(), HostError> {
        self.now().await?.release(session).await
    }

    async fn apply_patch(&self, patch: PatchRequest) -> Result<PatchReport, HostError> {
        self.now().await?.apply_patch(patch).await
    }

    async fn read_file(&self, file: FileRequest) -> Result<FileRead, HostError> {
        self.now().await?.read_file(file).await
    }
}
