//! What a user sees of a turn: [`JsonLines`] for programs, [`Transcript`] for people. Both are fed the same events.
//!
//! Invariant: nothing that a model or a command wrote reaches a terminal as it is; see [`text`], [`live`] and the escapes of [`jsonl`].

pub mod ink;
pub mod text;

pub mod amount;
pub mod as_root;
pub mod columns;
#[cfg(test)]
pub(crate) mod fixture;
pub mod jsonl;
pub mod live;
pub mod moment;
pub mod transcript;

pub use as_root::AsRoot;
pub use ink::{Ink, Role};
pub use jsonl::JsonLines;
pub use transcript::{Detail, Page, Transcript};

use capstan_types::event::Event;
use std::io;

/// Shows a thread's events as they come.
pub trait Render {
    /// Shows one event.
    ///
    /// # Errors
    /// The output cannot be written; with [`io::ErrorKind::BrokenPipe`] its reader has left.
    fn show(&mut self, event: &Event) -> io::Result<()>;
}
