//! Serves the files of a workspace by the runner's `files` verb, inside the sandbox of the thread's sessions: the node opens none of them.

mod hidden;

use crate::error::NodeError;
use crate::session::launcher::{Launcher, Program};
use crate::session::run::RunError;
use crate::session::run::streamed::streamed;
use crate::workspace::files::reading;
use bytes::Bytes;
use capstan_types::files::document::{FilesDocument, FilesQuery};
use capstan_types::files::frame::Frame;
use capstan_types::files::report::FilesReport;
use capstan_types::id::ThreadId;
use capstan_types::launch::{SessionEnd, Stdio};
use capstan_types::limits::{ByteCap, SessionLimits};
use capstan_types::path::AbsPath;
use capstan_types::policy::SandboxPolicy;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

/// How long a part of a file may take, or a file that is written. A network file system may be slow.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);
/// How long a list or a search may take, with the time that whoever reads it takes.
const STREAM_DEADLINE: Duration = Duration::from_secs(600);
/// How long something is watched.
const WATCH_DEADLINE: Duration = Duration::from_secs(3600);

/// How many answers a node gives at once. Full: the next one waits for [`PATIENCE`], and is told to ask again.
const AT_ONCE: usize = 8;
/// How many watches a node keeps. Full: the next one is told to ask again.
const WATCHES: usize = 32;
/// How long an answer waits for its turn.
const PATIENCE: Duration = Duration::from_secs(20);

/// Parts of an answer that nobody has taken yet. Full: the program that answers waits.
const PARTS: usize = 4;

/// What is asked about a workspace's files.
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) thread: ThreadId,
    pub(crate) top: AbsPath,
    /// Of the thread's sessions.
    pub(crate) policy: SandboxPolicy,
    pub(crate) query: FilesQuery,
    /// What is to be written.
    pub(crate) data: Bytes,
}

/// A part of an answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Report(FilesReport),
    Data(Vec<u8>),
}

/// Where an answer comes from. Whoever drops it wants no more of it.
pub(crate) type Parts = mpsc::Receiver<Result<Part, NodeError>>;

/// Answers questions. Clones share the bounds on how many at once.
#[derive(Debug, Clone)]
pub(crate) struct FileAccess {
    launcher: Arc<Launcher>,
    answers: Arc<Semaphore>,
    watches: Arc<Semaphore>,
}

impl FileAccess {
    pub(crate) fn new(launcher: Arc<Launcher>) -> Self {
        Self { launcher, answers: Arc::new(Semaphore::new(AT_ONCE)), watches: Arc::new(Semaphore::new(WATCHES)) }
    }

    /// A channel for an answer, and the work that fills it.
    pub(crate) fn answer(&self, question: Question) -> (Parts, impl Future<Output = ()> + Send + 'static) {
        let (parts, taken) = mpsc::channel(PARTS);
        let this = self.clone();
        let work = async move {
            if let Err(error) = this.give(question, &parts).await {
                // Whoever asked may have gone.
                let _ = parts.send(Err(error)).await;
            }
        };
        (taken, work)
    }

