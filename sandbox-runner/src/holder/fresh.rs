//! What has just been read of a program's output.

use capstan_types::control::MAX_DATA;
use capstan_types::output::border::LONGEST_UNFINISHED;
use std::fs::File;
use std::io::{self, Read};

/// How much is read at once until there is more, in bytes.
const FIRST_READ: usize = 4096;

/// A read that brings less has emptied the terminal or the pipe. To ask on would be slow: a terminal makes sure first that it has nothing.
const WORTH_ASKING_ON: usize = 1024;

/// The last output read, and before it the few bytes that a reader may have been left waiting for.
#[derive(Debug, Default)]
pub(super) struct Fresh {
    /// [`LONGEST_UNFINISHED`] bytes of room for what came before, and behind it what was read.
    buffer: Vec<u8>,
    /// How many bytes were read last.
    count: usize,
}

impl Fresh {
    /// Reads what there is, at most [`MAX_DATA`], and gives up `from` where it has come to its end. The number of bytes read is returned.
    ///
    /// It takes all of it, because what follows costs as much for a page as for sixteen, and a terminal gives one at a time.
    pub(super) fn read(&mut self, from: &mut Option<File>) -> usize {
        self.keep_last();
        self.count = 0;
        while let Some(file) = from.as_mut() {
            match file.read(self.room()) {
                Ok(0) => *from = None,
                Ok(count) => {
                    self.count += count;
                    if count < WORTH_ASKING_ON || self.count == MAX_DATA {
                        break;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                // A terminal says so when nobody has it open any more.
                Err(_) => *from = None,
            }
        }
        self.count
    }

    /// What was read last.
    pub(super) fn bytes(&self) -> &[u8] {
        self.last(self.count)
    }

    /// The last `count` bytes of all that was read, as far as they are at hand: those that were read last, and a few before.
    pub(super) fn last(&self, count: usize) -> &[u8] {
        let end = LONGEST_UNFINISHED + self.count;
        self.buffer.get(end.saturating_sub(count)..end).unwrap_or_default()
    }

    fn keep_last(&mut self) {
        let end = LONGEST_UNFINISHED + self.count;
        if end <= self.buffer.len() {
            self.buffer.copy_within(self.count..end, 0);
        }
    }

    /// Room for more. Most sessions never need the whole.
    fn room(&mut self) -> &mut [u8] {
        let least = LONGEST_UNFINISHED + if self.count == 0 { FIRST_READ } else { MAX_DATA };
        if self.buffer.len() < least {
            self.buffer.resize(least, 0);
        }
        let from = LONGEST_UNFINISHED + self.count;
        let to = self.buffer.len().min(LONGEST_UNFINISHED + MAX_DATA);
        self.buffer.get_mut(from..to).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::descriptor::set_nonblocking;
    use std::io::Write;
    use std::os::fd::{AsFd, OwnedFd};

    #[test]
    fn all_that_is_there_is_read_and_the_bytes_before_stay_at_hand() {
        let (reader, mut writer) = io::pipe().unwrap();
        set_nonblocking(reader.as_fd()).unwrap();
        let mut from = Some(File::from(OwnedFd::from(reader)));
        let mut fresh = Fresh::default();
        assert_eq!(fresh.read(&mut from), 0);
        writer.write_all(b"abcdef").unwrap();
        assert_eq!((fresh.read(&mut from), fresh.bytes()), (6, &b"abcdef"[..]));
        writer.write_all(b"g").unwrap();
        assert_eq!((fresh.read(&mut from), fresh.bytes(), fresh.last(4)), (1, &b"g"[..], &b"defg"[..]));
        let much = vec![b'x'; 60_000];
        writer.write_all(&much).unwrap();
        assert_eq!(fresh.read(&mut from), 60_000);
        assert_eq!(fresh.last(60_001), [b"g", &much[..]].concat());
        drop(writer);
        assert_eq!((fresh.read(&mut from), from.is_none()), (0, true));
    }
}
