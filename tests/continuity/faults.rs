//! What is taken away, and when.

use capstan_tests::seeded::Numbers;
use std::time::Duration;

/// What can be taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The client, with SIGKILL.
    Client,
    /// The coordinator, with SIGKILL.
    Coordinator,
    /// The node, with SIGKILL.
    Node,
    /// Every connection between the two.
    Connection,
    /// The node stands still for a moment.
    NodePaused,
}

/// Faults in their order, each so long after the one before.
pub(crate) type Faults = Vec<(Duration, Fault)>;

/// One to four faults within about the life of a program that takes so many milliseconds.
pub(crate) fn draw(numbers: &mut Numbers, milliseconds: u64) -> Faults {
    let count = 1 + numbers.below(4);
    let each = milliseconds / count + 1;
    (0..count)
        .map(|_| {
            let after = Duration::from_millis(numbers.below(each));
            let fault = match numbers.below(8) {
                0 => Fault::Client,
                1 | 2 => Fault::Coordinator,
                3 | 4 => Fault::Node,
                5 | 6 => Fault::Connection,
                _ => Fault::NodePaused,
            };
            (after, fault)
        })
        .collect()
}
