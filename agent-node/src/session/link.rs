//! One connection to a holder: frames in, frames out.

use bytes::BytesMut;
use capstan_types::control::{FrameError, MAX_DATA, Report, Request, VERSION};
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};

/// How long a holder may take to accept. It is on this host and has little else to do.
const CONNECT_DEADLINE: Duration = Duration::from_secs(5);

/// The longest path that a socket can be called by, in bytes.
const LONGEST_SOCKET_PATH: usize = 107;

/// Room for a frame of output and its head, so that most reads bring a whole one.
const READ_ROOM: usize = MAX_DATA + 64;

/// Room for several frames, for a reader that has just filled the other one: a holder of much output has more by then.
const BUSY_ROOM: usize = 4 * READ_ROOM;

/// Why a connection cannot go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LinkError {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("it does not accept connections")]
    Deaf,
    #[error(transparent)]
    Frame(#[from] FrameError),
    #[error("it speaks version {0} of the protocol, and this node speaks {VERSION}; update the node")]
    Newer(u32),
}

/// The half that hears the holder.
#[derive(Debug)]
pub(crate) struct Reader {
    half: OwnedReadHalf,
    arrived: BytesMut,
    /// How much the next read may bring.
    room: usize,
}

/// The half that speaks to the holder.
#[derive(Debug)]
pub(crate) struct Writer {
    half: OwnedWriteHalf,
    frame: BytesMut,
}

/// Connects to the holder that serves `socket`.
pub(crate) async fn connect(socket: &Path) -> Result<(Reader, Writer), LinkError> {
    Ok(over(open(socket).await?))
}

/// A connection that is there already.
pub(crate) fn over(stream: UnixStream) -> (Reader, Writer) {
    let (read, write) = stream.into_split();
    (Reader { half: read, arrived: BytesMut::new(), room: READ_ROOM }, Writer { half: write, frame: BytesMut::new() })
}

/// Connects, and gives the process that serves `socket`, by the kernel's word.
pub(crate) async fn connect_known(socket: &Path) -> Result<(Reader, Option<i32>), LinkError> {
    let stream = open(socket).await?;
    let pid = stream.peer_cred()?.pid();
    // The other half is closed with it; who only asks for a name has nothing to say.
    let (read, _) = stream.into_split();
    Ok((Reader { half: read, arrived: BytesMut::new(), room: READ_ROOM }, pid))
}

async fn open(socket: &Path) -> Result<UnixStream, LinkError> {
    let connecting = async {
        let (_held, name) = short_name(socket)?;
        UnixStream::connect(name).await
    };
    Ok(tokio::time::timeout(CONNECT_DEADLINE, connecting).await.map_err(|_| LinkError::Deaf)??)
}

/// A name by which the kernel takes the socket, however deep it lies: by way of its open directory if need be.
fn short_name(socket: &Path) -> io::Result<(Option<File>, PathBuf)> {
    match (socket.parent(), socket.file_name()) {
        (Some(parent), Some(name)) if socket.as_os_str().len() > LONGEST_SOCKET_PATH => {
            let parent = File::open(parent)?;
            let short = PathBuf::from(format!("/proc/self/fd/{}", parent.as_raw_fd())).join(name);
            Ok((Some(parent), short))
        }
        (_, _) => Ok((None, socket.to_owned())),
    }
}

impl Reader {
    /// Hears the holder's first word. Not to be followed by [`Reader::next`] after it was dropped.
    pub(crate) async fn hello(&mut self) -> Result<(), LinkError> {
        loop {
            match Report::decode(&mut self.arrived)? {
                Some(Report::Hello { version, .. }) if version > VERSION => return Err(LinkError::Newer(version)),
                Some(_) => return Ok(()),
                None if self.half.read_buf(&mut self.arrived).await? == 0 => {
                    return Err(LinkError::Io(io::ErrorKind::UnexpectedEof.into()));
                }
                None => {}
            }
        }
    }

    /// The next report; `None` when the holder has closed the connection. Dropping the future loses nothing.
    pub(crate) async fn next(&mut self) -> Result<Option<Report>, LinkError> {
        loop {
            match Report::decode(&mut self.arrived)? {
                Some(Report::Hello { version, .. }) if version > VERSION => return Err(LinkError::Newer(version)),
                Some(Report::Hello { .. }) => {}
                Some(report) => return Ok(Some(report)),
                None => {
                    self.arrived.reserve(self.room);
                    let count = self.half.read_buf(&mut self.arrived).await?;
                    self.room = if count >= READ_ROOM { BUSY_ROOM } else { READ_ROOM };
                    if count == 0 {
                        return Ok(None);
                    }
                }
            }
        }
    }
}

impl Writer {
    /// Sends a request. A future that is dropped may leave half a frame behind: the connection is of no use then.
    pub(crate) async fn send(&mut self, request: &Request) -> Result<(), LinkError> {
        self.frame.clear();
        request.encode(&mut self.frame);
        Ok(self.half.write_all(&self.frame).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use capstan_types::launch::SessionEnd;
    use capstan_types::output::{Piece, Seq};

    async fn answer(socket: &Path, reports: &[Report], cut: usize) -> (Reader, Writer) {
        let (held, name) = short_name(socket).unwrap();
        let listener = tokio::net::UnixListener::bind(name).unwrap();
        drop(held);
        let link = connect(socket).await.unwrap();
        let (mut holder, _) = listener.accept().await.unwrap();
        let mut wire = BytesMut::new();
        reports.iter().for_each(|report| report.encode(&mut wire));
        holder.write_all(&wire[..wire.len() - cut]).await.unwrap();
        link
    }

    #[tokio::test]
    async fn reports_arrive_in_order_and_hello_is_not_among_them() {
        let dir = tempfile::tempdir().unwrap();
        let output = Report::Output(Piece::Bytes { seq: Seq(7), bytes: vec![b'x'; MAX_DATA].into() });
        let ended = Report::Ended(SessionEnd::Exited { code: 3 });
        let sent = [Report::Hello { version: VERSION, pid: 1 }, output.clone(), ended.clone()];
        let (mut reader, _writer) = answer(&dir.path().join("s"), &sent, 0).await;
        assert_eq!(reader.next().await.unwrap(), Some(output));
        assert_eq!(reader.next().await.unwrap(), Some(ended));
        assert_eq!(reader.next().await.unwrap(), None);
    }

    #[tokio::test]
    async fn a_holder_of_a_newer_protocol_is_not_misunderstood() {
        let dir = tempfile::tempdir().unwrap();
        let (mut reader, _writer) = answer(&dir.path().join("s"), &[Report::Hello { version: VERSION + 1, pid: 1 }], 0).await;
        assert!(matches!(reader.next().await, Err(LinkError::Newer(_))));
    }

    #[tokio::test]
    async fn a_socket_is_reached_however_deep_it_lies() {
        let dir = tempfile::tempdir().unwrap();
        let deep = dir.path().join("x".repeat(120));
        std::fs::create_dir(&deep).unwrap();
        let (mut reader, _writer) = answer(&deep.join("s"), &[Report::InputClosed], 0).await;
        assert_eq!(reader.next().await.unwrap(), Some(Report::InputClosed));
    }
}
