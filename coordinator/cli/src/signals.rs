//! SIGINT, SIGTERM and SIGHUP as wishes: the first is obeyed in order, the second at once.

use std::{fs, io};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// What a signal wishes for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// SIGINT: stop what runs.
    Interrupt,
    /// SIGTERM: end the process.
    Terminate,
    /// SIGHUP: end the process, whose terminal is closed.
    HangUp,
}

/// Listens to the signals. From its making on none of them ends the process by itself.
#[derive(Debug)]
pub struct Signals {
    interrupts: Signal,
    terminations: Signal,
    /// None once it was told, and for a process that was started to outlive its terminal.
    hang_up: Option<Signal>,
}

impl Signals {
    /// Begins to listen. SIGHUP stays ignored where it was, as `nohup` means it.
    ///
    /// # Errors
    /// What the system says when a handler cannot be installed.
    pub fn listen() -> io::Result<Self> {
        let ignored = fs::read_to_string("/proc/self/status").is_ok_and(|status| ignores_hang_up(&status));
        let hang_up = if ignored { None } else { Some(signal(SignalKind::hangup())?) };
        Ok(Self { interrupts: signal(SignalKind::interrupt())?, terminations: signal(SignalKind::terminate())?, hang_up })
    }

    /// The same for a daemon, to which SIGHUP says something else.
    ///
    /// # Errors
    /// As [`Signals::listen`].
    pub fn but_hang_up() -> io::Result<Self> {
        let (interrupts, terminations) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        Ok(Self { interrupts, terminations, hang_up: None })
    }

    /// The next wish. Dropping the future loses none. SIGHUP is told once: a terminal that is closed sends it from the shell and from
    /// the kernel, and nobody means the second.
    pub async fn next(&mut self) -> Wish {
        let wish = tokio::select! {
            _ = self.interrupts.recv() => Wish::Interrupt,
            _ = self.terminations.recv() => Wish::Terminate,
            () = received(&mut self.hang_up) => Wish::HangUp,
        };
        if wish == Wish::HangUp {
            self.hang_up = None;
        }
        wish
    }
}

async fn received(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => {
            signal.recv().await;
        }
        None => std::future::pending().await,
    }
}

/// Whether the process of this `/proc/PID/status` was started with SIGHUP ignored.
fn ignores_hang_up(status: &str) -> bool {
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_under_nohup_is_known_by_its_status() {
        assert!(ignores_hang_up("SigBlk:\t0000000000000000\nSigIgn:\t0000000000001001\n"));
        assert!(!ignores_hang_up("SigBlk:\t0000000000000001\nSigIgn:\t0000000000001000\n"));
        assert!(!ignores_hang_up(""));
    }
}
