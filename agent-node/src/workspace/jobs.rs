//! The work that a workspace's actor does not do in its handler: patches, checkpoints, diffs, undoing, and a look at a directory.
//!
//! Each job is a task that the actor owns; its result comes back as a fact where the actor has to remember it, and goes straight to
//! whoever asked where not.

use crate::error::NodeError;
use crate::journal::{Entry, Journal};
use crate::node::capacity::Places;
use crate::node::load::gate::Gate;
use crate::session::launcher::Launcher;
use crate::workspace::checkpoint::patch::{Patch, Span as PatchSpan};
use crate::workspace::checkpoint::{Checkpoints, Ended, Force};
use crate::workspace::file_access::{FileAccess, Parts, Question};
use crate::workspace::files::Files;
use crate::workspace::git::{Git, ThreadGit};
use crate::workspace::made::MadeWorkspaces;
use crate::workspace::message::{CallKey, Reply, WorkspaceFact, WorkspaceFacts};
use crate::workspace::once::{Once, Turn};
use crate::workspace::open;
use crate::workspace::patch;
use crate::workspace::saved::SavedStates;
use crate::workspace::telling;
use capstan_types::checkpoint::{Changes, Undo};
use capstan_types::file_read::{FilesRead, ReadFiles};
use capstan_types::id::{NodeId, ThreadId};
use capstan_types::path::AbsPath;
use capstan_types::policy::SandboxPolicy;
use capstan_types::saved::{CompareWorkspaces, RestoreWorkspace, SaveWorkspace, WorkspaceRestored, WorkspaceSaved};
use capstan_types::session::{PatchCall, PatchReport, WorkspaceFacts as DirectoryFacts};
use capstan_types::source::MakeWorkspace;
use capstan_types::tree_document::Difference;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tracing::{Instrument, Span};

/// How many jobs of one workspace run or wait at once. Full: the next one is refused as busy.
const AT_ONCE: usize = 32;

/// How many questions about the files of one workspace are answered at once. Full: the next one is refused as busy.
const ANSWERING: usize = 32;

/// What a workspace's jobs need and leave behind.
#[derive(Debug)]
pub(crate) struct Jobs {
    node: NodeId,
    launcher: Arc<Launcher>,
    git: Git,
    files: Files,
    file_access: FileAccess,
    places: Places,
    gate: Gate,
    facts: WorkspaceFacts,
    thread: ThreadId,
    journal: Journal,
    patches: Once<PatchReport>,
    checkpoints: Checkpoints,
    saved: SavedStates,
    made: MadeWorkspaces,
    running: JoinSet<()>,
    /// Answers about files, some of which take as long as somebody watches: they keep no other job from running.
    answering: JoinSet<()>,
}

