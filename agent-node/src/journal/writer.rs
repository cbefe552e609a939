//! The one who writes: a thread that takes all who wait at once, writes one frame for them, syncs once, and tells each.
//!
//! Bounded: what may wait has a bound; full, the newest is refused as busy. Who asks in the middle of a sync shares the next one.

use super::entry::Entry;
use super::file::{Found, JournalFile, Use, is_full, look};
use super::tables::{Kept, Key, Over, Tables};
use crate::ballast::Ballast;
use crate::config::JournalSync;
use crate::error::{NodeError, RETRY_AFTER};
use capstan_types::id::{Epoch, Generation, SessionId, ThreadId};
use capstan_types::launch::Refusal;
use capstan_types::node::JournalState;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{mpsc, oneshot};

/// How many may wait to be written. Full: the next is refused as busy.
const WAITING: usize = 4096;

/// How many are written at once.
const AT_ONCE: usize = 512;

/// The file, in the state directory.
const FILE: &str = "journal";

/// Why something was not written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum JournalError {
    /// Too many wait.
    Busy,
    /// The disk is full. What ends something is still taken.
    Full,
    /// The disk does not take it.
    Disk(String),
}

/// An entry that has its place in the journal.
#[derive(Debug)]
pub(crate) struct Submitted(oneshot::Receiver<Result<(), JournalError>>);

impl Submitted {
    /// Returns when it is safe.
    pub(crate) async fn kept(self) -> Result<(), JournalError> {
        self.0.await.unwrap_or_else(|_| Err(JournalError::Disk("its writer has stopped".to_owned())))
    }
}

type Waiting = (Entry, oneshot::Sender<Result<(), JournalError>>);

/// The journal of a node. Clones share it; the thread ends, with all written, when the last is dropped.
#[derive(Debug, Clone)]
pub(crate) struct Journal {
    orders: mpsc::Sender<Waiting>,
    tables: Arc<Mutex<Tables>>,
    generation: Generation,
    state: JournalState,
}

impl Journal {
    /// Opens the journal in `root` for the life `generation`. `left` is whether an earlier life has left anything else there. It blocks
    /// for a few file operations.
    pub(crate) fn open(root: &Path, generation: Generation, left: bool, sync: JournalSync) -> io::Result<Self> {
        let path = root.join(FILE);
        let (mut tables, state) = match look(&path) {
            Found::Whole(tables, torn) => {
                if torn > 0 {
                    tracing::warn!(
                        bytes = torn,
                        "the last frame of the node's journal was torn, and is cut off; nobody was told of it"
                    );
                }
                (*tables, JournalState::Kept)
            }
            Found::Nothing if !left => (Tables::default(), JournalState::New),
            Found::Nothing => {
                tracing::error!(
                    dir = %root.display(),
                    "the node's journal is gone; sessions of earlier lives are ended, and what became of their calls is unknown"
                );
                (Tables::default(), JournalState::Lost)
            }
            Found::Untrusted(reason) => {
                let kept = path.with_extension("bad");
                tracing::error!(
                    reason, kept = %kept.display(),
                    "the node's journal cannot be trusted; sessions of earlier lives are ended, and what became of their calls is unknown"
                );
                std::fs::rename(&path, &kept)?;
                (Tables::default(), JournalState::Lost)
            }
        };
        tables.apply(Entry::Life { generation: generation.0 });
        let ballast = Ballast::in_dir(root);
        let file = match JournalFile::begin(path.clone(), sync, &tables.compact()) {
            Err(error) if is_full(&error) && ballast.give_up() => JournalFile::begin(path, sync, &tables.compact())?,
            begun => begun?,
        };
        let (orders, waiting) = mpsc::channel(WAITING);
        let tables = Arc::new(Mutex::new(tables));
        let shared = Arc::clone(&tables);
        std::thread::Builder::new().name("journal".to_owned()).spawn(move || write(file, &ballast, &shared, waiting))?;
        Ok(Self { orders, tables, generation, state })
    }

    /// Returns when the entry is safe.
    pub(crate) async fn keep(&self, entry: Entry) -> Result<(), JournalError> {
        self.submit(entry)?.kept().await
    }

    /// Gives the entry its place, and does not wait until it is safe.
    pub(crate) fn submit(&self, entry: Entry) -> Result<Submitted, JournalError> {
        let (told, answer) = oneshot::channel();
        self.orders.try_send((entry, told)).map_err(|_| JournalError::Busy)?;
        Ok(Submitted(answer))
    }

    /// Writes a fact down that is true whether it is written or not; waits for room. A failure is logged.
    pub(crate) async fn note(&self, entry: Entry) {
        let (told, answer) = oneshot::channel();
        if self.orders.send((entry, told)).await.is_ok()
            && let Ok(Err(reason)) = answer.await
        {
            tracing::warn!(?reason, "a fact could not be written to the node's journal");
        }
    }

