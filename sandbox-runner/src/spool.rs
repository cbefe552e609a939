//! What a session wrote, kept in two files: its first bytes, and a ring of its last.
//!
//! Invariants: every byte has one position, its offset in all that was ever written. What is kept is exact; what is not is told as a
//! gap with its exact length. Memory does not grow with the output, and the files never exceed their caps. A disk that takes no more
//! costs output, never the session: what could not be written is a gap like any other.

mod all;
mod late;

pub(crate) use all::All;
pub(crate) use late::LateFile;

use bytes::Bytes;
use capstan_types::control::MAX_DATA;
use capstan_types::limits::ByteCap;
use capstan_types::output::chain::{Chain, Chaining};
use capstan_types::output::seal::{Hole, Seal};
use capstan_types::output::{Piece, Seq};
use capstan_types::spool::{Layout, Place, RING};
use std::io;

/// The kept output of one session.
#[derive(Debug)]
pub(crate) struct Spool {
    head: LateFile,
    head_cap: u64,
    /// How many bytes the head holds.
    head_end: u64,
    /// Whether the head still takes bytes. It stops when it is full, or when the disk is.
    head_open: bool,
    /// The mark by which a reader that has no holder to ask finds its way, and the ring behind it: see [`capstan_types::spool`].
    tail: LateFile,
    tail_cap: u64,
    /// Whether the file has a mark.
    marked: bool,
    /// The position of the byte at the ring's start, and of the oldest that the ring may hold.
    tail_base: u64,
    total: u64,
    /// What is kept whole beside these, where that was asked for.
    all: Option<All>,
}

impl Spool {
    /// A spool over two files that are empty, or not there yet.
    pub(crate) const fn new(head: LateFile, tail: LateFile, head_cap: ByteCap, tail_cap: ByteCap) -> Self {
        Self {
            head,
            head_cap: head_cap.bytes(),
            head_end: 0,
            head_open: true,
            tail,
            tail_cap: tail_cap.bytes(),
            marked: false,
            tail_base: 0,
            total: 0,
            all: None,
        }
    }

    /// Keeps the whole output as well.
    pub(crate) fn keeping(self, all: Option<All>) -> Self {
        Self { all, ..self }
    }

    /// Whether the whole output is kept, as far as it goes.
    pub(crate) const fn keeps_all(&self) -> bool {
        self.all.is_some()
    }

    /// How many bytes were written in all.
    pub(crate) const fn total(&self) -> u64 {
        self.total
    }

    /// Adds output. It cannot fail: what the disk does not take is counted as dropped.
    pub(crate) fn append(&mut self, bytes: &[u8]) {
        if let Some(all) = &mut self.all {
            all.append(bytes);
        }
        let rest = if self.head_open { self.append_head(bytes) } else { bytes };
        self.append_tail(rest);
        if !self.head_open {
            self.mark();
        }
    }

    /// Says in the file what lies where, once for all that was read at once. It is written and not mapped: a page that a full disk takes back
    /// would end the holder with a signal. A mark that is not true would make a later reader tell wrong bytes, so where there was one and the
    /// disk takes no new one, the ring is given up.
    fn mark(&mut self) {
        let mark = self.layout().encode();
        if write_at(&self.tail, &mark, 0) == RING {
            self.marked = true;
        } else if std::mem::take(&mut self.marked) {
            let _ = self.tail.set_len(0);
            self.tail_base = self.total;
        }
    }

    fn layout(&self) -> Layout {
        Layout::kept(self.head_end, if self.head_open { self.total } else { self.tail_base }, self.tail_cap, self.total)
    }

