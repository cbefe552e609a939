//! A coordinator's side of one session on a node that is reached by TCP.

use crate::node::Node;
use capstan_coordinator::nodes::host::NodeHost;
use capstan_coordinator::nodes::link::NodeLink;
use capstan_tools::host::{ExecHost, HostError, SessionReader, StartSession};
use capstan_types::id::{Attempt, CallId, Epoch, SessionId, ThreadId};
use capstan_types::launch::Stdio;
use capstan_types::limits::SessionLimits;
use capstan_types::path::AbsPath;
use capstan_types::policy::SandboxPolicy;
use capstan_types::session::Authority;
use std::path::Path;

/// One thread's hands on a node.
#[derive(Debug, Clone)]
pub(crate) struct Far {
    /// What a tool has of the node.
    pub(crate) host: NodeHost,
    workspace: AbsPath,
}

impl Far {
    /// Hands that work in `workspace`.
    pub(crate) fn on(node: &Node, workspace: &Path) -> Self {
        let link = NodeLink::by_address(node.record.clone(), Some(Node::token()), None).expect("the node has an address");
        let authority = Authority { thread: ThreadId::generate(), epoch: Epoch(1), owner: "bench".to_owned() };
        Self { host: NodeHost::new(link, authority), workspace: AbsPath::new(workspace).expect("the path is absolute") }
    }

    /// Starts a program.
    pub(crate) async fn start(&self, argv: &[&str], stdio: Stdio) -> Box<dyn SessionReader> {
        let session = StartSession {
            call: CallId::generate(),
            attempt: Attempt(1),
            argv: argv.iter().map(|argument| (*argument).to_owned()).collect(),
            cwd: self.workspace.clone(),
            env: [].into(),
            stdio,
            policy: SandboxPolicy::workspace_write(vec![self.workspace.clone()]),
            limits: SessionLimits::default(),
        };
        loop {
            match self.host.start(session.clone()).await {
                Ok(reader) => return reader,
                // A full node says when to come again, and that is part of what a call takes.
                Err(HostError::Busy { retry_after, .. }) => tokio::time::sleep(retry_after).await,
                Err(error) => panic!("{argv:?} was not started: {error}"),
            }
        }
    }

    /// Has a session forgotten.
    pub(crate) async fn release(&self, session: SessionId) {
        self.host.release(session).await.expect("a session that has ended is released");
    }
}
