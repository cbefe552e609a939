//! A pipe of single bytes between the holder and init.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;

/// Both ends of a pipe.
pub(super) struct Pipe {
    pub(super) read: File,
    pub(super) write: File,
}

impl Pipe {
    pub(super) fn new() -> io::Result<Self> {
        let (read, write) = io::pipe()?;
        Ok(Self { read: OwnedFd::from(read).into(), write: OwnedFd::from(write).into() })
    }
}

/// Sends one byte.
pub(super) fn tell(mut to: &File, byte: u8) -> io::Result<()> {
    to.write_all(&[byte])
}

/// Waits for one byte; none when the other side is gone.
pub(super) fn hear(mut from: &File) -> io::Result<Option<u8>> {
    let mut byte = [0];
    Ok((from.read(&mut byte)? == 1).then_some(byte[0]))
}
