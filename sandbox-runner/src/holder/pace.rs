//! How long a program waits for a reader, which is never for long.
//!
//! A reader that takes what it is sent falls behind all the same when it is not run for a few milliseconds, and a program that writes a
//! gigabyte in a second has gone round the ring by then. So the holder leaves output in the program's own pipe for a moment before a reader
//! loses some. A reader earns these moments by what it takes: it costs a program 8 ms at most for each mebibyte that it writes, and 20 ms
//! once. One that takes nothing is passed over; what it is too slow for is a gap.

use std::time::Duration;

/// The longest that a reader is waited for without having taken anything.
const MOST: Duration = Duration::from_millis(20);

/// What a reader earns for each byte that it takes: 8 ms for a mebibyte.
const NANOS_FOR_A_BYTE: u64 = 8;

/// For how long one reader may still be waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Patience(Duration);

impl Patience {
    /// For a reader that is new.
    pub(super) const fn new() -> Self {
        Self(MOST)
    }

    /// What is left; none for a reader that is not waited for any more.
    pub(super) fn left(self) -> Option<Duration> {
        Some(self.0).filter(|left| !left.is_zero())
    }

    /// The reader has taken so many bytes.
    pub(super) fn earn(&mut self, bytes: usize) {
        let earned = Duration::from_nanos(NANOS_FOR_A_BYTE.saturating_mul(bytes as u64));
        self.0 = self.0.saturating_add(earned).min(MOST);
    }

    /// The program has waited for it so long.
    pub(super) const fn spend(&mut self, waited: Duration) {
        self.0 = self.0.saturating_sub(waited);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_that_takes_nothing_is_waited_for_once() {
        let mut patience = Patience::new();
        patience.spend(Duration::from_millis(19));
        assert_eq!(patience.left(), Some(Duration::from_millis(1)));
        patience.spend(Duration::from_millis(5));
        assert_eq!(patience.left(), None);
        patience.earn(0);
        assert_eq!(patience.left(), None);
    }

    #[test]
    fn what_a_reader_takes_is_all_that_it_can_hold_up() {
        let mut patience = Patience::new();
        patience.spend(MOST);
        patience.earn(1 << 20);
        assert!(patience.left().unwrap() <= Duration::from_micros(8_400));
        patience.earn(usize::MAX);
        assert_eq!(patience.left(), Some(MOST));
    }
}