/// What all workspaces of a node share.
#[derive(Debug, Clone)]
pub(crate) struct Shared {
    pub(crate) node: NodeId,
    pub(crate) launcher: Arc<Launcher>,
    pub(crate) git: Git,
    pub(crate) files: Files,
    pub(crate) file_access: FileAccess,
    pub(crate) places: Places,
    /// Whether the host has room for a start.
    pub(crate) gate: Gate,
    pub(crate) journal: Journal,
    /// Looks at sessions of earlier lives that may go on at once.
    pub(crate) turns: Arc<Semaphore>,
    /// What the node itself needs files for, and forgets with its end.
    pub(crate) scratch: PathBuf,
    /// Below it each thread has a directory for the states of its workspace.
    pub(crate) checkpoints: PathBuf,
    /// Checkpoints that travel.
    pub(crate) saved: SavedStates,
    /// Workspaces that the node makes.
    pub(crate) made: MadeWorkspaces,
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
            checkpoints: Checkpoints::at(shared.checkpoints.join(thread.to_string())),
            saved: shared.saved,
            made: shared.made,
            node: shared.node,
            launcher: shared.launcher,
            git: shared.git,
            files: shared.files,
            file_access: shared.file_access,
            places: shared.places,
            gate: shared.gate,
            thread,
            journal: shared.journal,
            facts,
            patches: Once::new(),
            running: JoinSet::new(),
            answering: JoinSet::new(),
        }
    }

    pub(crate) fn open(&mut self, cwd: AbsPath, reply: Reply<DirectoryFacts>) {
        if let Some(reply) = self.room(reply) {
            let (node, launcher, gate) = (self.node.clone(), Arc::clone(&self.launcher), self.gate.clone());
            let thread = self.thread;
            // On a thread for blocking work: a network file system may keep it waiting.
            self.running.spawn_blocking(move || {
                let allowed = launcher.own.keep_out(thread, &cwd, &SandboxPolicy::read_only()).map_err(NodeError::Refused);
                let facts = allowed.and_then(|()| open::facts(&cwd, node, &launcher));
                if let Ok(facts) = &facts {
                    gate.expect_starts_in(&facts.root);
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

    pub(crate) fn checkpoint(&mut self, (cwd, policy): (AbsPath, SandboxPolicy), turn: String, span: Span, reply: Reply<()>) {
        let (launcher, thread) = (Arc::clone(&self.launcher), self.thread);
        self.spawn(policy.clone(), span, reply, move |git, checkpoints| async move {
            launcher.own.keep_out(thread, &cwd, &policy).map_err(NodeError::Refused)?;
            checkpoints.begin(&git, cwd, turn).await
        });
    }

    pub(crate) fn diff(
        &mut self,
        turn: String,
        (policy, max_bytes, ended): (SandboxPolicy, usize, Ended),
        span: Span,
        reply: Reply<Changes>,
    ) {
        self.spawn(
            policy,
            span,
            reply,
            |git, checkpoints| async move { checkpoints.changes(&git, &turn, max_bytes, ended).await },
        );
    }

    pub(crate) fn patch(&mut self, what: PatchSpan, policy: SandboxPolicy, span: Span, reply: Reply<Patch>) {
        self.spawn(policy, span, reply, |git, checkpoints| async move { checkpoints.patch(&git, &what).await });
    }

    pub(crate) fn undo(&mut self, turn: String, (policy, force): (SandboxPolicy, Force), span: Span, reply: Reply<Undo>) {
        self.spawn(policy, span, reply, |git, checkpoints| async move { checkpoints.undo(&git, &turn, force).await });
    }

    pub(crate) fn forget(&mut self, span: Span, reply: Reply<()>) {
        let Some(reply) = self.room(reply) else { return };
        let (checkpoints, saved, thread) = (self.checkpoints.clone(), self.saved.clone(), self.thread);
        let forget = async move {
            let (turns, saved) = (checkpoints.forget().await, saved.forget(thread).await);
            drop(reply.send(turns.and(saved)));
        };
        self.running.spawn(forget.instrument(span));
    }

    pub(crate) fn save(&mut self, save: SaveWorkspace, span: Span, reply: Reply<WorkspaceSaved>) {
        let Some(reply) = self.room(reply) else { return };
        let (saved, launcher, thread) = (self.saved.clone(), Arc::clone(&self.launcher), self.thread);
        let job = async move {
            launcher.own.keep_out(thread, &save.cwd, &save.policy).map_err(NodeError::Refused)?;
            saved.save(save).await
        };
        self.running.spawn(async move { drop(reply.send(job.await)) }.instrument(span));
    }

    pub(crate) fn restore(&mut self, restore: RestoreWorkspace, span: Span, reply: Reply<WorkspaceRestored>) {
        let Some(reply) = self.room(reply) else { return };
        let (saved, launcher, thread) = (self.saved.clone(), Arc::clone(&self.launcher), self.thread);
        let job = async move {
            launcher.own.keep_out(thread, &restore.cwd, &restore.policy).map_err(NodeError::Refused)?;
            saved.restore(restore).await
        };
        self.running.spawn(async move { drop(reply.send(job.await)) }.instrument(span));
    }

    pub(crate) fn compare(&mut self, compare: CompareWorkspaces, span: Span, reply: Reply<Vec<Difference>>) {
        let Some(reply) = self.room(reply) else { return };
        let saved = self.saved.clone();
        self.running.spawn(async move { drop(reply.send(saved.compare(compare).await)) }.instrument(span));
    }

    pub(crate) fn states(&self) -> SavedStates {
        self.saved.clone()
    }

    /// Makes the workspace, and answers at once with where that is told.
    pub(crate) fn make(&mut self, make: MakeWorkspace, span: Span, reply: Reply<telling::Events>) {
        let Some(reply) = self.room(reply) else { return };
        let ((teller, events), made) = (telling::channel(), self.made.clone());
        let _ = reply.send(Ok(events));
        self.running.spawn(async move { made.make(make, teller).await }.instrument(span));
    }

    fn spawn<T: Send + 'static, F: Future<Output = Result<T, NodeError>> + Send + 'static>(
        &mut self,
        policy: SandboxPolicy,
        span: Span,
        reply: Reply<T>,
        work: impl FnOnce(ThreadGit, Checkpoints) -> F,
    ) {
        let Some(reply) = self.room(reply) else { return };
        let done = work(self.git.under(policy), self.checkpoints.clone());
        self.running.spawn(async move { drop(reply.send(done.await)) }.instrument(span));
    }

    /// Reads files. It changes nothing, so it is done as often as it is asked for.
    pub(crate) fn read_files(&mut self, read: ReadFiles, span: Span, reply: Reply<FilesRead>) {
        let Some(reply) = self.room(reply) else { return };
        let files = self.files.clone();
        let job = async move { drop(reply.send(files.read(read).await)) };
        self.running.spawn(job.instrument(span));
    }

    /// Answers a question about files.
    pub(crate) fn files(&mut self, question: Question, span: Span, reply: Reply<Parts>) {
        while self.answering.try_join_next().is_some() {}
        if self.answering.len() >= ANSWERING {
            return drop(reply.send(Err(NodeError::busy("the workspace"))));
        }
        let (parts, work) = self.file_access.answer(question);
        if reply.send(Ok(parts)).is_ok() {
            self.answering.spawn(work.instrument(span));
        }
    }

    /// Whether nothing is being done. Checkpoints do not count: they lie in files.
    pub(crate) fn is_quiet(&mut self) -> bool {
        while self.running.try_join_next().is_some() {}
        while self.answering.try_join_next().is_some() {}
        self.running.is_empty() && self.answering.is_empty()
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
