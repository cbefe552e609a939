//! A launch by the fork server: one connection, one document, one answer, and one byte to say that the answer was taken.
//!
//! Without that byte the holder ends what it has started. So a connection that is dropped at any moment before leaves no session that
//! nobody knows of.

use crate::session::holder::Holder;
use std::io;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;

/// The longest answer, in bytes.
pub(crate) const MAX_ANSWER: u64 = 64 * 1024;

/// What was heard on a connection.
#[derive(Debug)]
pub(crate) enum Heard {
    /// The other side went before it had read the document, so that nothing was started.
    Unread,
    /// This line, which is empty when the other side died without one, and the connection.
    Line(Vec<u8>, UnixStream),
}

/// Hands over the document and reads the answer.
pub(crate) async fn ask(stream: UnixStream, document: &[u8]) -> Heard {
    let mut stream = BufReader::with_capacity(1024, stream);
    let length = u32::try_from(document.len()).unwrap_or(u32::MAX).to_be_bytes();
    let sent = stream.write_all(&[&length, document].concat()).await;
    let mut line = Vec::new();
    let read = (&mut stream).take(MAX_ANSWER).read_until(b'\n', &mut line).await;
    // The kernel resets a connection whose peer goes with bytes unread, and only then.
    let reset = read.is_err_and(|error| error.kind() == io::ErrorKind::ConnectionReset);
    if line.is_empty() && (sent.is_err() || reset) {
        return Heard::Unread;
    }
    Heard::Line(line, stream.into_inner())
}

/// Takes the session that the holder `pid` has answered for. The connection is one to the holder from then on.
///
/// The handle is taken before the byte is sent, and the byte reaches a holder that lives: so the number was its own.
pub(crate) async fn take(mut stream: UnixStream, pid: u32) -> io::Result<(Holder, UnixStream)> {
    let holder = Holder::known(i32::try_from(pid).map_err(io::Error::other)?)?;
    stream.write_all(b".").await?;
    Ok((holder, stream))
}

/// Waits until a holder that refused has gone.
pub(crate) async fn closed(mut stream: UnixStream) {
    let _ = stream.read(&mut [0]).await;
}
