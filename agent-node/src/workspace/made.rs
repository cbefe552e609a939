//! Workspaces that the node makes of their sources, in directories of its own.
//!
//! Each thread has at most one here: `THREAD/tree` is the workspace, and `THREAD/workspace.json` says what it is. It is made aside and renamed when
//! it is whole, so that one without a record is never met: what was cut off lies among the scratch files, which the node's next life removes.

mod record;

pub(crate) use record::Record;

use crate::error::NodeError;
use crate::session::launcher::Launcher;
use crate::workspace::checkout::{CheckedOut, Checkouts, overlay};
use crate::workspace::flight::Flights;
use crate::workspace::layers::{Layers, TREE};
use crate::workspace::mirror::{Aside, Asker, no_room};
use crate::workspace::open;
use crate::workspace::saved::SavedStates;
use crate::workspace::telling::Teller;
use capstan_types::id::{NodeId, SessionId, ThreadId};
use capstan_types::path::AbsPath;
use capstan_types::policy::SandboxPolicy;
use capstan_types::session::WorkspaceFacts;
use capstan_types::source::{MakeWorkspace, SavedSource, WorkspaceMade, WorkspaceSource};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The made workspaces of a node. Clones are the same ones.
#[derive(Debug, Clone)]
pub(crate) struct MadeWorkspaces {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    node: NodeId,
    /// Where they lie.
    dir: AbsPath,
    /// Where they are made: on the same file system, and emptied when the node starts.
    aside: PathBuf,
    launcher: Arc<Launcher>,
    checkouts: Checkouts,
    saved: SavedStates,
    threads: Flights<ThreadId>,
}

/// What a source has become, in the directory where a workspace is made.
#[derive(Debug)]
struct Filled {
    how: String,
    revision: Option<String>,
    fetched_bytes: u64,
    reused_mirror: bool,
    /// What its layer lies over.
    base: Option<PathBuf>,
}

impl Filled {
    /// Without a repository.
    fn plain(how: &str) -> Self {
        Self { how: how.to_owned(), revision: None, fetched_bytes: 0, reused_mirror: false, base: None }
    }
}

impl MadeWorkspaces {
    /// Those that lie in `dir`, which is there, and are made in `aside`.
    pub(crate) fn new(
        node: NodeId,
        dir: AbsPath,
        aside: PathBuf,
        launcher: Arc<Launcher>,
        checkouts: Checkouts,
        saved: SavedStates,
    ) -> Self {
        Self { inner: Arc::new(Inner { node, dir, aside, launcher, checkouts, saved, threads: Flights::default() }) }
    }

    /// Mounts what an earlier life of the node or of the host had mounted. It blocks for a few file operations.
    pub(crate) fn revive(&self) {
        for thread in self.threads() {
            if let Err(error) = self.layers().revive(thread) {
                tracing::warn!(%thread, %error, "the workspace of a thread is not there");
            }
        }
    }

    /// Takes those mounts away that nobody else works in, for a node that stops and has no sessions left. It blocks for a few file operations.
    pub(crate) fn rest(&self) {
        self.layers().rest();
    }

    fn layers(&self) -> &Layers {
        &self.inner.launcher.layers
    }

    /// Takes the workspace of a thread away, whatever is in it; without one it has no effect. It blocks for as long as that takes. Whoever asks has
    /// seen to it that no session works there, and that none is made meanwhile.
    pub(crate) fn take_away(&self, thread: ThreadId) -> io::Result<()> {
        let place = self.directory(thread);
        if !place.exists() {
            return Ok(());
        }
        overlay::take_down(&place)?;
        self.layers().forget(thread);
        // Away at once: what is cut off here is among the scratch files.
        let gone = Aside::make(&self.inner.aside)?;
        std::fs::rename(&place, gone.0.join("gone"))
    }

    /// Forgets mirrors and prepared checkouts that were not used for long, and that no workspace lies over. It blocks for as long as that takes.
    pub(crate) fn sweep(&self) {
        let records: Result<Vec<_>, _> = self.threads().into_iter().map(|thread| self.record(thread)).collect();
        // Of one that cannot be read it is not known what it lies over.
        let Ok(records) = records else { return };
        let in_use = records.into_iter().flatten().filter_map(|record| record.base).collect();
        self.inner.checkouts.sweep(&in_use);
    }

