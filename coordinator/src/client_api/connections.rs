//! How many connections clients may have to one listener.
//!
//! One more is served all the same, but each of its requests is refused with a sentence, so that whoever sits before it is told; and of
//! such there are few. Past those a connection is closed without a word: every connection costs memory and a descriptor.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::transport::server::Connected;
use tonic::{Request, Status};

/// Connections that are served. Full: the next one is refused.
const MOST: usize = 256;

/// Connections that are being refused. Full: the next one is closed.
const REFUSED: usize = 32;

/// The places. Clones share them.
#[derive(Debug, Clone)]
pub(crate) struct Connections {
    most: usize,
    served: Arc<Semaphore>,
    refused: Arc<Semaphore>,
}

impl Default for Connections {
    fn default() -> Self {
        Self::of(MOST, REFUSED)
    }
}

impl Connections {
    fn of(most: usize, refused: usize) -> Self {
        Self { most, served: Arc::new(Semaphore::new(most)), refused: Arc::new(Semaphore::new(refused)) }
    }

    /// Takes a connection in, or drops it.
    pub(crate) fn take<S>(&self, stream: S) -> Option<Placed<S>> {
        let place = |places: &Arc<Semaphore>| Arc::clone(places).try_acquire_owned().ok();
        if let Some(held) = place(&self.served) {
            return Some(Placed { stream, welcome: Welcome::Served, _held: held });
        }
        let refused =
            place(&self.refused).map(|held| Placed { stream, welcome: Welcome::Refused { most: self.most }, _held: held });
        match &refused {
            Some(_) => tracing::warn!(most = self.most, "a client is refused: there are too many"),
            None => tracing::warn!(
                most = self.most,
                "a connection is closed: there are too many, and too many that are being refused"
            ),
        }
        refused
    }
}

/// Whether the requests of a connection are served. Each carries it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Welcome {
    Served,
    Refused { most: usize },
}

impl Welcome {
    /// Lets a request of a served connection in. One that came by the pipe bears no word, and is let in.
    ///
    /// # Errors
    /// RESOURCE_EXHAUSTED.
    pub(crate) fn check(request: Request<()>) -> Result<Request<()>, Status> {
        match request.extensions().get::<Self>() {
            Some(Self::Refused { most }) => Err(Status::resource_exhausted(format!(
                "this coordinator has {most} connections of clients here, which is the most; end some of them, and try again"
            ))),
            Some(Self::Served) | None => Ok(request),
        }
    }
}

/// A connection with its place, which is free again when it is closed.
#[derive(Debug)]
pub(crate) struct Placed<S> {
    stream: S,
    welcome: Welcome,
    _held: OwnedSemaphorePermit,
}

impl<S> Connected for Placed<S> {
    type ConnectInfo = Welcome;

    fn connect_info(&self) -> Welcome {
        self.welcome
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Placed<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Placed<S> {
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

    fn request_of(placed: &Placed<()>) -> Request<()> {
        let mut request = Request::new(());
        request.extensions_mut().insert(placed.connect_info());
        request
    }

    #[test]
    fn one_more_is_refused_in_a_sentence_and_the_next_is_closed() {
        let connections = Connections::of(2, 1);
        let [first, second, third] = [(); 3].map(|()| connections.take(()));
        assert!(Welcome::check(request_of(first.as_ref().unwrap())).is_ok());
        let refused = Welcome::check(request_of(third.as_ref().unwrap())).unwrap_err();
        assert_eq!(refused.code(), tonic::Code::ResourceExhausted);
        assert_eq!(
            refused.message(),
            "this coordinator has 2 connections of clients here, which is the most; end some of them, and try again"
        );
        assert!(connections.take(()).is_none());
        drop(second);
        assert!(Welcome::check(request_of(&connections.take(()).unwrap())).is_ok(), "a closed connection leaves its place");
    }

    #[test]
    fn what_came_by_the_pipe_is_let_in() {
        assert!(Welcome::check(Request::new(())).is_ok());
    }
}
