//! All of a session's output from its first byte on, where that was asked for: kept up to a limit, and for as long as the disk has room for it.
//!
//! It is an addition: whatever becomes of it, neither the program nor head and tail notice. What it stops at, it stops at for good, so that
//! what is kept has no hole.

use super::{LateFile, write_at};
use bytes::Bytes;
use capstan_types::launch::LaunchSpec;
use capstan_types::output::chain::{Chain, Chaining};
use capstan_types::output::seal::{KeptWhole, Stopped};
use capstan_types::output::{Piece, Seq};
use capstan_types::spool::ALL;

/// How many bytes are written before the disk is looked at again.
const STRIDE: u64 = 1 << 20;

/// The output that is kept whole.
#[derive(Debug)]
pub(crate) struct All {
    file: LateFile,
    most: u64,
    /// How many bytes of the disk are left to others.
    reserve: u64,
    /// How many bytes may be written before the disk is looked at again.
    unlooked: u64,
    /// Over what is kept; it begins again where this ends.
    chaining: Chaining,
    stopped: Option<Stopped>,
}

impl All {
    /// What a launch asks to be kept, if it does.
    pub(crate) fn of(spec: &LaunchSpec) -> Option<Self> {
        spec.limits.keep_all.map(|most| Self::new(LateFile::named(ALL), most, spec.disk_reserve))
    }

    pub(super) fn new(file: LateFile, most: u64, reserve: u64) -> Self {
        Self { file, most, reserve, unlooked: 0, chaining: Chaining::new(), stopped: None }
    }

    /// Where what is kept ends.
    pub(super) const fn end(&self) -> Seq {
        self.chaining.next()
    }

    /// What is kept so far, as a chain that goes on behind it.
    pub(super) fn chaining(&self) -> Chaining {
        self.chaining.clone()
    }

    /// What is said of it, with the chain over it and what the tail has behind it.
    pub(super) fn told(&self, chain: Option<Chain>) -> KeptWhole {
        KeptWhole { bytes: self.end().0, sha256: self.chaining.run(), chain, stopped: self.stopped }
    }

    /// Adds what follows, as much as is still to be kept.
    pub(super) fn append(&mut self, bytes: &[u8]) {
        if self.stopped.is_some() || bytes.is_empty() {
            return;
        }
        let room = usize::try_from(self.most.saturating_sub(self.end().0)).unwrap_or(usize::MAX);
        let wanted = bytes.get(..room).unwrap_or(bytes);
        let kept = if self.has_room(wanted.len() as u64) { write_at(&self.file, wanted, self.end().0) } else { 0 };
        self.chaining.add_bytes(wanted.get(..usize::try_from(kept).unwrap_or(usize::MAX)).unwrap_or_default());
        if kept < wanted.len() as u64 {
            self.stopped = Some(Stopped::Disk);
        } else if wanted.len() < bytes.len() {
            self.stopped = Some(Stopped::Limit);
        }
    }

    /// Whether the disk has room besides what is left to others. One that does not say is tried.
    fn has_room(&mut self, bytes: u64) -> bool {
        if let Some(left) = self.unlooked.checked_sub(bytes) {
            self.unlooked = left;
            return true;
        }
        self.unlooked = STRIDE.saturating_sub(bytes);
        self.file.free().is_none_or(|free| free >= self.reserve.saturating_add(STRIDE.max(bytes)))
    }

    /// At most `max` bytes from `from` on; none where no more are kept.
    pub(super) fn read(&self, from: Seq, max: usize) -> Option<Piece> {
        let available = usize::try_from(self.end().0.checked_sub(from.0)?).unwrap_or(usize::MAX).min(max);
        let mut bytes = vec![0; available];
        (available > 0).then(|| match self.file.read_exact_at(&mut bytes, from.0) {
            Ok(()) => Piece::Bytes { seq: from, bytes: Bytes::from(bytes) },
            Err(_) => Piece::Gap { seq: from, bytes: available as u64 },
        })
    }
}
