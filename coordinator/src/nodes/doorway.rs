//! What everybody shares who works on a node, whatever becomes of the connection to it: whether turns may begin there, and how many run.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// The door of one node. Clones are the same door.
#[derive(Debug, Clone, Default)]
pub struct Doorway(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    closed: AtomicBool,
    turns: AtomicU32,
}

/// A turn that runs on a node. Dropping it says that it has ended.
#[derive(Debug)]
pub struct Stay(Arc<Inner>);

impl Doorway {
    /// Whether turns may not begin there now.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.0.closed.load(Ordering::Acquire)
    }

    /// Closes or opens it; says whether it was otherwise before.
    pub(super) fn set_closed(&self, closed: bool) -> bool {
        self.0.closed.swap(closed, Ordering::AcqRel) != closed
    }

    /// A turn begins there.
    #[must_use]
    pub fn enter(&self) -> Stay {
        self.0.turns.fetch_add(1, Ordering::AcqRel);
        Stay(Arc::clone(&self.0))
    }

    /// How many turns of this coordinator run there.
    #[must_use]
    pub fn turns(&self) -> u32 {
        self.0.turns.load(Ordering::Acquire)
    }
}

impl Drop for Stay {
    fn drop(&mut self) {
        self.0.turns.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_are_counted_while_they_run_and_a_door_is_one_for_all() {
        let (door, other) = (Doorway::default(), Doorway::default());
        let (first, second) = (door.clone().enter(), door.enter());
        assert_eq!((door.turns(), other.turns()), (2, 0));
        drop((first, second));
        assert_eq!(door.turns(), 0);
        assert!(door.set_closed(true) && !door.set_closed(true));
        assert!(door.is_closed());
    }
}
