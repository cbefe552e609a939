//! SIGINT and SIGTERM as wishes: the first is obeyed in order, the second at once.

use std::io;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// What a signal wishes for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// SIGINT: stop what runs.
    Interrupt,
    /// SIGTERM: end the process.
    Terminate,
}

/// Listens to both signals. From its making on neither ends the process by itself.
#[derive(Debug)]
pub struct Signals {
    interrupts: Signal,
    terminations: Signal,
}

impl Signals {
    /// Begins to listen.
    ///
    /// # Errors
    /// What the system says when a handler cannot be installed.
    pub fn listen() -> io::Result<Self> {
        Ok(Self { interrupts: signal(SignalKind::interrupt())?, terminations: signal(SignalKind::terminate())? })
    }

    /// The next wish. Dropping the future loses none.
    pub async fn next(&mut self) -> Wish {
        tokio::select! {
            _ = self.interrupts.recv() => Wish::Interrupt,
            _ = self.terminations.recv() => Wish::Terminate,
        }
    }
}
