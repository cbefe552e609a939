//! Has the workspace of a new thread made of its source, where the thread is placed, and says meanwhile how far that is.

use super::located::Located;
use crate::checkpoints::shelf::Shelf;
use crate::git_credentials::GitCredentials;
use capstan_types::id::ThreadId;
use capstan_types::path::AbsPath;
use capstan_types::session::WorkspaceFacts;
use capstan_types::source::{MakeProgress, SavedSource, WorkspaceSource};
use capstan_types::thread::ThreadRecord;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tonic::Status;

/// What is done now for the threads whose workspaces are made. Clones are the same one.
#[derive(Debug, Clone, Default)]
pub struct Making {
    now: Arc<Mutex<HashMap<ThreadId, String>>>,
    credentials: GitCredentials,
}

/// Says how far one of them is, until it is dropped.
#[derive(Debug)]
struct Progress {
    making: Making,
    thread: ThreadId,
}

impl Making {
    /// Where nodes are told these credentials.
    pub(crate) fn with(credentials: GitCredentials) -> Self {
        Self { credentials, ..Self::default() }
    }

    /// What is done now for a thread, in words.
    #[must_use]
    pub fn of(&self, thread: ThreadId) -> Option<String> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner).get(&thread).cloned()
    }

    fn begin(&self, thread: ThreadId) -> Progress {
        Progress { making: self.clone(), thread }
    }

    /// The workspace of a new thread: made of `source`, or the directory in it that the thread's settings name.
    ///
    /// # Errors
    /// There is no workspace; the text is for the user, and the code says whether to ask again.
    pub(super) async fn workspace(
        &self,
        located: &Located,
        record: &ThreadRecord,
        source: &WorkspaceSource,
        shelf: Option<&Shelf>,
    ) -> Result<WorkspaceFacts, Status> {
        let progress = self.begin(record.id);
        if let (WorkspaceSource::Saved(saved), Some(shelf)) = (source, shelf) {
            progress.say(format!("carrying checkpoint {} to the node", saved.name));
            carry(located, saved, shelf).await?;
        }
        let told = |made: MakeProgress| {
            let percent = made.percent.map(|percent| format!(" ({percent} %)")).unwrap_or_default();
            progress.say(format!("{}{percent}", made.said));
        };
        let credentials = self.credentials.of(source).map_err(|error| Status::failed_precondition(error.to_string()))?;
        let made = located.host.make_workspace(source.clone(), None, None, credentials, told).await?;
        match below(&made.facts.root, &record.settings.cwd) {
            Some(directory) => located.host.open_workspace(&directory).await,
            None => Ok(made.facts),
        }
    }
}

/// Has the node have a checkpoint. One that is not in the coordinator's store may be on the node.
async fn carry(located: &Located, saved: &SavedSource, shelf: &Shelf) -> Result<(), Status> {
    let found = shelf.record(saved.thread, &saved.name).await.map_err(|error| Status::failed_precondition(error.to_string()))?;
    match found {
        Some(record) => shelf.hand(&located.host, &record).await.map_err(Status::from),
        None => Ok(()),
    }
}

/// The directory in a made one that `asked` names; none if it names the whole.
fn below(made: &AbsPath, asked: &AbsPath) -> Option<AbsPath> {
    let rest = asked.as_str().trim_start_matches('/');
    if rest.is_empty() { None } else { made.join(rest).ok() }
}

impl Progress {
    fn say(&self, said: String) {
        self.making.now.lock().unwrap_or_else(PoisonError::into_inner).insert(self.thread, said);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.making.now.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.thread);
    }
}
