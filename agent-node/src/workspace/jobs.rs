//! The work that a workspace's actor does not do in its handler: patches, snapshots, diffs, and a look at a directory.
//!
//! Each job is a task that the actor owns; its result comes back as a fact where the actor has to remember it, and goes straight to
//! whoever asked where not.

use crate::error::NodeError;
use crate::journal::{Entry, Journal};
use crate::node::capacity::Places;
use crate::node::load::gate::Gate;
use crate::session::launcher::Launcher;
use crate::workspace::files::Files;
use crate::workspace::git::Git;
use crate::workspace::message::{CallKey, Reply, WorkspaceFact, WorkspaceFacts};
use crate::workspace::once::{Once, Turn};
use crate::workspace::open;
use crate::workspace::patch;
use crate::workspace::snapshot::Diff;
use crate::workspace::snapshot::{KEPT, Snapshot};
use capstan_types::file_read::{FilesRead, ReadFiles};
use capstan_types::id::{NodeId, ThreadId};
use capstan_types::path::AbsPath;
use capstan_types::session::{PatchCall, PatchReport, WorkspaceFacts as DirectoryFacts};
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tracing::{Instrument, Span};

/// How many jobs of one workspace run or wait at once. Full: the next one is refused as busy.
const AT_ONCE: usize = 32;

/// What a workspace's jobs need and leave behind.
#[derive(Debug)]
pub(crate) struct Jobs {
    node: NodeId,
    launcher: Arc<Launcher>,
    git: Git,
    files: Files,
    places: Places,
    facts: WorkspaceFacts,
    scratches: PathBuf,
    thread: ThreadId,
    journal: Journal,
    patches: Once<PatchReport>,
    /// Newest last.
    snapshots: VecDeque<Snapshot>,
    running: JoinSet<()>,
}

/// What all workspaces of a node share.
#[derive(Debug, Clone)]
pub(crate) struct Shared {
    pub(crate) node: NodeId,
    pub(crate) launcher: Arc<Launcher>,
    pub(crate) git: Git,
    pub(crate) files: Files,
    pub(crate) places: Places,
    /// Whether the host has room for a start.
    pub(crate) gate: Gate,
    pub(crate) journal: Journal,
    /// Looks at sessions of earlier lives that may go on at once.
    pub(crate) turns: Arc<Semaphore>,
    /// Below it each thread has a scratch directory.
    pub(crate) scratch: PathBuf,
}

/// What another life says of a patch that this one has begun.
const CUT_OFF: &str = "an earlier life of the node began to apply the patch, and its report is lost; look at the files";

/// Applies a patch that the journal knows of before anything is changed.
async fn apply_once(
    launcher: &Launcher,
    journal: &Journal,
    thread: ThreadId,
    patch: PatchCall,
) -> Result<PatchReport, NodeError> {
    let (call, attempt) = (patch.call, patch.attempt);
    journal.keep(Entry::Over { thread, call, attempt, lost: Some(CUT_OFF.to_owned()) }).await?;
    let outcome = patch::apply(launcher, patch).await;
    if matches!(outcome, Ok(PatchReport::Refused { .. }) | Err(NodeError::Refused(_))) {
        journal.post(Entry::Unchanged { thread, call, attempt }).await;
    }
    outcome
}

impl Jobs {
    pub(crate) fn new(shared: Shared, thread: ThreadId, facts: WorkspaceFacts) -> Self {
        Self {
            scratches: shared.scratch.join(thread.to_string()),
            node: shared.node,
            launcher: shared.launcher,
            git: shared.git,
            files: shared.files,
            places: shared.places,
            thread,
            journal: shared.journal,
            facts,
            patches: Once::new(),
            snapshots: VecDeque::new(),
            running: JoinSet::new(),
        }
    }

    pub(crate) fn open(&mut self, cwd: AbsPath, reply: Reply<DirectoryFacts>) {
        if let Some(reply) = self.room(reply) {
            let (node, launcher) = (self.node.clone(), Arc::clone(&self.launcher));
            // On a thread for blocking work: a network file system may keep it waiting.
            self.running.spawn_blocking(move || {
                let writable = |place: &AbsPath| launcher.admission.lets_write(place);
                let (home, tmpdir) = (launcher.base_variable("HOME"), launcher.base_variable("TMPDIR"));
                let facts = open::look(&cwd, node, home, tmpdir, writable);
                if let Ok(facts) = &facts {
                    launcher.protected.look_at(&facts.root);
                }
                let _ = reply.send(facts);
            });
        }
    }

