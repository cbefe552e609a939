//! A node's side of the control socket.

use bytes::BytesMut;
use capstan_types::control::{Report, Request, VERSION, Wants};
use capstan_types::launch::SessionEnd;
use capstan_types::output::{Piece, Seq};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use std::time::Instant;

/// Longer than anything here takes; a test that waits this long has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A connection that has been greeted.
pub(crate) struct Client {
    pub(crate) stream: UnixStream,
    incoming: BytesMut,
}

/// What a session wrote, as one reader saw it: for each position a byte, or nothing for what was dropped.
pub(crate) struct Seen {
    pub(crate) bytes: Vec<Option<u8>>,
    pub(crate) end: SessionEnd,
}

impl Seen {
    /// The text, when nothing was dropped.
    pub(crate) fn text(&self) -> String {
        let bytes: Vec<u8> = self.bytes.iter().map(|byte| byte.expect("output was dropped")).collect();
        String::from_utf8(bytes).unwrap()
    }
}

impl Client {
    pub(crate) fn connect(dir: &Path) -> Self {
        let mut client = Self::connect_silently(dir);
        assert!(matches!(client.next(), Some(Report::Hello { version: VERSION, .. })));
        client
    }

    /// A second handle on a connection, for sending beside its reader.
    pub(crate) fn over(stream: UnixStream) -> Self {
        Self { stream, incoming: BytesMut::new() }
    }

    /// A connection of which nothing has been read.
    pub(crate) fn connect_silently(dir: &Path) -> Self {
        let stream = UnixStream::connect(dir.join("control.sock")).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self { stream, incoming: BytesMut::new() }
    }

    pub(crate) fn attach(dir: &Path, from: u64) -> Self {
        let mut client = Self::connect(dir);
        client.send(&Request::Attach { version: VERSION, from: Seq(from), wants: Wants::default() });
        client
    }

    pub(crate) fn send(&mut self, request: &Request) {
        let mut frame = BytesMut::new();
        request.encode(&mut frame);
        self.stream.write_all(&frame).unwrap();
    }

    pub(crate) fn type_in(&mut self, text: &str) {
        self.send(&Request::Input(bytes::Bytes::copy_from_slice(text.as_bytes())));
    }

    /// The next report; nothing when the holder has closed the connection.
    pub(crate) fn next(&mut self) -> Option<Report> {
        loop {
            if let Some(report) = Report::decode(&mut self.incoming).unwrap() {
                return Some(report);
            }
            let mut part = [0; 65_536];
            match self.stream.read(&mut part) {
                Ok(0) => return None,
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return None,
                Ok(count) => self.incoming.extend_from_slice(&part[..count]),
                Err(error) => panic!("no report: {error}"),
            }
        }
    }

    /// Reads on until what was seen here contains `text`.
    pub(crate) fn until(&mut self, text: &str) -> String {
        let mut seen = String::new();
        while !seen.contains(text) {
            match self.next() {
                Some(Report::Output(Piece::Bytes { bytes, .. })) => seen.push_str(std::str::from_utf8(&bytes).unwrap()),
                other => panic!("{other:?} after {seen:?}, before {text:?}"),
            }
        }
        seen
    }

    /// Reads to the end of the session.
    pub(crate) fn read_to_end(&mut self) -> Seen {
        let mut bytes = Vec::new();
        loop {
            match self.next() {
                Some(Report::Output(Piece::Bytes { bytes: more, .. })) => bytes.extend(more.iter().copied().map(Some)),
                Some(Report::Output(Piece::Gap { bytes: count, .. })) => {
                    bytes.extend(std::iter::repeat_n(None, usize::try_from(count).unwrap()));
                }
                Some(Report::Ended(end)) => return Seen { bytes, end },
                other => panic!("{other:?}"),
            }
        }
    }
}

/// The runner's binary, not started yet.
#[expect(clippy::disallowed_methods, reason = "the subject of these tests is a process")]
pub(crate) fn runner(verb: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_capstan-sandbox"));
    command.arg(verb);
    command
}

/// Waits for something that sends no event: a file of another process, a process of nobody's.
pub(crate) fn wait_until(what: &str, mut happened: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !happened() {
        assert!(begun.elapsed() < PATIENCE, "{what} did not happen");
        std::thread::yield_now();
    }
}
