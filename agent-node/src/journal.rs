//! The node's start journal: what was asked of this node, what came of it, and the newest owner of each thread, kept so that the node may
//! be killed at any moment.
//!
//! Invariants: a start is in the journal before the runner is asked, and a raised epoch before it is obeyed; what was acknowledged is
//! there after any death of the process, and with [`config::JournalSync::On`] after a loss of power too. A journal of which anything but
//! the last frame cannot be read is not trusted at all.
//!
//! [`config::JournalSync::On`]: crate::config::JournalSync::On

mod entry;
mod file;
mod frame;
mod tables;
mod writer;

pub(crate) use entry::{Entry, Intent};
pub(crate) use tables::{Kept, Stage};
pub(crate) use writer::{Journal, JournalError};