    /// Applies a patch, unless this try of the call has.
    pub(crate) fn apply_patch(&mut self, call: PatchCall, span: Span, reply: Reply<PatchReport>) {
        let Some(reply) = self.room(reply) else { return };
        let key = CallKey { call: call.call, attempt: call.attempt };
        match self.patches.ask(key, reply) {
            Turn::Answered => return,
            Turn::Begin => {}
        }
        if let Some(over) = self.journal.over(&(self.thread, key.call, key.attempt)) {
            return self.patches.finished(key, Err(over.into()));
        }
        match self.places.take() {
            Err(full) => self.patches.finished(key, Err(full)),
            Ok(place) => {
                let (launcher, facts) = (Arc::clone(&self.launcher), self.facts.clone());
                let (journal, thread) = (self.journal.clone(), self.thread);
                let job = async move {
                    let outcome = apply_once(&launcher, &journal, thread, call).await;
                    drop(place);
                    facts.tell(WorkspaceFact::Patched { key, outcome }).await;
                };
                self.running.spawn(job.instrument(span));
            }
        }
    }

    pub(crate) fn patched(&mut self, key: CallKey, outcome: Result<PatchReport, NodeError>) {
        self.patches.finished(key, outcome);
    }

    pub(crate) fn snapshot(&mut self, cwd: AbsPath, span: Span, reply: Reply<String>) {
        let Some(reply) = self.room(reply) else { return };
        let (git, scratches, facts) = (self.git.clone(), self.scratches.clone(), self.facts.clone());
        let job = async move {
            match Snapshot::take(&git, cwd, scratches).await {
                Ok(snapshot) => facts.tell(WorkspaceFact::Taken { snapshot, reply }).await,
                Err(error) => drop(reply.send(Err(error))),
            }
        };
        self.running.spawn(job.instrument(span));
    }

    /// Keeps a snapshot, and with it at most one older.
    pub(crate) fn taken(&mut self, snapshot: Snapshot, reply: Reply<String>) {
        let id = snapshot.id.clone();
        self.snapshots.push_back(snapshot);
        if self.snapshots.len() > KEPT
            && let Some(oldest) = self.snapshots.pop_front()
        {
            // Its files go with it, which may take a while.
            self.running.spawn_blocking(move || drop(oldest));
        }
        let _ = reply.send(Ok(id));
    }

    /// Reads files. It changes nothing, so it is done as often as it is asked for.
    pub(crate) fn read_files(&mut self, read: ReadFiles, span: Span, reply: Reply<FilesRead>) {
        let Some(reply) = self.room(reply) else { return };
        let files = self.files.clone();
        let job = async move { drop(reply.send(files.read(read).await)) };
        self.running.spawn(job.instrument(span));
    }

    pub(crate) fn diff(&mut self, cwd: AbsPath, snapshot: String, max_bytes: usize, span: Span, reply: Reply<Diff>) {
        let Some(reply) = self.room(reply) else { return };
        let Some(snapshot) = self.snapshots.iter().find(|kept| kept.id == snapshot).cloned() else {
            let _ = reply.send(Err(NodeError::NoSnapshot(snapshot)));
            return;
        };
        let git = self.git.clone();
        let job = async move { drop(reply.send(snapshot.diff(&git, &cwd, max_bytes).await)) };
        self.running.spawn(job.instrument(span));
    }

    /// Whether nothing is being done. Snapshots do not count: they are remade when they are missed.
    pub(crate) fn is_quiet(&mut self) -> bool {
        while self.running.try_join_next().is_some() {}
        self.running.is_empty()
    }

    /// The reply port back if there is room for a job, else it has been answered.
    fn room<T: Send + 'static>(&mut self, reply: Reply<T>) -> Option<Reply<T>> {
        while self.running.try_join_next().is_some() {}
        if self.running.len() < AT_ONCE {
            return Some(reply);
        }
        let _ = reply.send(Err(NodeError::busy("the workspace")));
        None
    }
}
