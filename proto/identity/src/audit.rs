//! The audit log: who was let in, who was not, and what was granted. One JSON object in a line, each with a digest that it shares with the
//! line before, so that no line can be changed or taken out unseen but the newest.
//!
//! Writing is the work of one thread. Its queue has room for [`QUEUE`] entries; past that entries are counted, and the next one says how
//! many are missing. Of full files [`FILES`] are kept.

mod chain;
mod file;

pub use chain::{Broken, verify};

use capstan_types::output::digest::Digest;
use capstan_types::principal::{Peer, Principal, Serial};
use file::AuditFile;
use serde::{Deserialize, Serialize};
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};

/// Entries that may wait to be written. Full: an entry is counted as missed.
pub const QUEUE: usize = 4096;

/// Files that are kept besides the one that is written.
pub const FILES: usize = 4;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Somebody was refused.
    Refused,
    /// Something was granted that changes something.
    Granted,
    /// A person does something to a session, whoever owns it.
    Operated,
    /// Somebody joined the cluster, or renewed a certificate.
    Issued,
}

/// One entry, as it is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When, in milliseconds since 1970.
    pub at_ms: u64,
    /// What happened.
    pub kind: Kind,
    /// Who it was about, by their certificate. Of somebody who was refused before the certificate was checked, it is a claim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<Principal>,
    /// The certificate's number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<Serial>,
    /// Where they connected from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// What they asked for; `connect` for whoever did not come so far.
    pub method: String,
    /// Why they were refused, or what was granted.
    pub reason: String,
    /// For which thread.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread: Option<String>,
    /// For which call or session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub act: Option<String>,
    /// In which epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<u64>,
}

impl Entry {
    /// An entry about somebody's request at this moment.
    #[must_use]
    pub fn new(kind: Kind, peer: Option<&Peer>, method: &str, reason: String) -> Self {
        let (name, serial) = peer.map(|peer| (peer.name.clone(), peer.serial.clone())).unzip();
        let at_ms = crate::time_now::now_ms();
        let method = method.to_owned();
        Self { at_ms, kind, peer: name, serial, from: None, method, reason, thread: None, act: None, epoch: None }
    }
}

/// An entry as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Line {
    /// Counts the entries of this log, from 1.
    seq: u64,
    #[serde(flatten)]
    entry: Entry,
    /// Entries that were not written before this one, for want of room.
    #[serde(default, skip_serializing_if = "is_zero")]
    missed: u64,
    /// The digest of the line before with this line's own text.
    chain: Digest,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_zero(value: &u64) -> bool {
    *value == 0
}

/// The log. Clones share it; when the last is dropped, what waits is written first.
#[derive(Debug, Clone)]
pub struct Audit(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    queue: Mutex<Option<SyncSender<Entry>>>,
    missed: Arc<AtomicU64>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl Audit {
    /// The log in this file, continued where it ended.
    ///
    /// # Errors
    /// The file cannot be made, or is not such a log.
    pub fn open(path: PathBuf) -> io::Result<Self> {
        let file = AuditFile::open(path)?;
        let (queue, entries) = sync_channel(QUEUE);
        let missed = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&missed);
        let writer = Builder::new().name("audit".to_owned()).spawn(move || write_all(file, &entries, &counted))?;
        Ok(Self(Arc::new(Inner { queue: Mutex::new(Some(queue)), missed, writer: Mutex::new(Some(writer)) })))
    }

    /// Writes an entry soon. It also goes to the process's log, where a refusal is a warning.
    pub fn write(&self, entry: Entry) {
        let peer = entry.peer.as_ref().map(ToString::to_string);
        match entry.kind {
            Kind::Refused => tracing::warn!(peer, method = %entry.method, reason = %entry.reason, "refused"),
            Kind::Granted => tracing::debug!(peer, method = %entry.method, reason = %entry.reason, "granted"),
            Kind::Operated => tracing::info!(peer, method = %entry.method, reason = %entry.reason, "a person acts on a session"),
            Kind::Issued => tracing::info!(peer, method = %entry.method, reason = %entry.reason, "a certificate was issued"),
        }
        let queue = self.0.queue.lock().unwrap_or_else(PoisonError::into_inner);
        if queue.as_ref().is_none_or(|queue| queue.try_send(entry).is_err()) {
            self.0.missed.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        drop(self.queue.get_mut().unwrap_or_else(PoisonError::into_inner).take());
        if let Some(writer) = self.writer.get_mut().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = writer.join();
        }
    }
}

fn write_all(mut file: AuditFile, entries: &Receiver<Entry>, missed: &AtomicU64) {
    while let Ok(entry) = entries.recv() {
        let lost = missed.swap(0, Ordering::Relaxed);
        if let Err(error) = file.append(entry, lost) {
            missed.fetch_add(lost + 1, Ordering::Relaxed);
            tracing::error!(%error, "the audit log cannot be written");
        }
    }
}

#[cfg(test)]
mod tests;
