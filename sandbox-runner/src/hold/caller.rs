//! Who asked for a session: the process that started this one, or a connection to `serve`.
//!
//! On a connection the document has its length before it, in four bytes, the most significant first; the answer is the same line of
//! JSON; and the caller says by one byte that it has taken the answer. Without that byte nobody might know of the session, because what
//! is written to a connection need not be read. From then on the connection is one to the control socket like others, as one that has
//! made a request.

use crate::kernel::descriptor;
use capstan_types::launch::LaunchAnswer;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// The longest launch document, in bytes.
pub(crate) const MAX_DOCUMENT: usize = 1 << 20;

/// How long a connection may be silent when it is its turn. It is the node's, which has nothing to do in between.
const PATIENCE: Duration = Duration::from_secs(10);

/// Who is to be answered.
#[derive(Debug)]
pub(crate) enum Caller {
    /// The process that started us: asks on standard input, and is answered on standard output.
    Streams,
    /// A connection to `serve`.
    Connection(UnixStream),
}

impl Caller {
    /// A caller that connected. One that falls silent is not waited for without end.
    pub(crate) fn over(stream: UnixStream) -> io::Result<Self> {
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Self::Connection(stream))
    }

    /// The document; of one that is too long no more than shows it.
    pub(super) fn document(&mut self) -> io::Result<Vec<u8>> {
        let mut document = Vec::new();
        match self {
            Self::Streams => {
                io::stdin().lock().take(MAX_DOCUMENT as u64 + 1).read_to_end(&mut document)?;
            }
            Self::Connection(stream) => {
                let mut length = [0; 4];
                stream.read_exact(&mut length)?;
                let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
                document.resize(length.min(MAX_DOCUMENT + 1), 0);
                stream.read_exact(&mut document)?;
            }
        }
        Ok(document)
    }

    /// Gives the answer.
    pub(super) fn tell(&mut self, answer: &LaunchAnswer) -> io::Result<()> {
        let mut line = serde_json::to_vec(answer)?;
        line.push(b'\n');
        match self {
            Self::Streams => {
                let mut out = io::stdout().lock();
                out.write_all(&line)?;
                out.flush()
            }
            Self::Connection(stream) => stream.write_all(&line),
        }
    }

    /// Waits until the answer has been taken.
    pub(super) fn await_taken(&mut self) -> io::Result<()> {
        match self {
            // Whoever started this process has its number, and so a hold on it.
            Self::Streams => Ok(()),
            Self::Connection(stream) => stream.read_exact(&mut [0]),
        }
    }

    /// Leaves the caller to itself. A connection goes on as one of the session's.
    pub(super) fn let_go(self) -> Option<UnixStream> {
        match self {
            Self::Streams => {
                let _ = descriptor::detach_standard_streams();
                None
            }
            Self::Connection(stream) => Some(stream),
        }
    }
}
