//! A connection that can be broken from outside, and that bears what its requests are to know.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::OwnedSemaphorePermit;
use tonic::transport::server::Connected;

/// Why a connection is broken. Ready once.
pub type Break = Pin<Box<dyn Future<Output = &'static str> + Send>>;

/// A stream `S` that ends when its break comes; each of its requests carries the `I`. What it holds is free again when it is closed.
pub struct Breakable<S, I> {
    stream: S,
    info: I,
    broken_by: Option<Break>,
    _held: Option<OwnedSemaphorePermit>,
}

impl<S, I: fmt::Debug> fmt::Debug for Breakable<S, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Breakable").field("info", &self.info).finish_non_exhaustive()
    }
}

impl<S, I> Breakable<S, I> {
    /// A connection that nothing breaks.
    pub const fn whole(stream: S, info: I) -> Self {
        Self { stream, info, broken_by: None, _held: None }
    }

    /// It ends when this is ready.
    #[must_use]
    pub fn until(self, broken_by: Break) -> Self {
        Self { broken_by: Some(broken_by), ..self }
    }

    /// It keeps a place until it is closed.
    #[must_use]
    pub fn holding(self, place: OwnedSemaphorePermit) -> Self {
        Self { _held: Some(place), ..self }
    }

    /// What its requests carry.
    pub const fn info(&self) -> &I {
        &self.info
    }

    /// The stream, as long as nothing is asked on it.
    pub const fn stream_mut(&mut self) -> &mut S {
        &mut self.stream
    }

    /// The stream, to be looked at.
    pub const fn stream(&self) -> &S {
        &self.stream
    }

    /// The same connection in other clothes.
    pub fn map<T, J>(self, stream: impl FnOnce(S) -> T, info: impl FnOnce(I) -> J) -> Breakable<T, J> {
        Breakable { stream: stream(self.stream), info: info(self.info), broken_by: self.broken_by, _held: self._held }
    }

    fn still(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        let Some(broken_by) = &mut self.broken_by else { return Ok(()) };
        match broken_by.as_mut().poll(context) {
            Poll::Pending => Ok(()),
            Poll::Ready(why) => {
                // A future that is over is not asked again.
                self.broken_by = Some(Box::pin(std::future::ready(why)));
                Err(io::Error::new(io::ErrorKind::ConnectionAborted, why))
            }
        }
    }
}

impl<S, I: Clone + Send + Sync + 'static> Connected for Breakable<S, I> {
    type ConnectInfo = I;

    fn connect_info(&self) -> I {
        self.info.clone()
    }
}

impl<S: AsyncRead + Unpin, I: Unpin> AsyncRead for Breakable<S, I> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        // A connection that is read is woken by this as well, so that a silent one ends too.
        self.still(context)?;
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin, I: Unpin> AsyncWrite for Breakable<S, I> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::sync::oneshot;

    #[tokio::test]
    async fn a_silent_connection_ends_when_it_is_broken_and_stays_so() {
        let (ours, mut theirs) = tokio::io::duplex(64);
        let (cut, cuts) = oneshot::channel::<()>();
        let broken_by: Break = Box::pin(async {
            let _ = cuts.await;
            "it was cut"
        });
        let mut breakable = Breakable::whole(ours, ()).until(broken_by);
        theirs.write_all(b"x").await.unwrap();
        assert_eq!(breakable.read_u8().await.unwrap(), b'x');
        let reading = async move {
            let first = breakable.read_u8().await.unwrap_err().to_string();
            (first, breakable.read_u8().await.unwrap_err().kind())
        };
        let cutting = async { cut.send(()).unwrap() };
        let (read, ()) = tokio::join!(reading, cutting);
        assert_eq!(read, ("it was cut".to_owned(), io::ErrorKind::ConnectionAborted));
    }
}
