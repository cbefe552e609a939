//! A connection inside one process, so that the embedded node is reached through the same service as a remote one.

use super::windows::with_windows;
use futures_core::Stream;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::DuplexStream;
use tokio::sync::mpsc;
use tonic::transport::{Channel, Endpoint, Uri};

/// Bytes that may be under way in each direction of one connection; beyond it the writer waits.
const PIPE_BYTES: usize = 256 * 1024;

/// Connections that may wait to be accepted; beyond it the connector waits.
const PENDING_CONNECTIONS: usize = 16;

/// Makes connections to the listener it was made with.
#[derive(Debug, Clone)]
pub struct PipeConnector {
    accept: mpsc::Sender<DuplexStream>,
}

/// Accepts the connections of its connectors, as a stream that tonic serves.
#[derive(Debug)]
pub struct PipeListener {
    incoming: mpsc::Receiver<DuplexStream>,
}

/// A connector and its listener.
#[must_use]
pub fn pipe() -> (PipeConnector, PipeListener) {
    let (accept, incoming) = mpsc::channel(PENDING_CONNECTIONS);
    (PipeConnector { accept }, PipeListener { incoming })
}

impl PipeConnector {
    /// A channel over pipes. It connects when first used, and again when the connection was lost.
    #[must_use]
    pub fn channel(&self) -> Channel {
        let accept = self.accept.clone();
        let connect = tower::service_fn(move |_: Uri| {
            let accept = accept.clone();
            async move {
                let (ours, theirs) = tokio::io::duplex(PIPE_BYTES);
                accept
                    .send(theirs)
                    .await
                    .map_err(|_| io::Error::new(io::ErrorKind::ConnectionRefused, "the server has stopped"))?;
                Ok::<_, io::Error>(hyper_util::rt::TokioIo::new(ours))
            }
        });
        // The authority is never resolved: the connector ignores it.
        with_windows(Endpoint::from_static("http://pipe.invalid")).connect_with_connector_lazy(connect)
    }
}

impl Stream for PipeListener {
    type Item = io::Result<DuplexStream>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.incoming.poll_recv(context).map(|stream| stream.map(Ok))
    }
}