    fn append_head<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let room = self.head_cap - self.head_end;
        let (now, later) = bytes.split_at(bytes.len().min(usize::try_from(room).unwrap_or(usize::MAX)));
        let kept = write_at(&self.head, now, self.head_end);
        self.head_end += kept;
        self.total += now.len() as u64;
        if self.head_end == self.head_cap || kept < now.len() as u64 {
            self.head_open = false;
            self.tail_base = self.total;
        }
        later
    }

    fn append_tail(&mut self, bytes: &[u8]) {
        // Of more than a ring's worth only the last can survive.
        let cap = usize::try_from(self.tail_cap).unwrap_or(usize::MAX);
        let (lost, mut rest) = bytes.split_at(bytes.len().saturating_sub(cap));
        self.total += lost.len() as u64;
        while !rest.is_empty() {
            let offset = self.ring_offset(self.total);
            let (now, later) = rest.split_at(rest.len().min(usize::try_from(self.tail_cap - offset).unwrap_or(usize::MAX)));
            let kept = write_at(&self.tail, now, RING + offset);
            self.total += now.len() as u64;
            if kept < now.len() as u64 {
                // The ring begins anew at its file's start, where the disk has given room already.
                self.tail_base = self.total;
            }
            rest = later;
        }
    }

    const fn ring_offset(&self, position: u64) -> u64 {
        (position - self.tail_base) % self.tail_cap
    }

    /// Whether a reader that has everything before `at` has missed nothing that it could not miss, and would if `more` bytes came.
    pub(crate) fn would_cost(&self, at: Seq, more: u64) -> bool {
        let needed = at.0.max(if self.head_open { self.head_cap } else { self.tail_base });
        let kept_from = self.total.saturating_sub(self.tail_cap);
        at.0 < self.total && kept_from <= needed && needed < (self.total + more).saturating_sub(self.tail_cap)
    }

    /// What is said of what is kept, once nothing is added. Of more than `most` bytes of head and tail no chain is made.
    pub(crate) fn seal(&self, most: u64) -> Seal {
        let layout = self.layout();
        let hole = Hole { from: Seq(layout.head_end), bytes: layout.oldest - layout.head_end };
        let chain = self.chain(Chaining::new(), most);
        let kept = self.all.as_ref().map(|all| all.told(self.chain(all.chaining(), most)));
        Seal { total: self.total, hole, chain, kept }
    }

    /// The chain over what is kept, from where `chaining` has come to; none when that is more than `most` bytes, or was lost by the disk.
    fn chain(&self, mut chaining: Chaining, most: u64) -> Option<Chain> {
        let (layout, from) = (self.layout(), chaining.next().0);
        let tail = layout.total - layout.oldest.max(from).min(layout.total);
        if layout.head_end.saturating_sub(from) + tail > most {
            return None;
        }
        while let Some(piece) = self.read(chaining.next(), MAX_DATA) {
            let lost = matches!(piece, Piece::Gap { .. }) && !matches!(layout.locate(piece.seq()), Some(Place::Gap(_)));
            if lost || chaining.add(&piece).is_err() {
                return None;
            }
        }
        Some(chaining.end())
    }

    /// Where a reader of all that is kept needs head and tail again, if it has come to `at`.
    pub(crate) fn past_all(&self, at: Seq) -> Seq {
        self.all.as_ref().map_or(at, |all| at.max(all.end()))
    }

    /// [`Spool::read`], and what is kept whole.
    pub(crate) fn read_all(&self, from: Seq, max: usize) -> Option<Piece> {
        self.all.as_ref().and_then(|all| all.read(from, max)).or_else(|| self.read(from, max))
    }

    /// At most `max` bytes from `from` on, or the gap that starts there; `None` when nothing has been written there yet.
    pub(crate) fn read(&self, from: Seq, max: usize) -> Option<Piece> {
        let layout = self.layout();
        let mut bytes = Vec::new();
        // From the head on into the ring, and over its seam: what was written together is given together.
        while bytes.len() < max
            && let Some(place) = layout.locate(from.after(bytes.len() as u64))
        {
            let (file, offset, available) = match place {
                Place::Head(offset, available) => (&self.head, offset, available),
                Place::Tail(offset, available) => (&self.tail, offset, available),
                Place::Gap(dropped) if bytes.is_empty() => return Some(Piece::Gap { seq: from, bytes: dropped }),
                Place::Gap(_) => break,
            };
            let (start, length) = (bytes.len(), usize::try_from(available).unwrap_or(usize::MAX).min(max - bytes.len()));
            bytes.resize(start + length, 0);
            if file.read_exact_at(bytes.get_mut(start..).unwrap_or_default(), offset).is_err() {
                bytes.truncate(start);
                // A disk that has lost what it took: the reader is told, and goes on behind it.
                if start == 0 {
                    return Some(Piece::Gap { seq: from, bytes: length as u64 });
                }
                break;
            }
        }
        (!bytes.is_empty()).then(|| Piece::Bytes { seq: from, bytes: Bytes::from(bytes) })
    }
}

/// Writes as much as the disk takes, and says how much that was.
fn write_at(file: &LateFile, bytes: &[u8], offset: u64) -> u64 {
    let mut done = 0;
    while let Some(rest) = bytes.get(done..).filter(|rest| !rest.is_empty()) {
        match file.write_at(rest, offset + done as u64) {
            Ok(0) => break,
            Ok(count) => done += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => break,
        }
    }
    done as u64
}

#[cfg(test)]
mod tests;
