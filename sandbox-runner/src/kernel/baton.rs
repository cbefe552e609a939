//! Turns at working, for two processes in one memory: while one works, the other waits.
#![expect(unsafe_code, reason = "futexes have no form in the standard library that two processes can share")]

use std::sync::atomic::{AtomicU32, Ordering};

/// It works. When it is gone, or is another program, the kernel writes 0.
const WORKS: u32 = 1;
/// It waits to be told to go on.
const WAITS: u32 = 2;

/// What the two wait by. The one that was made later is called the child.
///
/// Between being told to go on and the other's waiting both run, for a system call each. Neither may do anything there but that: they
/// share an allocator, and the place of the last error.
#[derive(Debug)]
pub(crate) struct Baton {
    child: AtomicU32,
    told: AtomicU32,
}

impl Baton {
    /// A baton that a child is to be made with, and then holds.
    pub(crate) const fn new() -> Self {
        Self { child: AtomicU32::new(WORKS), told: AtomicU32::new(0) }
    }

    /// Where the kernel is to write when the child is gone or is another program (`CLONE_CHILD_CLEARTID`).
    pub(super) fn cleared_by_kernel(&self) -> u64 {
        self.child.as_ptr().addr() as u64
    }

    /// In the child: lets the parent work, and waits until it is told to go on. To be called once.
    pub(crate) fn pause(&self) {
        self.child.store(WAITS, Ordering::SeqCst);
        wake(&self.child);
        while self.told.load(Ordering::SeqCst) == 0 {
            wait(&self.told, 0);
        }
    }

    /// Has the child go on, and waits until it is gone or is another program.
    pub(crate) fn resume(&self) {
        // Only from one state to the other: the kernel may have written that it is gone.
        if self.child.compare_exchange(WAITS, WORKS, Ordering::SeqCst, Ordering::SeqCst).is_ok() {
            self.told.store(1, Ordering::SeqCst);
            wake(&self.told);
            self.await_other();
        }
    }

    /// Waits until the child waits or is gone.
    pub(super) fn await_other(&self) {
        while self.child.load(Ordering::SeqCst) == WORKS {
            wait(&self.child, WORKS);
        }
    }

    /// Whether the child waits to be told.
    pub(crate) fn child_waits(&self) -> bool {
        self.child.load(Ordering::SeqCst) == WAITS
    }
}

fn wait(word: &AtomicU32, while_it_is: u32) {
    // Not the private kind: the kernel wakes by the other.
    // SAFETY: the word is live, and there is no deadline to be read. It returns at once when the word is another, and may wake early.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAIT, while_it_is, std::ptr::null::<libc::timespec>()) };
}

fn wake(word: &AtomicU32) {
    // SAFETY: the word is live.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAKE, 1) };
}
