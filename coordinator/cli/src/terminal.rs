//! This process's terminal: its modes while a session is live on it, and its keys.

pub mod detach_keys;
pub mod keys;
pub mod raw;

pub use detach_keys::{DetachKeys, Scan, Scanner};
pub use raw::Raw;

use capstan_types::launch::TermSize;

/// The size of the terminal at standard output, if it is one.
#[must_use]
pub fn size() -> Option<TermSize> {
    let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok()?;
    (size.ws_row > 0 && size.ws_col > 0).then_some(TermSize { rows: size.ws_row, cols: size.ws_col })
}
