//! Raw mode: every key goes to the session, and nothing is echoed here.

use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};
use std::io::{self, Write};

/// What undoes the modes that a session may have set on the terminal: the other screen, a hidden cursor, reports of the mouse and of pastes,
/// keys of the application's, a scrolling region, colours, line drawing.
const UNDO: &[u8] = b"\x1b[?1049l\x1b[?25h\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1004l\x1b[?1006l\x1b[?1015l\x1b[?2004l\x1b[?1l\
    \x1b>\x1b[?7h\x1b[r\x1b[0m\x0f\x1b(B";

/// A terminal in raw mode. Dropping it gives the terminal back as it was; a panic drops it, too.
#[derive(Debug)]
pub struct Raw {
    before: Termios,
}

impl Raw {
    /// Sets the terminal at standard input to raw mode.
    ///
    /// # Errors
    /// Standard input is no terminal, or is gone.
    pub fn enter() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut raw = before.clone();
        raw.make_raw();
        tcsetattr(io::stdin(), OptionalActions::Now, &raw)?;
        Ok(Self { before })
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        let mut out = io::stdout();
        // A terminal that is gone needs nothing back.
        let _ = out.write_all(UNDO).and_then(|()| out.flush());
        // Keys that are on their way were meant for the session, and not for the shell that reads next.
        let _ = tcsetattr(io::stdin(), OptionalActions::Flush, &self.before);
    }
}
