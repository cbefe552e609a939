//! How fast the readers of floods are served, when there are many.
//!
//! One reader has all that the node can relay. Many that take as much as they can would keep every other answer of the node waiting behind
//! theirs, so they share a rate. What a reader does not take in time is a gap, as with every reader that falls behind.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// For so long a reader's bytes are counted together.
const SPAN: Duration = Duration::from_millis(100);
/// What makes a reader a heavy one, in bytes within a span.
const HEAVY: u64 = 1 << 20;
/// What all heavy readers share when they are more than [`FEW`], in bytes within a span: 128 MiB a second.
const SHARED: u64 = 128 * (1 << 20) / 10;
/// So many heavy readers share nothing.
const FEW: usize = 4;

/// The heavy readers of this process.
static HEAVY_READERS: AtomicUsize = AtomicUsize::new(0);

/// One heavy reader, for as long as this lives.
#[derive(Debug)]
struct OneMore(&'static AtomicUsize);

impl OneMore {
    fn among(readers: &'static AtomicUsize) -> Self {
        readers.fetch_add(1, Ordering::Relaxed);
        Self(readers)
    }
}

impl Drop for OneMore {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The pace of one reader.
#[derive(Debug)]
pub(super) struct Pace {
    readers: &'static AtomicUsize,
    since: Instant,
    bytes: u64,
    heavy: Option<OneMore>,
}

impl Pace {
    /// That of a reader that comes `now`.
    pub(super) const fn new(now: Instant) -> Self {
        Self { readers: &HEAVY_READERS, since: now, bytes: 0, heavy: None }
    }

    /// The reader has been given so many bytes.
    pub(super) fn gave(&mut self, now: Instant, bytes: u64) {
        if now.saturating_duration_since(self.since) >= SPAN {
            (self.since, self.bytes) = (now, 0);
        }
        let before = self.bytes;
        self.bytes = before.saturating_add(bytes);
        if self.heavy.is_none() && self.bytes > HEAVY {
            self.heavy = Some(OneMore::among(self.readers));
        }
    }

    /// How long it waits before it is given more.
    pub(super) fn rest(&mut self, now: Instant) -> Option<Duration> {
        let left = SPAN.checked_sub(now.saturating_duration_since(self.since)).filter(|left| !left.is_zero());
        let share = self.share();
        if left.is_none() && self.bytes < share.unwrap_or(u64::MAX).min(HEAVY) {
            // It takes little now.
            self.heavy = None;
        }
        left.filter(|_| share.is_some_and(|share| self.bytes >= share))
    }

    /// What it may be given within a span, if that is bounded.
    fn share(&self) -> Option<u64> {
        let readers = self.readers.load(Ordering::Relaxed);
        (self.heavy.is_some() && readers > FEW).then(|| SHARED / u64::try_from(readers).unwrap_or(u64::MAX).max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PIECE: u64 = 64 << 10;

    fn readers(count: usize) -> (Vec<Pace>, Instant) {
        let (all, now) = (Box::leak(Box::new(AtomicUsize::new(0))), Instant::now());
        ((0..count).map(|_| Pace { readers: all, ..Pace::new(now) }).collect(), now)
    }

    /// What each is given in a second in which all take what they get, in a moment each.
    fn taken(count: usize) -> Vec<u64> {
        let (mut readers, start) = readers(count);
        let mut taken = vec![0; count];
        for millis in 0..1_000 {
            let now = start + Duration::from_millis(millis);
            for (reader, taken) in readers.iter_mut().zip(&mut taken) {
                for _ in 0..16 {
                    if reader.rest(now).is_none() {
                        reader.gave(now, PIECE);
                        *taken += PIECE;
                    }
                }
            }
        }
        taken
    }

    #[test]
    fn a_few_have_all_and_many_share_evenly() {
        assert_eq!(taken(FEW), vec![16 * PIECE * 1_000; FEW]);
        let many = taken(50);
        let (all, most, least) = (many.iter().sum::<u64>(), many.iter().max().unwrap(), many.iter().min().unwrap());
        // Before they are known as heavy, each takes a mebibyte and a little.
        assert!(all <= 12 * SHARED + 50 * 2 * HEAVY, "{all}");
        assert!(*least >= 9 * (SHARED / 50) && *most <= least + 2 * HEAVY, "{least} {most}");
    }

    #[test]
    fn who_takes_little_is_not_held_up_beside_many_that_take_much() {
        let (mut readers, start) = readers(51);
        readers[1..].iter_mut().for_each(|reader| reader.gave(start, 2 * HEAVY));
        assert!(readers[1..].iter_mut().all(|reader| reader.rest(start).is_some()));
        readers[0].gave(start, HEAVY);
        assert_eq!(readers[0].rest(start), None);
    }

    #[test]
    fn who_has_become_calm_or_is_gone_is_not_counted() {
        let (mut readers, start) = readers(6);
        readers.iter_mut().for_each(|reader| reader.gave(start, 2 * HEAVY));
        let later = start + SPAN;
        for reader in &mut readers {
            reader.gave(later, 1);
            assert_eq!(reader.rest(later + SPAN), None);
        }
        assert_eq!(readers[0].readers.load(Ordering::Relaxed), 0);
        readers[0].gave(start + 3 * SPAN, 2 * HEAVY);
        let counted = readers[0].readers;
        drop(readers);
        assert_eq!(counted.load(Ordering::Relaxed), 0);
    }
}
