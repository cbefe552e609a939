//! How many connections clients may have to one listener.
//!
//! One more is served all the same, but each of its requests is refused with a sentence, so that whoever sits before it is told; and of
//! such there are few. Past those a connection is closed without a word: every connection costs memory and a descriptor.

use capstan_proto::transport::Breakable;
use std::sync::Arc;
use tokio::sync::Semaphore;
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
            return Some(Breakable::whole(stream, Welcome::Served).holding(held));
        }
        let refused =
            place(&self.refused).map(|held| Breakable::whole(stream, Welcome::Refused { most: self.most }).holding(held));
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
pub(crate) type Placed<S> = Breakable<S, Welcome>;

#[cfg(test)]
mod tests {
    use super::*;
    use tonic::transport::server::Connected as _;

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
