//! All that a tool may know of a machine.
//!
//! A tool speaks to this trait and never to a node, so that it cannot care where it runs. The host is bound to one thread and epoch
//! when it is made: a tool cannot act for another thread.

use async_trait::async_trait;
use bytes::Bytes;
use capstan_types::file_read::FileRead;
use capstan_types::id::{Attempt, CallId, NodeId, SessionId};
use capstan_types::launch::Stdio;
use capstan_types::limits::SessionLimits;
use capstan_types::output::Seq;
use capstan_types::path::AbsPath;
use capstan_types::policy::SandboxPolicy;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::time::Duration;

pub use capstan_types::session::{PatchReport, SessionEvent};

/// A machine that can run sessions in one workspace.
#[async_trait]
pub trait ExecHost: Debug + Send + Sync {
    /// The node behind it.
    fn node(&self) -> NodeId;

    /// Starts a session, or attaches to the one that the same call and attempt started before. The first event of the reader is
    /// [`SessionEvent::Started`].
    async fn start(&self, session: StartSession) -> Result<Box<dyn SessionReader>, HostError>;

    /// Reads a session from `from` on.
    async fn attach(&self, session: SessionId, from: Seq) -> Result<Box<dyn SessionReader>, HostError>;

    /// Writes to a session's standard input, and closes it afterwards if `then` says so.
    async fn write(&self, session: SessionId, bytes: Bytes, then: Input) -> Result<(), HostError>;

    /// Sends a signal to the foreground of a session.
    async fn signal(&self, session: SessionId, signal: i32) -> Result<(), HostError>;

    /// Ends a session's whole tree. `by` says who asks.
    async fn kill(&self, session: SessionId, by: &str) -> Result<(), HostError>;

    /// Says that a session's end has been stored, so that the node may forget it.
    async fn release(&self, session: SessionId) -> Result<(), HostError>;

    /// Applies a patch under `policy`, all of it or nothing.
    async fn apply_patch(&self, patch: PatchRequest) -> Result<PatchReport, HostError>;

    /// Reads a small file under what `policy` lets be read. It changes nothing, and may be repeated.
    async fn read_file(&self, file: FileRequest) -> Result<FileRead, HostError>;
}

/// What becomes of standard input after a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// It stays open.
    StaysOpen,
    /// It is closed; on a terminal the end-of-file character is sent.
    Closes,
}

/// Reads one session's events in order.
#[async_trait]
pub trait SessionReader: Debug + Send {
    /// The next event; after [`SessionEvent::Ended`] there is none. Dropping the future loses no event.
    ///
    /// A broken connection is mended inside: an error other than [`HostError::Fenced`] says that the session cannot be read on.
    async fn next(&mut self) -> Result<SessionEvent, HostError>;
}

/// A session to be started.
#[derive(Debug, Clone)]
pub struct StartSession {
    /// The call that it belongs to.
    pub call: CallId,
    /// Which try of that call.
    pub attempt: Attempt,
    /// The program and its arguments.
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
}

/// A patch to be applied.
#[derive(Debug, Clone)]
pub struct PatchRequest {
    /// The call that it belongs to.
    pub call: CallId,
    /// Which try of that call.
    pub attempt: Attempt,
    /// The patch, in the grammar of [`capstan_types::patch`].
    pub patch: String,
    /// What relative paths in it are relative to.
    pub cwd: AbsPath,
    /// What may be touched.
    pub policy: SandboxPolicy,
}

/// A file to be read.
#[derive(Debug, Clone)]
pub struct FileRequest {
    /// The file.
    pub path: AbsPath,
    /// Where the program that reads it works.
    pub cwd: AbsPath,
    /// The most bytes of it; at most [`capstan_types::file_read::MOST_BYTES`].
    pub max_bytes: u64,
    /// What may be read.
    pub policy: SandboxPolicy,
}

/// Why a machine did not do what a tool asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HostError {
    /// Nothing was started. The text is for the model.
    #[error("{0}")]
    NotStarted(String),
    /// The node has no room now.
    #[error("node {node} has no room for another session ({reason}); try again in {} s", retry_after.as_secs().max(1))]
    Busy {
        /// The node.
        node: NodeId,
        /// What it is short of, in its own words.
        reason: String,
        /// When to ask again.
        retry_after: Duration,
    },
    /// The session does not exist, or has been forgotten.
    #[error("the session does not exist any more")]
    NoSession,
    /// The session's standard input is closed.
    #[error("standard input is closed")]
    InputClosed,
    /// The thread has another owner now.
    #[error("this coordinator no longer owns the thread")]
    Fenced,
    /// The node did not answer; whether it did what was asked is not known.
    #[error("node {node} did not report what came of it: {reason}")]
    Lost {
        /// The node.
        node: NodeId,
        /// What was seen.
        reason: String,
    },
}
