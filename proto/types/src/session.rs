//! What a coordinator asks of a node about sessions, and what it is told.

pub mod known;

use crate::id::{Attempt, CallId, Epoch, SessionId, ThreadId};
use crate::item::FileChange;
use crate::launch::{Denial, Enforced, SessionEnd, Stdio};
use crate::limits::SessionLimits;
use crate::output::chain::Chain;
use crate::output::seal::Seal;
use crate::output::{Piece, Seq};
use crate::path::AbsPath;
use crate::policy::SandboxPolicy;
use std::collections::BTreeMap;

/// Who acts on a node, and by what right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority {
    /// The thread.
    pub thread: ThreadId,
    /// The fencing number of the thread's owner.
    pub epoch: Epoch,
    /// The coordinator's name, for logs.
    pub owner: String,
}

/// A session to be started for a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartCall {
    /// Who asks.
    pub authority: Authority,
    /// The call.
    pub call: CallId,
    /// Which try of it.
    pub attempt: Attempt,
    /// The program and its arguments; at least one.
    pub argv: Vec<String>,
    /// The working directory.
    pub cwd: AbsPath,
    /// Variables added to the node's base environment.
    pub env: BTreeMap<String, String>,
    /// How standard input, output and error are connected.
    pub stdio: Stdio,
    /// What may be touched.
    pub policy: SandboxPolicy,
    /// What may be used.
    pub limits: SessionLimits,
    /// Where to begin if the session exists already.
    pub from: Seq,
}

/// What happens in a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionEvent {
    /// It runs.
    Started {
        /// The session.
        session: SessionId,
        /// What is in force.
        enforced: Enforced,
    },
    /// It wrote.
    Output(Piece),
    /// The sandbox refused something.
    Denied(Denial),
    /// It ended; nothing follows.
    Ended {
        /// How.
        end: SessionEnd,
        /// What its output is held against; none where its holder left nothing.
        seal: Option<Box<Seal>>,
    },
}

/// A session of a node, as operators see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The session.
    pub session: SessionId,
    /// Whose it is.
    pub thread: ThreadId,
    /// What it was started for.
    pub call: CallId,
    /// Which try of it.
    pub attempt: Attempt,
    /// The program and its arguments, cut after some KiB.
    pub argv: Vec<String>,
    /// The working directory.
    pub cwd: AbsPath,
    /// How standard input, output and error are connected.
    pub stdio: Stdio,
    /// When it was asked for by the node's clock, in milliseconds since 1970.
    pub started_at_ms: u64,
    /// How far it has come.
    pub state: ListedState,
    /// Bytes written so far, kept or not.
    pub output_bytes: u64,
    /// The chain over what is kept of the output, by which a reader that has it from 0 on proves that nothing is missing. None until the
    /// session has ended, and where its holder left none.
    pub chain: Option<Chain>,
    /// Whether an earlier life of the node started it.
    pub adopted: bool,
}

/// How far a listed session has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListedState {
    /// It is being started, or it is not known yet whether it was.
    Starting,
    /// It runs.
    Running,
    /// It has ended, and waits to be released.
    Ended(SessionEnd),
}

/// A patch to be applied for a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatchCall {
    /// Who asks.
    pub authority: Authority,
    /// The call.
    pub call: CallId,
    /// Which try of it.
    pub attempt: Attempt,
    /// The patch, in the grammar of [`crate::patch`].
    pub patch: String,
    /// What relative paths in it are relative to.
    pub cwd: AbsPath,
    /// What may be touched.
    pub policy: SandboxPolicy,
}

/// What a patch did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PatchReport {
    /// All of it was applied.
    Applied {
        /// The files, in the order of the patch.
        changes: Vec<FileChange>,
    },
    /// Nothing was changed.
    Refused {
        /// Why, for the model.
        reason: String,
    },
}

/// What a node says of a directory that is to be a workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkspaceFacts {
    /// The directory with its symbolic links resolved.
    pub root: AbsPath,
    /// Whether it lies in a git work tree.
    pub git: bool,
    /// The node's name.
    pub node: crate::id::NodeId,
    /// The temporary directories that `workspace-write` makes writable besides the workspace.
    pub temp_dirs: Vec<AbsPath>,
    /// The top of the git work tree that it lies in, unless that holds more than a project, as a home directory does.
    pub top: Option<AbsPath>,
    /// The system of the host, in words; empty when the node did not say.
    pub system: String,
}