    /// The threads that have a workspace here.
    pub(crate) fn threads(&self) -> Vec<ThreadId> {
        let entries = std::fs::read_dir(self.inner.dir.as_path()).into_iter().flatten().flatten();
        entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
    }

    /// The names of all that lies among the workspaces.
    pub(crate) fn strays(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.inner.dir.as_path()).into_iter().flatten().flatten();
        entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
    }

    /// Where they lie.
    pub(crate) fn place(&self) -> &Path {
        self.inner.dir.as_path()
    }

    /// When the workspace of a thread was asked for last, in milliseconds since 1970.
    pub(crate) fn used_at_ms(&self, thread: ThreadId) -> Option<u64> {
        let changed = std::fs::metadata(self.directory(thread).join(record::NAME)).and_then(|found| found.modified()).ok()?;
        u64::try_from(changed.duration_since(std::time::UNIX_EPOCH).ok()?.as_millis()).ok()
    }

    /// Removes what is called `name` here, with what is mounted in it. It is out of its place at once; what a death in the middle leaves
    /// goes with the scratch files. An error is the rest of a sentence. It blocks for as long as there are files to be removed.
    pub(crate) fn put_away(&self, name: &str) -> Result<(), String> {
        let place = self.inner.dir.as_path().join(name);
        overlay::take_down(&place).map_err(|error| format!("its layer cannot be unmounted: {error}"))?;
        let going = self.inner.aside.join(format!("going-{}", SessionId::generate()));
        std::fs::rename(&place, &going).map_err(|error| format!("it cannot be moved away: {error}"))?;
        if let Ok(thread) = name.parse() {
            self.layers().forget(thread);
        }
        let removed = if going.is_dir() { std::fs::remove_dir_all(&going) } else { std::fs::remove_file(&going) };
        removed.map_err(|error| format!("some of it could not be removed, and goes when the node starts anew: {error}"))
    }

    /// Has the workspace of a thread mounted, where it is a layer, and keeps it.
    async fn mounted(&self, thread: ThreadId) -> Result<(), NodeError> {
        let layers = self.layers().clone();
        let mounted = tokio::task::spawn_blocking(move || layers.ready(thread)).await;
        mounted.map_err(|error| NodeError::Unknown(error.to_string()))?.map_err(NodeError::NoSource)
    }

    /// Makes the workspace of a thread, unless it is there, and tells of it. While somebody else makes it, it is waited for.
    pub(crate) async fn make(&self, make: MakeWorkspace, mut teller: Teller) {
        let made = self.made(&make, &mut teller).await;
        teller.end(made).await;
    }

    async fn made(&self, make: &MakeWorkspace, teller: &mut Teller) -> Result<WorkspaceMade, NodeError> {
        let thread = make.authority.thread;
        let flight = self.inner.threads.of(thread);
        let _held = flight.hold(teller).await;
        teller.told_to(flight.telling());
        let record = match self.record(thread)? {
            Some(record) if record.source == make.source => record,
            Some(record) => return Err(NodeError::OtherSource { is: record.source.to_string(), asked: make.source.to_string() }),
            None => self.begin(make, teller).await?,
        };
        // How long it was not used is seen by this.
        let _ = std::fs::File::options()
            .append(true)
            .open(self.directory(thread).join(record::NAME))
            .and_then(|file| file.set_modified(std::time::SystemTime::now()));
        self.mounted(thread).await?;
        let facts = self.facts(self.tree(thread)?).await?;
        let Record { how, revision, fetched_bytes, reused_mirror, .. } = record;
        Ok(WorkspaceMade { facts, how, revision, fetched_bytes, reused_mirror })
    }

    /// The record of a thread's workspace; none when it has none here.
    pub(crate) fn record(&self, thread: ThreadId) -> Result<Option<Record>, NodeError> {
        Record::read(&self.directory(thread))
            .map_err(|reason| NodeError::NoSource(format!("the workspace of thread {thread} {reason}")))
    }

    /// The directory of a thread: its workspace's tree, and what the node notes of it.
    pub(crate) fn directory(&self, thread: ThreadId) -> PathBuf {
        self.inner.dir.as_path().join(thread.to_string())
    }

    fn tree(&self, thread: ThreadId) -> Result<AbsPath, NodeError> {
        AbsPath::new(self.directory(thread).join(TREE)).map_err(|error| NodeError::Unknown(error.to_string()))
    }

    async fn begin(&self, make: &MakeWorkspace, teller: &mut Teller) -> Result<Record, NodeError> {
        let thread = make.authority.thread;
        let aside = Aside::make(&self.inner.aside).map_err(|error| no_room(&error))?;
        let tree = aside.0.join(TREE);
        std::fs::DirBuilder::new().mode(0o755).create(&tree).map_err(|error| no_room(&error))?;
        let filled = self.fill(make, &aside.0, teller).await?;
        let record = Record::new(make, filled);
        let place = self.directory(thread);
        let made = self.clone();
        let put = move || {
            // Without a record it is nothing.
            made.take_away(thread)?;
            if record.base.is_none() {
                // After a loss of power there would be a record, over files that are empty. What lies below a layer was synced when it was prepared.
                rustix::fs::syncfs(std::fs::File::open(&aside.0)?)?;
            }
            record.write(&aside.0)?;
            std::fs::File::open(&aside.0)?.sync_all()?;
            // A node that keeps nothing has emptied the directory above it.
            std::fs::DirBuilder::new().recursive(true).mode(0o700).create(place.parent().unwrap_or(&place))?;
            std::fs::rename(&aside.0, &place)?;
            std::fs::File::open(place.parent().unwrap_or(&place))?.sync_all()?;
            Ok(record)
        };
        let put = tokio::task::spawn_blocking(put).await.map_err(|error| NodeError::Unknown(error.to_string()))?;
        put.map_err(|error: io::Error| no_room(&error))
    }

    /// Brings the files of a source into the empty directory `tree` of `place`.
    async fn fill(&self, make: &MakeWorkspace, place: &Path, teller: &mut Teller) -> Result<Filled, NodeError> {
        match &make.source {
            WorkspaceSource::Empty => Ok(Filled::plain("empty")),
            WorkspaceSource::Git(git) => {
                let asker = Asker { policy: make.policy.as_ref(), credentials: &make.credentials };
                let CheckedOut { how, ready, base } = self.inner.checkouts.make(git, asker, place, teller).await?;
                let revision = Some(ready.found.commit);
                let (fetched_bytes, reused_mirror) = (ready.fetched_bytes, ready.reused);
                Ok(Filled { how: how.to_string(), revision, fetched_bytes, reused_mirror, base })
            }
            WorkspaceSource::Saved(source) => self.put_back(source, make.policy.as_ref(), &place.join(TREE), teller).await,
        }
    }

    /// Brings a checkpoint back, which is on this node, in its store for blobs, or was carried here.
    async fn put_back(
        &self,
        SavedSource { thread, name }: &SavedSource,
        policy: Option<&SandboxPolicy>,
        tree: &Path,
        teller: &mut Teller,
    ) -> Result<Filled, NodeError> {
        teller.say(format!("bringing back checkpoint {name}"), None);
        let tree = AbsPath::new(tree).map_err(|error| NodeError::Unknown(error.to_string()))?;
        let hidden = policy.map(|policy| policy.hidden.clone()).unwrap_or_default();
        match self.inner.saved.put_into(tree, (*thread, name), hidden).await {
            Ok(record) => Ok(Filled { fetched_bytes: record.bytes, ..Filled::plain("checkpoint") }),
            Err(NodeError::NoCheckpoint(_)) => Err(NodeError::NoSource(format!(
                "there is no checkpoint {name} of thread {thread} here; it was never finished, or its time was over"
            ))),
            Err(error) => Err(error),
        }
    }

    async fn facts(&self, tree: AbsPath) -> Result<WorkspaceFacts, NodeError> {
        let (node, launcher) = (self.inner.node.clone(), Arc::clone(&self.inner.launcher));
        let look = tokio::task::spawn_blocking(move || open::facts(&tree, node, &launcher));
        look.await.map_err(|error| NodeError::Unknown(error.to_string()))?
    }
}

#[cfg(test)]
mod tests;
