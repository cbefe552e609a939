//! The directory of one session, as the node sees it: made before the runner starts, removed when the session is forgotten.

use capstan_types::id::SessionId;
use capstan_types::launch::{EndRecord, SessionEnd};
use capstan_types::path::{AbsPath, PathError};
use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// The socket that the holder serves in it.
const SOCKET: &str = "control.sock";

/// The directory of one session.
#[derive(Debug, Clone)]
pub(crate) struct SessionDir {
    path: AbsPath,
}

/// A directory whose session has not started yet. Dropping it removes the directory, since no session came of it.
#[derive(Debug)]
pub(crate) struct NewDir {
    dir: Option<SessionDir>,
}

impl SessionDir {
    /// The directory of `session`, whether it is there or not.
    pub(crate) fn of(sessions: &Path, session: SessionId) -> Result<Self, PathError> {
        Ok(Self { path: AbsPath::new(sessions.join(session.to_string()))? })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        self.path.as_path()
    }

    /// The socket that the holder serves.
    pub(crate) fn socket(&self) -> PathBuf {
        socket_in(self.path.as_path())
    }

    /// How the session ended, if its holder lived to write it down.
    pub(crate) async fn end(&self) -> Option<SessionEnd> {
        let dir = self.clone();
        tokio::task::spawn_blocking(move || end_in(dir.path())).await.ok()?
    }

    /// Removes it and all that is in it. What cannot be removed is logged, and left to the next start of the node.
    pub(crate) async fn remove(&self) {
        if let Err(error) = tokio::fs::remove_dir_all(self.path.as_path()).await
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(dir = %self.path, %error, "a session's directory could not be removed; it is tried again at the next start");
        }
    }

    /// Removes it at once, for a keeper that is being dropped: a few files at most.
    pub(crate) fn remove_now(&self) {
        let _ = std::fs::remove_dir_all(self.path.as_path());
    }
}

/// The end that was written down in `dir`. Blocks for a small file.
pub(crate) fn end_in(dir: &Path) -> Option<SessionEnd> {
    record_in(dir).map(|record| record.end)
}

/// The record of the end that was written down in `dir`. Blocks for a small file.
pub(crate) fn record_in(dir: &Path) -> Option<EndRecord> {
    serde_json::from_slice(&std::fs::read(dir.join(EndRecord::FILE)).ok()?).ok()
}

/// The socket of the session that lives in `dir`.
pub(crate) fn socket_in(dir: &Path) -> PathBuf {
    dir.join(SOCKET)
}

impl NewDir {
    /// Makes the directory of `session`, which this user alone can enter.
    ///
    /// It blocks for one system call: handing it to another thread would take longer.
    pub(crate) fn make(sessions: &Path, session: SessionId) -> io::Result<Self> {
        let path = sessions.join(session.to_string());
        DirBuilder::new().mode(0o700).create(&path)?;
        let path = AbsPath::new(&path).map_err(|error: PathError| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        Ok(Self { dir: Some(SessionDir { path }) })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> Option<&AbsPath> {
        self.dir.as_ref().map(|dir| &dir.path)
    }

    /// Keeps it: a session lives in it now.
    pub(crate) fn keep(mut self) -> Option<SessionDir> {
        self.dir.take()
    }
}

impl Drop for NewDir {
    fn drop(&mut self) {
        if let Some(dir) = self.dir.take() {
            dir.remove_now();
        }
    }
}