    /// [`Journal::note`] without waiting for the disk: what is told next stands behind it.
    pub(crate) async fn post(&self, entry: Entry) {
        let (told, _) = oneshot::channel();
        let _ = self.orders.send((entry, told)).await;
    }

    /// Returns when all that was posted is written.
    pub(crate) async fn flush(&self) {
        self.note(Entry::Life { generation: self.generation.0 }).await;
    }

    /// What became of a try that is over.
    pub(crate) fn over(&self, key: &Key) -> Option<Over> {
        lock(&self.tables).over.get(key).cloned()
    }

    /// At most `most` sessions that are not over, in order, behind `after`.
    pub(crate) fn sessions(&self, after: Option<SessionId>, most: usize) -> Vec<Kept> {
        let from = after.map_or(std::ops::Bound::Unbounded, std::ops::Bound::Excluded);
        let tables = lock(&self.tables);
        tables.sessions.range((from, std::ops::Bound::Unbounded)).take(most).map(|(_, kept)| kept.clone()).collect()
    }

    /// The sessions of a thread that are not over.
    pub(crate) fn sessions_of(&self, thread: ThreadId) -> Vec<Kept> {
        let tables = lock(&self.tables);
        tables.sessions.values().filter(|kept| kept.intent.thread == thread).cloned().collect()
    }

    /// The newest epoch of each thread.
    pub(crate) fn epochs(&self) -> Vec<(ThreadId, Epoch)> {
        lock(&self.tables).epochs.iter().map(|(thread, epoch)| (*thread, *epoch)).collect()
    }

    /// Which life of the node this is.
    pub(crate) const fn generation(&self) -> Generation {
        self.generation
    }

    /// Whether the journal of the earlier lives was there.
    pub(crate) const fn state(&self) -> JournalState {
        self.state
    }
}

impl From<JournalError> for NodeError {
    fn from(error: JournalError) -> Self {
        match error {
            JournalError::Busy => Self::busy("the journal"),
            JournalError::Full => Self::Short {
                said: "this node is short of space: the disk that holds its state is full; nothing was started".to_owned(),
                retry_after: RETRY_AFTER * 4,
            },
            JournalError::Disk(reason) => Self::Refused(Refusal::Host { step: "write the node's journal".to_owned(), reason }),
        }
    }
}

impl From<Over> for NodeError {
    fn from(over: Over) -> Self {
        match over {
            Over::Released => Self::Over,
            Over::Lost(reason) => Self::Unknown(reason),
        }
    }
}

fn lock(tables: &Mutex<Tables>) -> MutexGuard<'_, Tables> {
    // Entries are applied one by one, and each leaves the tables whole.
    tables.lock().unwrap_or_else(PoisonError::into_inner)
}

fn write(mut file: JournalFile, ballast: &Ballast, tables: &Mutex<Tables>, mut waiting: mpsc::Receiver<Waiting>) {
    let mut batch = Vec::with_capacity(AT_ONCE);
    while waiting.blocking_recv_many(&mut batch, AT_ONCE) > 0 {
        let orders = std::mem::take(&mut batch);
        let Err(refused) = written(&mut file, Use::Ordinary, tables, orders) else { continue };
        // What begins is refused, and what ends something gets the room that is kept for it.
        let (begins, ends): (Vec<_>, Vec<_>) = refused.into_iter().partition(|(entry, _)| entry.begins());
        tell(begins, &Err(JournalError::Full));
        let Err(refused) = written(&mut file, Use::Spare, tables, ends) else { continue };
        ballast.give_up();
        if let Err(refused) = written(&mut file, Use::Spare, tables, refused) {
            tell(refused, &Err(JournalError::Full));
        }
    }
}

/// Writes one frame, and tells those who wait. Where the disk is full, they are given back.
fn written(file: &mut JournalFile, which: Use, tables: &Mutex<Tables>, orders: Vec<Waiting>) -> Result<(), Vec<Waiting>> {
    if orders.is_empty() {
        return Ok(());
    }
    let (entries, told): (Vec<_>, Vec<_>) = orders.into_iter().unzip();
    // Only this thread changes the tables, so they are not held while the disk works. A copy is made where the file is written anew.
    let result = match file.add(&entries, which, || lock(tables).compact()) {
        Ok(()) => {
            let mut tables = lock(tables);
            entries.into_iter().for_each(|entry| tables.apply(entry));
            Ok(())
        }
        Err(error) if is_full(&error) => return Err(entries.into_iter().zip(told).collect()),
        Err(error) => Err(JournalError::Disk(error.to_string())),
    };
    // Whoever does not wait any more needs not be told.
    told.into_iter().for_each(|told| drop(told.send(result.clone())));
    Ok(())
}

fn tell(orders: Vec<Waiting>, result: &Result<(), JournalError>) {
    orders.into_iter().for_each(|(_, told)| drop(told.send(result.clone())));
}

#[cfg(test)]
mod tests;
