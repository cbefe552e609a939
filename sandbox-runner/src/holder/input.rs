//! What the program is to read, queued until it does.

use crate::terminal::Terminal;
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsRawFd, RawFd};

/// How many bytes may wait. Full: the connection that sends is not read from until the program has taken some.
const MOST_WAITING: usize = 256 * 1024;

/// The program's standard input.
#[derive(Debug)]
pub(super) struct Input {
    /// None when there is no input, or no more.
    to: Option<File>,
    waiting: VecDeque<u8>,
    /// Whether it is closed behind what waits.
    closing: bool,
    /// The last byte that was offered.
    last: Option<u8>,
}

impl Input {
    /// Input to `to`, which does not block; none is an input that is closed from the start.
    pub(super) const fn new(to: Option<File>) -> Self {
        Self { to, waiting: VecDeque::new(), closing: false, last: None }
    }

    /// Takes bytes for the program, unless its input is closed.
    pub(super) fn offer(&mut self, bytes: &[u8]) -> bool {
        if self.to.is_none() || self.closing {
            return false;
        }
        self.last = bytes.last().copied().or(self.last);
        self.waiting.extend(bytes);
        true
    }

    /// Whether nothing more should be offered for now.
    pub(super) fn is_full(&self) -> bool {
        self.waiting.len() >= MOST_WAITING
    }

    /// Ends the input behind what waits. A terminal stays open, for what it ends is one program's reading, not its own.
    pub(super) fn close(&mut self, terminal: Option<&Terminal>) {
        match terminal {
            Some(terminal) => {
                self.waiting.extend(terminal.end_of_file(self.last));
                self.last = None;
            }
            None => self.closing = true,
        }
    }

    /// Closes the input now, and forgets what waits: nobody is there to read it.
    pub(super) fn shut(&mut self) {
        self.to = None;
        self.waiting.clear();
    }

    /// The descriptor to wait for until it can be written, or closed.
    pub(super) fn waits_for(&self) -> Option<RawFd> {
        self.to.as_ref().filter(|_| self.closing || !self.waiting.is_empty()).map(AsRawFd::as_raw_fd)
    }

    /// Writes what the program takes now.
    pub(super) fn write_some(&mut self) {
        while let Some(to) = self.to.as_mut().filter(|_| !self.waiting.is_empty()) {
            match to.write(self.waiting.as_slices().0) {
                Ok(count) => drop(self.waiting.drain(..count)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                // The program has closed its side.
                Err(_) => self.shut(),
            }
        }
        if self.closing {
            self.to = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::descriptor::set_nonblocking;
    use std::io::Read;
    use std::os::fd::{AsFd, OwnedFd};

    fn pipe() -> (io::PipeReader, Input) {
        let (reader, writer) = io::pipe().unwrap();
        set_nonblocking(writer.as_fd()).unwrap();
        (reader, Input::new(Some(File::from(OwnedFd::from(writer)))))
    }

    #[test]
    fn what_waits_is_written_before_the_input_is_closed() {
        let (mut reader, mut input) = pipe();
        let sent = vec![7; 300_000];
        assert!(input.offer(&sent));
        assert!(input.is_full());
        input.close(None);
        assert!(!input.offer(b"late"));
        let mut received = Vec::new();
        while input.waits_for().is_some() {
            input.write_some();
            let mut part = vec![0; 65_536];
            let count = reader.read(&mut part).unwrap();
            received.extend(&part[..count]);
        }
        reader.read_to_end(&mut received).unwrap();
        assert_eq!(received, sent);
    }

    #[test]
    fn a_program_that_closed_its_input_is_offered_nothing() {
        let (reader, mut input) = pipe();
        drop(reader);
        input.offer(b"x");
        input.write_some();
        assert!(!input.offer(b"y"));
        assert_eq!(input.waits_for(), None);
    }
}
