//! What a client has said so far, read no further than is needed and for no longer than is granted.

use crate::refused::Refused;
use std::io::{self, Read};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// Bytes of a client that have arrived and not been used.
pub(crate) struct Incoming<'a> {
    stream: &'a TcpStream,
    bytes: Vec<u8>,
    deadline: Instant,
}

impl<'a> Incoming<'a> {
    pub(crate) fn new(stream: &'a TcpStream, patience: Duration) -> Self {
        Self { stream, bytes: Vec::new(), deadline: Instant::now() + patience }
    }

    /// Goes on from bytes that had arrived.
    pub(crate) fn resume(stream: &'a TcpStream, bytes: Vec<u8>, patience: Duration) -> Self {
        Self { stream, bytes, deadline: Instant::now() + patience }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Forgets the first bytes, which were used.
    pub(crate) fn used(&mut self, count: usize) {
        self.bytes.drain(..count.min(self.bytes.len()));
    }

    /// What was not used.
    pub(crate) fn into_rest(self) -> Vec<u8> {
        self.bytes
    }

    /// Waits for more bytes. The end of the stream and the deadline are both a client that has gone.
    pub(crate) fn more(&mut self) -> Result<(), Refused> {
        let mut piece = [0; 4096];
        loop {
            let left = self.deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Refused::Gone);
            }
            self.stream.set_read_timeout(Some(left))?;
            match (&mut &*self.stream).read(&mut piece) {
                Ok(0) => return Err(Refused::Gone),
                Ok(count) => {
                    self.bytes.extend_from_slice(&piece[..count]);
                    return Ok(());
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}
