//! Waits for something to become true, because a test that sleeps is either slow or wrong.

use std::thread;
use std::time::{Duration, Instant};

/// How long to wait between two looks. Short against every deadline of a test, long against the cost of a look.
const BETWEEN_LOOKS: Duration = Duration::from_millis(10);

/// Looks again and again until `look` returns something, and fails the test with `what` when that takes longer than `within`.
///
/// # Panics
/// When the time is over.
pub fn until<T>(within: Duration, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(started.elapsed() < within, "waited {within:?} in vain for this: {what}");
        thread::sleep(BETWEEN_LOOKS);
    }
}

/// As [`until`], for a condition that only holds or does not.
///
/// # Panics
/// When the time is over.
pub fn until_true(within: Duration, what: &str, mut holds: impl FnMut() -> bool) {
    until(within, what, || holds().then_some(()));
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::catch_unwind;

    #[test]
    fn what_becomes_true_in_time_is_returned() {
        let mut looks = 0;
        let seen = until(Duration::from_secs(5), "three looks", || {
            looks += 1;
            (looks == 3).then_some("done")
        });
        assert_eq!((seen, looks), ("done", 3));
    }

    #[test]
    fn what_never_becomes_true_fails_with_its_name() {
        let failure = catch_unwind(|| until_true(Duration::from_millis(30), "the moon falls", || false)).unwrap_err();
        assert!(failure.downcast_ref::<String>().unwrap().contains("the moon falls"));
    }
}
