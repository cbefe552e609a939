//! What is told, at the pace of whoever hears it.

use capstan_types::files::frame::{CREDIT, Frame, MOST, WINDOW};
use capstan_types::files::report::FilesReport;
use std::io::{self, Read, Write};

/// Answers in frames. It waits for its reader when it is [`WINDOW`] bytes ahead.
pub(crate) struct Out<'a> {
    out: &'a mut dyn Write,
    acknowledged: &'a mut dyn Read,
    sent: u64,
    taken: u64,
}

impl<'a> Out<'a> {
    /// Writes to `out`, and reads from `acknowledged` what the reader has taken.
    pub(crate) fn new(out: &'a mut dyn Write, acknowledged: &'a mut dyn Read) -> Self {
        Self { out, acknowledged, sent: 0, taken: 0 }
    }

    /// Tells a report.
    ///
    /// # Errors
    /// Nobody hears it any more.
    pub(crate) fn tell(&mut self, report: &FilesReport) -> io::Result<()> {
        let json = serde_json::to_vec(report)?;
        debug_assert!(json.len() <= MOST, "whoever fills a report bounds it");
        self.send(&Frame::Report(json))
    }

    /// Sends bytes of a file.
    ///
    /// # Errors
    /// As [`Out::tell`].
    pub(crate) fn data(&mut self, bytes: &[u8]) -> io::Result<()> {
        bytes.chunks(MOST).try_for_each(|piece| self.send(&Frame::Data(piece.to_vec())))
    }

    fn send(&mut self, frame: &Frame) -> io::Result<()> {
        let mut bytes = Vec::new();
        frame.encode(&mut bytes);
        self.sent += bytes.len() as u64;
        while self.sent > self.taken + WINDOW {
            if !self.hear()? {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
        }
        self.out.write_all(&bytes)?;
        self.out.flush()
    }

    /// Waits for what the reader acknowledges; false when it has gone.
    pub(crate) fn hear(&mut self) -> io::Result<bool> {
        let mut credits = [0; 64];
        loop {
            match self.acknowledged.read(&mut credits) {
                Ok(count) => {
                    self.taken += count as u64 * CREDIT;
                    return Ok(count > 0);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}
