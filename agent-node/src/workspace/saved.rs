//! Checkpoints that travel. The runner's `tree` verb takes a workspace's state into packs, inside the sandbox; the node stores the packs
//! and a record that names them, beyond this host too where it is told to; and any node that reaches the same store brings the state back.
//!
//! A record is written after everything that it names. Whatever is cut off before that is not there, and is swept away.

pub(crate) mod incoming;
mod record;
mod sweep;
mod verb;

use crate::error::NodeError;
use crate::session::launcher::Launcher;
use bytes::Bytes;
use capstan_blobs::{BlobError, Blobs};
use capstan_types::id::{SessionId, ThreadId};
use capstan_types::path::AbsPath;
use capstan_types::policy::SandboxPolicy;
use capstan_types::saved::record::{CheckpointRecord, is_pack_name, pack_blob, record_blob};
use capstan_types::saved::{
    CheckpointName, CompareWorkspaces, RestoreWorkspace, SaveWorkspace, WorkspaceRestored, WorkspaceSaved,
};
use capstan_types::tree_document::{Bounds, Difference, Leave, StateTaken, TreeDocument};
use futures::{StreamExt, TryStreamExt};
use std::collections::HashMap;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How long a state may take to be taken or put back.
pub(crate) const DEADLINE: Duration = Duration::from_secs(600);
/// How many states are taken or put back at once on a node. Full: the next one waits its turn.
const AT_ONCE: usize = 4;
/// How many bring packs to a node, or take them away, at once. Full: the next one is told to try again.
const CARRIERS: usize = 8;
/// How many packs are fetched or sent at once for one state.
const PACKS_AT_ONCE: usize = 4;

/// The checkpoints of a node. Clones are the same ones.
#[derive(Debug, Clone)]
pub(crate) struct SavedStates {
    dir: AbsPath,
    beyond: Option<Blobs>,
    launcher: Arc<Launcher>,
    turns: Arc<Semaphore>,
    carriers: Arc<Semaphore>,
    /// Held while a state of the thread is taken or put back: two at once would see half of each other.
    threads: Arc<Mutex<HashMap<ThreadId, Weak<tokio::sync::Mutex<()>>>>>,
}

impl SavedStates {
    /// Those that lie in `dir`, which is there, and in `beyond`, if any.
    pub(crate) fn new(dir: AbsPath, beyond: Option<Blobs>, launcher: Arc<Launcher>) -> Self {
        Self {
            dir,
            beyond,
            launcher,
            turns: Arc::new(Semaphore::new(AT_ONCE)),
            carriers: Arc::new(Semaphore::new(CARRIERS)),
            threads: Arc::default(),
        }
    }

    /// Saves a workspace, unless there is a checkpoint of that name.
    pub(crate) async fn save(&self, save: SaveWorkspace) -> Result<WorkspaceSaved, NodeError> {
        let thread = save.authority.thread;
        let none = none_of(&save.cwd);
        let lock = self.of_thread(thread);
        let _thread = lock.lock().await;
        if let Some(record) = self.record(thread, &save.name).await.map_err(&none)? {
            return Ok(record.saved());
        }
        let _turn = self.turns.acquire().await.map_err(|error| NodeError::Unknown(error.to_string()))?;
        let scratch = Scratch::make(&self.dir).map_err(|error| none(error.to_string()))?;
        let document = TreeDocument::Take {
            top: save.cwd.clone(),
            store: self.packs().map_err(&none)?,
            out: scratch.0.clone(),
            seen: self.seen(thread, &save.cwd).map_err(&none)?,
            leave: Leave { ignored: !save.ignored, ..Leave::default() },
            bounds: Bounds::default(),
        };
        let taken = verb::take(&self.launcher, document, &save.policy).await.map_err(&none)?;
        self.keep(&taken, &scratch).map_err(|error| none(error.to_string()))?;
        let record = CheckpointRecord::new(thread, save.name.clone(), save.cwd.clone(), save.ignored, taken);
        self.write(&record).await.map_err(&none)?;
        Ok(record.saved())
    }

