//! Runs `capstan` in a terminal at which somebody sits: reads, types, drags the window.

use super::Capstan;
use super::terminal::{SIZE, Shown, command};
use crate::process::{Signal, send};
use crate::wait::until;
use portable_pty::{Child, MasterPty, PtySize, SlavePty, native_pty_system};
use std::fmt;
use std::io::{Read, Write};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// A run in a terminal. Dropping it kills the process.
pub struct LiveTerminal {
    master: Box<dyn MasterPty + Send>,
    /// Kept open, so that the terminal outlives the process and can be looked at.
    _slave: Box<dyn SlavePty + Send>,
    keys: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    shown: Arc<Mutex<Vec<u8>>>,
    deadline: Duration,
}

impl fmt::Debug for LiveTerminal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LiveTerminal").field("shown", &self.text()).finish_non_exhaustive()
    }
}

impl Capstan {
    /// Starts it in a terminal.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn start_in_terminal(self) -> LiveTerminal {
        let pair = native_pty_system().openpty(SIZE).expect("this machine has terminals");
        let mut output = pair.master.try_clone_reader().expect("a terminal can be read");
        let keys = pair.master.take_writer().expect("a terminal can be written to");
        let child = pair.slave.spawn_command(command(&self)).expect("the program can be started");
        let shown: Arc<Mutex<Vec<u8>>> = Arc::default();
        let kept = Arc::clone(&shown);
        // Ends with the terminal.
        thread::spawn(move || {
            let mut piece = [0; 4096];
            while let Ok(length @ 1..) = output.read(&mut piece) {
                let Ok(mut kept) = kept.lock() else { return };
                kept.extend_from_slice(&piece[..length]);
            }
        });
        LiveTerminal { master: pair.master, _slave: pair.slave, keys, child, shown, deadline: self.deadline }
    }
}

impl LiveTerminal {
    /// What it has shown so far, with `\n` at the ends of lines.
    ///
    /// # Panics
    /// Never: no thread panics with the bytes.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.shown.lock().expect("no thread panics with the bytes")).replace("\r\n", "\n")
    }

    /// Waits until it shows this.
    ///
    /// # Panics
    /// When the deadline passes first.
    pub fn until(&self, text: &str) {
        let seen = || self.text().contains(text);
        until(self.deadline, &format!("{text:?} on a terminal; now {self:#?}"), || seen().then_some(()));
    }

    /// Types.
    ///
    /// # Panics
    /// When the terminal is gone.
    pub fn keys(&mut self, typed: &str) {
        self.keys.write_all(typed.as_bytes()).and_then(|()| self.keys.flush()).expect("a terminal takes keys");
    }

    /// Gives the window another size.
    ///
    /// # Panics
    /// When the terminal is gone.
    pub fn resize(&self, rows: u16, cols: u16) {
        self.master.resize(PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }).expect("a terminal can be resized");
    }

    /// The terminal's modes, to be compared.
    #[must_use]
    pub fn modes(&self) -> String {
        format!("{:?}", self.master.get_termios())
    }

    /// Sends it a signal.
    ///
    /// # Panics
    /// When it has ended already.
    pub fn send(&self, signal: Signal) {
        assert!(self.child.process_id().is_some_and(|pid| send(signal, pid)), "the process has ended already");
    }

    /// Waits for its end, and gives what it showed to the last.
    ///
    /// # Panics
    /// When the deadline passes first.
    #[must_use]
    pub fn ended(&mut self) -> Shown {
        let child = &mut self.child;
        let status =
            until(self.deadline, "the end of a run in a terminal", || child.try_wait().expect("a child can be waited for"));
        // What it wrote last may still be on its way through the kernel.
        let mut last = self.text();
        until(self.deadline, "a terminal that says no more", || {
            thread::sleep(Duration::from_millis(50));
            let now = self.text();
            let quiet = now == last;
            last = now;
            quiet.then_some(())
        });
        Shown { code: status.exit_code(), text: last }
    }
}

impl Drop for LiveTerminal {
    fn drop(&mut self) {
        let _it_may_be_gone = self.child.kill();
        let _ = self.child.wait();
    }
}
