//! What a workspace's actor is asked and told.

use crate::error::NodeError;
use crate::session::adopt::Found;
use crate::session::launcher::Launched;
use crate::session::message::{SessionDoor, SessionMsg};
use crate::workspace::checkpoint::patch::{Patch, Span as PatchSpan};
use crate::workspace::checkpoint::{Ended, Force};
use crate::workspace::file_access::{Parts, Question};
use crate::workspace::saved::SavedStates;
use crate::workspace::telling;
use capstan_runtime::actors::{Admitted, BoundedRef};
use capstan_types::checkpoint::{Changes, Undo};
use capstan_types::file_read::{FilesRead, ReadFiles};
use capstan_types::id::{Attempt, CallId, SessionId};
use capstan_types::path::AbsPath;
use capstan_types::policy::SandboxPolicy;
use capstan_types::saved::{CompareWorkspaces, RestoreWorkspace, SaveWorkspace, WorkspaceRestored, WorkspaceSaved};
use capstan_types::session::{PatchCall, PatchReport, StartCall, WorkspaceFacts as DirectoryFacts};
use capstan_types::source::MakeWorkspace;
use capstan_types::tree_document::Difference;
use ractor::RpcReplyPort;
use std::fmt;
use tracing::Span;

/// Where an answer goes.
pub(crate) type Reply<T> = RpcReplyPort<Result<T, NodeError>>;

/// What a workspace's actor gets. Requests and facts have bounds of their own, so that a crowd of requests cannot delay a fact.
pub(crate) type WorkspaceEnvelope = Admitted<WorkspaceMsg>;

/// One try of one call: what may be started at most once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct CallKey {
    pub(crate) call: CallId,
    pub(crate) attempt: Attempt,
}

/// A message to a workspace's actor.
#[derive(Debug)]
pub(crate) enum WorkspaceMsg {
    Request(WorkspaceRequest),
    Fact(WorkspaceFact),
    /// End a session that nobody has released, and forget it.
    Discard {
        session: SessionId,
        by: String,
    },
    /// End every session and forget it. The answer comes when all are gone.
    DiscardAll {
        by: String,
        reply: RpcReplyPort<()>,
    },
    /// A minute has passed; say so upwards if nothing goes on here.
    Sweep,
}

/// What a coordinator asks, after the fence.
#[derive(Debug)]
pub(crate) enum WorkspaceRequest {
    /// Start a session, or find the one that the call started.
    Start { call: Box<StartCall>, span: Span, reply: Reply<SessionDoor> },
    /// Find a session.
    Find { session: SessionId, reply: Reply<SessionDoor> },
    /// Hand a message on to a session.
    Session { session: SessionId, message: SessionMsg },
    /// Look at a directory.
    Open { cwd: AbsPath, reply: Reply<DirectoryFacts> },
    /// Read small files.
    ReadFiles { read: Box<ReadFiles>, span: Span, reply: Reply<FilesRead> },
    /// Answer a question about files. What is asked for comes by the channel.
    Files { question: Box<Question>, span: Span, reply: Reply<Parts> },
    /// Apply a patch, or give the result of the one that the call applied.
    ApplyPatch { call: Box<PatchCall>, span: Span, reply: Reply<PatchReport> },
    /// Take note of the state before a turn.
    Checkpoint { cwd: AbsPath, policy: Box<SandboxPolicy>, turn: String, span: Span, reply: Reply<()> },
    /// Say what a turn changed.
    Diff { turn: String, policy: Box<SandboxPolicy>, max_bytes: usize, ended: Ended, span: Span, reply: Reply<Changes> },
    /// Give what changed as a patch.
    Patch { what: PatchSpan, policy: Box<SandboxPolicy>, span: Span, reply: Reply<Patch> },
    /// Bring back the state before a turn.
    Undo { turn: String, policy: Box<SandboxPolicy>, force: Force, span: Span, reply: Reply<Undo> },
    /// Forget all states.
    Forget { span: Span, reply: Reply<()> },
    /// Save the workspace as a checkpoint that travels.
    Save { save: Box<SaveWorkspace>, span: Span, reply: Reply<WorkspaceSaved> },
    /// Bring such a checkpoint back.
    Restore { restore: Box<RestoreWorkspace>, span: Span, reply: Reply<WorkspaceRestored> },
    /// Compare two of them.
    Compare { compare: Box<CompareWorkspaces>, span: Span, reply: Reply<Vec<Difference>> },
    /// Let whoever asks at the packs of checkpoints: their bytes go through no mailbox.
    States { reply: Reply<SavedStates> },
    /// Make the workspace of its source, and tell of it.
    Make { make: Box<MakeWorkspace>, span: Span, reply: Reply<telling::Events> },
}

/// What happened to a workspace's actor's work.
#[derive(Debug)]
pub(crate) enum WorkspaceFact {
    /// A launch came to its end.
    Launched { key: CallKey, outcome: Box<Result<Launched, NodeError>> },
    /// It is known what became of a session of an earlier life.
    Found { session: SessionId, found: Found },
    /// A session ended.
    Ended { session: SessionId },
    /// A session has been let go of; `lost` says why its end is known to nobody.
    Released { session: SessionId, lost: Option<String> },
    /// A patch was applied, or was not.
    Patched { key: CallKey, outcome: Result<PatchReport, NodeError> },
}

/// Where a workspace's children and tasks send facts.
#[derive(Clone)]
pub(crate) struct WorkspaceFacts(pub(crate) BoundedRef<WorkspaceMsg>);

impl WorkspaceFacts {
    /// Tells a fact; waits while the lane for facts is full.
    pub(crate) async fn tell(&self, fact: WorkspaceFact) {
        // A workspace that has stopped needs to know nothing any more.
        let _ = self.0.cast(WorkspaceMsg::Fact(fact)).await;
    }
}

impl fmt::Debug for WorkspaceFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WorkspaceFacts")
    }
}

impl WorkspaceRequest {
    /// Whether it only says something to a session that is there.
    pub(crate) const fn is_to_session(&self) -> bool {
        matches!(self, Self::Session { .. })
    }

    /// Answers with an error instead.
    pub(crate) fn refuse(self, error: NodeError) {
        match self {
            Self::Start { reply, .. } | Self::Find { reply, .. } => drop(reply.send(Err(error))),
            Self::Session { message, .. } => message.refuse(error),
            Self::Open { reply, .. } => drop(reply.send(Err(error))),
            Self::ReadFiles { reply, .. } => drop(reply.send(Err(error))),
            Self::Files { reply, .. } => drop(reply.send(Err(error))),
            Self::ApplyPatch { reply, .. } => drop(reply.send(Err(error))),
            Self::Checkpoint { reply, .. } => drop(reply.send(Err(error))),
            Self::Forget { reply, .. } => drop(reply.send(Err(error))),
            Self::Undo { reply, .. } => drop(reply.send(Err(error))),
            Self::Diff { reply, .. } => drop(reply.send(Err(error))),
            Self::Patch { reply, .. } => drop(reply.send(Err(error))),
            Self::Save { reply, .. } => drop(reply.send(Err(error))),
            Self::Restore { reply, .. } => drop(reply.send(Err(error))),
            Self::Compare { reply, .. } => drop(reply.send(Err(error))),
            Self::States { reply } => drop(reply.send(Err(error))),
            Self::Make { reply, .. } => drop(reply.send(Err(error))),
        }
    }
}