    /// Brings a checkpoint back.
    pub(crate) async fn restore(&self, restore: RestoreWorkspace) -> Result<WorkspaceRestored, NodeError> {
        let thread = restore.authority.thread;
        let none = none_of(&restore.cwd);
        let lock = self.of_thread(thread);
        let _thread = lock.lock().await;
        let record = self.record(restore.of.unwrap_or(thread), &restore.name).await.map_err(&none)?;
        let record = record.ok_or_else(|| NodeError::NoCheckpoint(restore.name.to_string()))?;
        self.fetch(&record).await.map_err(&none)?;
        // What it names is needed for the next one, and so not swept away.
        record::write(self.dir.as_path(), &record).map_err(|error| none(error.to_string()))?;
        let _turn = self.turns.acquire().await.map_err(|error| NodeError::Unknown(error.to_string()))?;
        let document = TreeDocument::Put {
            top: restore.cwd.clone(),
            store: self.packs().map_err(&none)?,
            seen: self.seen(thread, &restore.cwd).map_err(&none)?,
            leave: Leave { ignored: !record.ignored, ..Leave::default() },
            state: record.state.clone(),
        };
        verb::put(&self.launcher, document, &restore.policy).await
    }

    /// A place among those who carry packs, until it is dropped.
    pub(crate) fn carrier(&self) -> Result<OwnedSemaphorePermit, NodeError> {
        Arc::clone(&self.carriers).try_acquire_owned().map_err(|_| NodeError::busy("the carrying of packs"))
    }

    /// Which packs of a checkpoint are neither here nor beyond.
    pub(crate) async fn lacks(&self, record: &CheckpointRecord) -> Result<Vec<String>, NodeError> {
        let mut missing: Vec<String> = record.packs.iter().filter(|pack| !self.pack(pack).exists()).cloned().collect();
        let Some(beyond) = &self.beyond else { return Ok(missing) };
        let mut lacking = Vec::new();
        for pack in missing.drain(..) {
            let there = beyond.has(&pack_blob(&pack)).await.map_err(|error| none_of(&record.cwd)(error.to_string()))?;
            lacking.extend((!there).then_some(pack));
        }
        Ok(lacking)
    }

    /// Where packs of a checkpoint lie on this node. All of them are its own.
    pub(crate) fn packs_of(&self, thread: ThreadId, name: &CheckpointName, packs: &[String]) -> Result<Vec<PathBuf>, NodeError> {
        let record = record::read(self.dir.as_path(), thread, name).ok_or_else(|| NodeError::NoCheckpoint(name.to_string()))?;
        match packs.iter().all(|pack| record.packs.contains(pack)) {
            true => Ok(packs.iter().map(|pack| self.pack(pack)).collect()),
            false => Err(NodeError::NoCheckpoint(format!("{name} with such a pack"))),
        }
    }

    /// Takes note of a checkpoint that was carried here. An error names what it lacks.
    pub(crate) async fn note(&self, record: &CheckpointRecord) -> Result<(), NodeError> {
        let none = none_of(&record.cwd);
        match self.lacks(record).await? {
            lacking if lacking.is_empty() => record::write(self.dir.as_path(), record).map_err(|error| none(error.to_string())),
            lacking => Err(none(format!("{} of its packs have not come", lacking.len()))),
        }
    }

    /// Puts a checkpoint, which may be another thread's, into an empty directory of the node's own.
    pub(crate) async fn put_into(
        &self,
        tree: AbsPath,
        (thread, name): (ThreadId, &CheckpointName),
        hidden: Vec<AbsPath>,
    ) -> Result<CheckpointRecord, NodeError> {
        let none = none_of(&tree);
        let record = self.record(thread, name).await.map_err(&none)?;
        let record = record.ok_or_else(|| NodeError::NoCheckpoint(name.to_string()))?;
        self.fetch(&record).await.map_err(&none)?;
        // What it names is needed for the next one, and so not swept away.
        record::write(self.dir.as_path(), &record).map_err(|error| none(error.to_string()))?;
        let _turn = self.turns.acquire().await.map_err(|error| NodeError::Unknown(error.to_string()))?;
        let document = TreeDocument::Put {
            top: tree.clone(),
            store: self.packs().map_err(&none)?,
            seen: self.seen(thread, &tree).map_err(&none)?,
            leave: Leave::default(),
            state: record.state.clone(),
        };
        let policy = SandboxPolicy { hidden, ..SandboxPolicy::workspace_write(vec![tree.clone()]) };
        let put = verb::put(&self.launcher, document, &policy).await?;
        match put.skipped.named.first() {
            None => Ok(record),
            Some((path, reason)) => Err(NodeError::Unknown(format!("`{path}` of checkpoint {name} cannot be made: {reason}"))),
        }
    }

