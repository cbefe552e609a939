//! Reads small files of a workspace for a coordinator: by a program inside the sandbox of the thread's sessions, since the node opens no file
//! of a workspace. Only their names are looked at here, so that files which do not exist or did not change cost no launch.

use crate::error::NodeError;
use crate::session::launcher::{Launcher, Program};
use crate::session::run::{self, RunError};
use crate::workspace::stamp::{Stamp, stamp};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use capstan_types::file_read::{FileRead, FilesRead, MOST_BYTES, ReadFiles};
use capstan_types::launch::{SessionEnd, Stdio};
use capstan_types::limits::{ByteCap, SessionLimits};
use capstan_types::policy::{SandboxMode, SandboxPolicy};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// How long the files may take. They are few and small; a network file system may be slow.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

/// How many requests read at once on a node. Full: the next one waits its turn.
const AT_ONCE: usize = 4;

/// What the lines of the answer may take: the bytes in base64, and some words for each path.
const MAX_ANSWER: usize = 12 << 20;

/// Reads files. Clones share the bound on how many do.
#[derive(Debug, Clone)]
pub(crate) struct Files {
    launcher: Arc<Launcher>,
    turns: Arc<Semaphore>,
}

impl Files {
    pub(crate) fn new(launcher: Arc<Launcher>) -> Self {
        Self { launcher, turns: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// Reads them, unless they are as they were seen.
    pub(crate) async fn read(&self, read: ReadFiles) -> Result<FilesRead, NodeError> {
        let paths = read.paths.clone();
        let unknown = |error: tokio::task::JoinError| NodeError::Unknown(error.to_string());
        // On a thread for blocking work: a network file system may keep it waiting.
        let Stamp { text: stamp, none } = tokio::task::spawn_blocking(move || stamp(&paths)).await.map_err(unknown)?;
        if read.seen.as_ref() == Some(&stamp) {
            return Ok(FilesRead::Unchanged);
        }
        let files = if none { vec![FileRead::Missing; read.paths.len()] } else { self.open(read).await? };
        Ok(FilesRead::Now { stamp: Some(stamp), files })
    }

    async fn open(&self, read: ReadFiles) -> Result<Vec<FileRead>, NodeError> {
        let _turn = self.turns.acquire().await.map_err(|error| NodeError::Unknown(error.to_string()))?;
        let count = read.paths.len();
        let program = self.program(read)?;
        match run::to_end(&self.launcher, program, Bytes::new(), MAX_ANSWER, DEADLINE).await {
            Ok(outcome) if outcome.end == (SessionEnd::Exited { code: 0 }) => answers(&outcome.output, count),
            Ok(outcome) => {
                Err(NodeError::Unknown(format!("the files could not be read: the program ended with {:?}", outcome.end)))
            }
            Err(RunError::Refused(refusal)) => Err(NodeError::Refused(refusal)),
            Err(RunError::Unknown(reason)) => Err(NodeError::Unknown(reason)),
        }
    }

    fn program(&self, read: ReadFiles) -> Result<Program, NodeError> {
        self.launcher.own.keep_out(read.authority.thread, &read.cwd, &read.policy).map_err(NodeError::Refused)?;
        let policy = self.launcher.admission.admit(reading(read.policy)).map_err(NodeError::Refused)?;
        let script = ["/bin/sh", "-c", include_str!("read.sh"), "read"].map(str::to_owned);
        let root = read.root.map(String::from).filter(|root| root != "/").unwrap_or_default();
        let variables = [("ROOT", root), ("MAX", read.max_bytes.to_string()), ("TOTAL", MOST_BYTES.to_string())];
        let variables = variables.into_iter().map(|(name, value)| (format!("CAPSTAN_{name}"), value));
        Ok(Program {
            argv: script.into_iter().chain(read.paths.into_iter().map(String::from)).collect(),
            cwd: read.cwd,
            env: variables.chain([("LC_ALL".to_owned(), "C".to_owned())]).collect(),
            stdio: Stdio::PipesNoInput,
            policy,
            limits: SessionLimits { head: ByteCap::mebibytes(16), ..SessionLimits::default() },
        })
    }
}

/// What a thread's sessions may read, and nothing to be written.
pub(crate) fn reading(policy: SandboxPolicy) -> SandboxPolicy {
    if policy.mode == SandboxMode::DangerFullAccess {
        return policy;
    }
    let readable = policy.readable.into_iter().chain(policy.writable).collect();
    SandboxPolicy { mode: SandboxMode::ReadOnly, readable, writable: Vec::new(), ..policy }
}

fn answers(output: &[u8], count: usize) -> Result<Vec<FileRead>, NodeError> {
    let lines = output.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let files: Option<Vec<FileRead>> = lines.map(answer).collect();
    files
        .filter(|files| files.len() == count)
        .ok_or_else(|| NodeError::Unknown("the program that reads files was cut off".to_owned()))
}

fn answer(line: &[u8]) -> Option<FileRead> {
    let refused = |reason: &str| Some(FileRead::Refused { reason: reason.to_owned() });
    let line = std::str::from_utf8(line).ok()?;
    match line {
        "missing" => Some(FileRead::Missing),
        "outside" => refused("is a link that leads out of the workspace"),
        "dangling" => refused("is a link that leads nowhere"),
        "other" => refused("is not a regular file"),
        "closed" => refused("may not be read"),
        _ => {
            let (size, data) = line.strip_prefix("content ")?.split_once(' ')?;
            Some(FileRead::Content { bytes: STANDARD.decode(data).ok()?, size: size.parse().ok()? })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_whole_or_none() {
        let content = |bytes: &[u8]| FileRead::Content { bytes: bytes.to_vec(), size: 9 };
        let read = answers(b"missing\ncontent 9 YQpi\ncontent 9 \nother\n", 4).unwrap();
        let other = FileRead::Refused { reason: "is not a regular file".into() };
        assert_eq!(read, [FileRead::Missing, content(b"a\nb"), content(b""), other]);
        for cut in ["missing\n", "missing\ncontent 9 YQp", "missing\nnonsense\n"] {
            assert!(answers(cut.as_bytes(), 2).is_err(), "{cut}");
        }
    }

    #[test]
    fn what_reads_may_not_write() {
        let path = |text: &str| capstan_types::path::AbsPath::new(text).unwrap();
        let policy = SandboxPolicy { hidden: vec![path("/w/.env")], ..SandboxPolicy::workspace_write(vec![path("/w")]) };
        let read = reading(policy);
        assert_eq!((read.mode, read.writable.len(), read.readable), (SandboxMode::ReadOnly, 0, vec![path("/w")]));
        assert_eq!(read.hidden, [path("/w/.env")]);
        assert_eq!(reading(SandboxPolicy::full_access()), SandboxPolicy::full_access());
    }
}