    async fn give(&self, question: Question, parts: &mpsc::Sender<Result<Part, NodeError>>) -> Result<(), NodeError> {
        let deadline = match question.query {
            FilesQuery::Read(_) | FilesQuery::Write(_) => DEADLINE,
            FilesQuery::List(_) | FilesQuery::Search(_) => STREAM_DEADLINE,
            FilesQuery::Watch(_) => WATCH_DEADLINE,
        };
        let _turn = self.turn(&question.query).await?;
        let (program, input) = self.program(question)?;
        let (pieces, mut output) = mpsc::channel(PARTS);
        let running = streamed(&self.launcher, program, input, deadline, pieces);
        let handing_on = async {
            let mut whole = Whole::NotYet;
            let mut arrived = Vec::new();
            while let Some(piece) = output.recv().await {
                arrived.extend_from_slice(&piece);
                while let Some(frame) = Frame::decode(&mut arrived).map_err(|error| NodeError::Unknown(error.to_string()))? {
                    let part = part(frame)?;
                    whole = whole.after(&part);
                    if parts.send(Ok(part)).await.is_err() {
                        return Ok::<_, NodeError>(Whole::Unwanted);
                    }
                }
            }
            Ok(whole)
        };
        // Its output ends with it, and it is ended when nobody takes that.
        let (whole, ended) = {
            let mut handing_on = std::pin::pin!(handing_on);
            let mut running = std::pin::pin!(running);
            tokio::select! {
                whole = &mut handing_on => match whole? {
                    Whole::Unwanted => return Ok(()),
                    whole => (whole, running.await),
                },
                ended = &mut running => (handing_on.await?, ended),
                // Also of a watch in whose directory nothing changes.
                () = parts.closed() => return Ok(()),
            }
        };
        match ended {
            Ok(SessionEnd::Exited { code: 0 }) if whole == Whole::Yes => Ok(()),
            Ok(SessionEnd::Limit(_)) => Err(NodeError::Late(deadline)),
            Ok(end) => Err(NodeError::Unknown(format!("the program that serves files ended before its answer did ({end:?})"))),
            Err(RunError::Refused(refusal)) => Err(NodeError::Refused(refusal)),
            Err(RunError::Unknown(reason)) => Err(NodeError::Unknown(reason)),
        }
    }

    async fn turn(&self, query: &FilesQuery) -> Result<OwnedSemaphorePermit, NodeError> {
        if matches!(query, FilesQuery::Watch(_)) {
            return Arc::clone(&self.watches).try_acquire_owned().map_err(|_| NodeError::busy("the watching of files"));
        }
        let turn = tokio::time::timeout(PATIENCE, Arc::clone(&self.answers).acquire_owned()).await;
        turn.ok().and_then(Result::ok).ok_or_else(|| NodeError::busy("the reading of files"))
    }

    fn program(&self, question: Question) -> Result<(Program, Bytes), NodeError> {
        let Question { thread, top, policy, query, data } = question;
        self.launcher.own.keep_out(thread, &top, &policy).map_err(NodeError::Refused)?;
        let policy = if query.writes() { policy } else { reading(policy) };
        let mut policy = self.launcher.admission.admit(policy).map_err(NodeError::Refused)?;
        let hidden = hidden::below(&top, policy.hidden.iter().chain(self.launcher.hidden()));
        policy.readable.extend(self.launcher.runner.program());
        let document = FilesDocument { top: top.clone(), hidden, query };
        let mut input = serde_json::to_vec(&document).map_err(|error| NodeError::Unknown(error.to_string()))?;
        input.push(b'\n');
        input.extend_from_slice(&data);
        let program = Program {
            argv: self.launcher.runner.verb_argv("files"),
            cwd: top,
            env: BTreeMap::new(),
            stdio: Stdio::Pipes,
            policy,
            limits: SessionLimits { head: ByteCap::mebibytes(2), tail: ByteCap::mebibytes(4), ..SessionLimits::default() },
        };
        Ok((program, Bytes::from(input)))
    }
}

/// How much of an answer was handed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whole {
    NotYet,
    /// Its last part was.
    Yes,
    /// Nobody wants more.
    Unwanted,
}

impl Whole {
    const fn after(self, part: &Part) -> Self {
        match part {
            Part::Report(FilesReport::Done(_) | FilesReport::Written(_) | FilesReport::Refused(_)) => Self::Yes,
            Part::Report(_) | Part::Data(_) => self,
        }
    }
}

fn part(frame: Frame) -> Result<Part, NodeError> {
    Ok(match frame {
        Frame::Data(bytes) => Part::Data(bytes),
        Frame::Report(json) => {
            let unknown =
                |error: serde_json::Error| NodeError::Unknown(format!("the program that serves files said nonsense: {error}"));
            Part::Report(serde_json::from_slice(&json).map_err(unknown)?)
        }
    })
}