    /// What differs between two checkpoints.
    pub(crate) async fn compare(&self, compare: CompareWorkspaces) -> Result<Vec<Difference>, NodeError> {
        let CompareWorkspaces { before, after, most, .. } = compare;
        let none = none_of(&after.cwd);
        self.fetch(&before).await.map_err(&none)?;
        self.fetch(&after).await.map_err(&none)?;
        let _turn = self.turns.acquire().await.map_err(|error| NodeError::Unknown(error.to_string()))?;
        let store = self.packs().map_err(&none)?;
        let document = TreeDocument::Compare { store, before: before.state, after: after.state, most };
        verb::compare(&self.launcher, document).await.map_err(&none)
    }

    /// Forgets the checkpoints of a thread, here and beyond. What they alone were made of is swept away later.
    pub(crate) async fn forget(&self, thread: ThreadId) -> Result<(), NodeError> {
        let lock = self.of_thread(thread);
        let _thread = lock.lock().await;
        let failed =
            |reason: String| NodeError::Unknown(format!("the checkpoints of the workspace could not be removed: {reason}"));
        for part in ["records", "seen"] {
            match tokio::fs::remove_dir_all(self.dir.as_path().join(part).join(thread.to_string())).await {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error.to_string())),
                Ok(()) | Err(_) => {}
            }
        }
        let Some(beyond) = &self.beyond else { return Ok(()) };
        let failed = |error: BlobError| failed(error.to_string());
        for name in beyond.list(&format!("checkpoints/{thread}")).await.map_err(failed)? {
            beyond.remove(&name).await.map_err(failed)?;
        }
        Ok(())
    }

    /// Forgets what no checkpoint needs, and checkpoints whose time is over. Blocks for as long as that takes.
    pub(crate) fn sweep(&self) {
        sweep::sweep(self.dir.as_path());
    }

    fn of_thread(&self, thread: ThreadId) -> Arc<tokio::sync::Mutex<()>> {
        let mut threads = self.threads.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        threads.retain(|_, lock| lock.strong_count() > 0);
        let found = threads.get(&thread).and_then(Weak::upgrade);
        found.unwrap_or_else(|| {
            let lock = Arc::default();
            threads.insert(thread, Arc::downgrade(&lock));
            lock
        })
    }

    fn packs(&self) -> Result<AbsPath, String> {
        self.dir.join("packs").map_err(|error| error.to_string())
    }

    /// Where it is noted what was seen of a workspace: a directory of its own, since the program may write into it.
    fn seen(&self, thread: ThreadId, cwd: &AbsPath) -> Result<AbsPath, String> {
        let directory = self.dir.join(format!("seen/{thread}")).map_err(|error| error.to_string())?;
        make_private(directory.as_path()).map_err(|error| error.to_string())?;
        let name = format!("{:08x}", crc32fast::hash(cwd.as_str().as_bytes()));
        directory.join(&name).map_err(|error| error.to_string())
    }

    /// Puts new packs where those are that count.
    fn keep(&self, taken: &StateTaken, scratch: &Scratch) -> io::Result<()> {
        let packs = self.dir.as_path().join("packs");
        for pack in taken.new_packs.iter().filter(|pack| is_pack_name(pack)) {
            let name = file_name(pack);
            std::fs::rename(scratch.0.as_path().join(&name), packs.join(&name))?;
        }
        std::fs::File::open(packs)?.sync_all()
    }

    async fn write(&self, record: &CheckpointRecord) -> Result<(), String> {
        if let Some(beyond) = &self.beyond {
            self.send(beyond, record).await.map_err(|error| error.to_string())?;
            beyond.put(&record.blob(), Bytes::from(record.text())).await.map_err(|error| error.to_string())?;
        }
        record::write(self.dir.as_path(), record).map_err(|error| format!("its record cannot be written: {error}"))
    }

    async fn send(&self, beyond: &Blobs, record: &CheckpointRecord) -> Result<(), BlobError> {
        self.all(&record.packs, |path, blob| async move { beyond.put_file(&blob, &path).await }).await
    }

    /// Has the packs of a record here. Each is fetched aside and counts when it is whole: others may fetch it as well just now.
    async fn fetch(&self, record: &CheckpointRecord) -> Result<(), String> {
        let missing: Vec<String> = record.packs.iter().filter(|pack| !self.pack(pack).exists()).cloned().collect();
        let Some(beyond) = self.beyond.as_ref().filter(|_| !missing.is_empty()) else {
            let gone = || format!("{} of its packs are gone from this node", missing.len());
            return if missing.is_empty() { Ok(()) } else { Err(gone()) };
        };
        let scratch = Scratch::make(&self.dir).map_err(|error| error.to_string())?;
        let fetched = futures::stream::iter(missing).map(|pack| self.fetch_one(beyond, pack, &scratch));
        fetched.buffer_unordered(PACKS_AT_ONCE).try_collect::<()>().await?;
        std::fs::File::open(self.dir.as_path().join("packs"))
            .and_then(|packs| packs.sync_all())
            .map_err(|error| error.to_string())
    }

    async fn fetch_one(&self, beyond: &Blobs, pack: String, scratch: &Scratch) -> Result<(), String> {
        let (aside, place) = (scratch.0.as_path().join(file_name(&pack)), self.pack(&pack));
        beyond.get_file(&pack_blob(&pack), &aside).await.map_err(|error| error.to_string())?;
        let checked = aside.clone();
        let whole = tokio::task::spawn_blocking(move || capstan_tree_files::check_pack(&checked, &pack)).await;
        whole.map_err(|error| error.to_string())?.map_err(|error| format!("a pack in the store is damaged: {error}"))?;
        std::fs::rename(aside, place).map_err(|error| error.to_string())
    }

    async fn all<F: Future<Output = Result<(), BlobError>>>(
        &self,
        packs: &[String],
        act: impl Fn(PathBuf, String) -> F,
    ) -> Result<(), BlobError> {
        let places: Vec<_> = packs.iter().map(|pack| (self.pack(pack), pack_blob(pack))).collect();
        let acts = futures::stream::iter(places).map(|(path, blob)| act(path, blob));
        acts.buffer_unordered(PACKS_AT_ONCE).try_collect().await
    }

    fn pack(&self, pack: &str) -> PathBuf {
        self.dir.as_path().join("packs").join(file_name(pack))
    }

    /// The record of that name: this node's, or what another has written.
    async fn record(&self, thread: ThreadId, name: &CheckpointName) -> Result<Option<CheckpointRecord>, String> {
        if let Some(record) = record::read(self.dir.as_path(), thread, name) {
            return Ok(Some(record));
        }
        let Some(beyond) = &self.beyond else { return Ok(None) };
        match beyond.get(&record_blob(thread, name)).await {
            Ok(text) => CheckpointRecord::parse(&text).map(Some),
            Err(BlobError::Missing { .. }) => Ok(None),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// A directory for one program, removed with this.
#[derive(Debug)]
struct Scratch(AbsPath);

impl Scratch {
    fn make(dir: &AbsPath) -> io::Result<Self> {
        let path = dir.join(format!("new/{}", SessionId::generate())).map_err(io::Error::other)?;
        make_private(path.as_path())?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What stays is swept away.
        let _ = std::fs::remove_dir_all(self.0.as_path());
    }
}

fn file_name(pack: &str) -> String {
    format!("{pack}.pack")
}

fn make_private(path: &Path) -> io::Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

fn none_of(cwd: &AbsPath) -> impl Fn(String) -> NodeError {
    let cwd = cwd.to_string();
    move |reason| NodeError::NoState { cwd: cwd.clone(), reason }
}
