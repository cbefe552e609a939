//! Where the kept bytes of a session's output lie in its two files, for the holder that writes them and for a node that reads them when
//! the holder has gone.
//!
//! The file [`HEAD`] holds the first bytes, from offset 0, and nothing else. [`TAIL`] is empty for as long as the head takes bytes; from
//! then on it holds a mark of [`MARK`] bytes, written after each piece of output, and behind it a ring of the last bytes. The mark is
//! [`Layout::encode`]. Between a piece and its mark a holder may be killed: whoever reads without the word of a holder that ended in
//! order calls [`Layout::without_last_word`].

use crate::output::Seq;

/// The file of the first bytes.
pub const HEAD: &str = "head";

/// The file of the mark and the last bytes.
pub const TAIL: &str = "tail";

/// The file of all bytes from offset 0 on, up to where no more were kept; there only where that was asked for. Each of its bytes is also
/// counted by the other two, which do not depend on it.
pub const ALL: &str = "all";

/// Where the ring begins in its file, in bytes.
pub const RING: u64 = MARK as u64;

/// The length of the mark before it, in bytes.
pub const MARK: usize = 64;

/// The most that a holder adds before it writes the mark again, in bytes.
pub const MOST_AT_ONCE: u64 = crate::control::MAX_DATA as u64;

const MAGIC: &[u8; 8] = b"capspl01";

/// What lies where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// How many bytes the head holds.
    pub head_end: u64,
    /// The position of the byte at the ring's start, and of the oldest that the ring may hold.
    pub tail_base: u64,
    /// How many bytes the ring holds at most; at least 1.
    pub tail_cap: u64,
    /// The position of the oldest byte that the ring holds for certain.
    pub oldest: u64,
    /// How many bytes were written in all.
    pub total: u64,
}

/// Where the next bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In the head, at this offset, so many.
    Head(u64, u64),
    /// In the tail's file, at this offset, so many.
    Tail(u64, u64),
    /// Nowhere: so many were dropped.
    Gap(u64),
}

impl Layout {
    /// Output that lies in the head alone.
    #[must_use]
    pub const fn head_only(length: u64) -> Self {
        Self { head_end: length, tail_base: length, tail_cap: 1, oldest: length, total: length }
    }

    /// What a holder keeps: the ring holds all that it can.
    #[must_use]
    pub fn kept(head_end: u64, tail_base: u64, tail_cap: u64, total: u64) -> Self {
        Self { head_end, tail_base, tail_cap, oldest: tail_base.max(total.saturating_sub(tail_cap)), total }
    }

    /// Where the bytes from `from` on lie, as far as they lie in one place; `None` when nothing has been written there.
    #[must_use]
    pub const fn locate(&self, from: Seq) -> Option<Place> {
        if from.0 >= self.total {
            return None;
        }
        if from.0 < self.head_end {
            return Some(Place::Head(from.0, self.head_end - from.0));
        }
        if from.0 < self.oldest {
            return Some(Place::Gap(self.oldest - from.0));
        }
        let offset = self.ring_offset(from.0);
        let (to_end, to_seam) = (self.total - from.0, self.tail_cap - offset);
        Some(Place::Tail(RING + offset, if to_end < to_seam { to_end } else { to_seam }))
    }

    /// The place of a position in the ring.
    #[must_use]
    pub const fn ring_offset(&self, position: u64) -> u64 {
        (position - self.tail_base) % self.tail_cap
    }

    /// The same for a holder that was killed: a piece that it had begun to write has gone over the oldest bytes.
    #[must_use]
    pub fn without_last_word(self) -> Self {
        let safe = self.total.saturating_add(MOST_AT_ONCE).saturating_sub(self.tail_cap).min(self.total);
        Self { oldest: self.oldest.max(safe), ..self }
    }

    /// The mark.
    #[must_use]
    pub fn encode(&self) -> [u8; MARK] {
        let mut mark = [0; MARK];
        let fields = [self.head_end, self.tail_base, self.tail_cap, self.total].map(u64::to_le_bytes);
        let bytes = MAGIC.iter().chain(fields.as_flattened());
        mark.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        mark
    }

    /// Reads a mark; `None` for what is not one.
    #[must_use]
    pub fn decode(mark: &[u8; MARK]) -> Option<Self> {
        let (magic, rest) = mark.split_first_chunk::<8>()?;
        let mut fields =
            rest.chunks_exact(8).filter_map(|field| field.first_chunk::<8>()).map(|field| u64::from_le_bytes(*field));
        let (head_end, tail_base, tail_cap, total) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
        let sound = magic == MAGIC && head_end <= tail_base && tail_base <= total && tail_cap > 0;
        sound.then(|| Self::kept(head_end, tail_base, tail_cap, total))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_position_has_one_place_and_the_places_meet(head in 0..50_u64, gap in 0..9_u64, cap in 1..40_u64, tail in 0..99_u64) {
            let layout = Layout::kept(head, head + gap, cap, head + gap + tail);
            let mut at = 0;
            while let Some(place) = layout.locate(Seq(at)) {
                let (Place::Head(_, count) | Place::Tail(_, count) | Place::Gap(count)) = place;
                prop_assert!(count > 0, "a reader would never get on");
                if let Place::Tail(offset, count) = place {
                    prop_assert!(offset >= RING && offset + count <= RING + cap);
                }
                at += count;
            }
            prop_assert_eq!(at, layout.total);
            prop_assert_eq!(Layout::decode(&layout.encode()), Some(layout));
        }

        #[test]
        fn no_mark_makes_the_reader_panic(mark in proptest::collection::vec(any::<u8>(), 64), magic in any::<bool>()) {
            let mut mark: [u8; 64] = mark.try_into().unwrap();
            if magic {
                mark[..8].copy_from_slice(MAGIC);
            }
            if let Some(layout) = Layout::decode(&mark) {
                let _ = layout.without_last_word().locate(Seq(layout.total.saturating_sub(1)));
            }
        }
    }

    #[test]
    fn what_a_killed_holder_may_have_overwritten_is_not_served() {
        let layout = Layout::kept(10, 10, 2 * MOST_AT_ONCE, 10 + 5 * MOST_AT_ONCE);
        assert_eq!(layout.oldest, 10 + 3 * MOST_AT_ONCE);
        assert_eq!(layout.without_last_word().oldest, 10 + 4 * MOST_AT_ONCE);
        assert_eq!(Layout::kept(10, 10, 2 * MOST_AT_ONCE, 20).without_last_word().oldest, 10);
    }
}
