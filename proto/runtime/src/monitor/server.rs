//! The server: one small request on each connection, with a bound on connections and on time.

use super::Shown;
use super::answer::{Answer, answer};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// Connections at once. Full: the next one waits in the kernel's queue.
const CONNECTIONS: usize = 32;

/// How long a request may take to be asked and answered.
const DEADLINE: Duration = Duration::from_secs(10);

/// How long to wait after an accept that failed, most often for want of descriptors.
const PAUSE: Duration = Duration::from_millis(200);

/// Why a monitor could not be started. For the operator.
#[derive(Debug, thiserror::Error)]
#[error("the monitor cannot listen at {address}: {source}; name a free address of this host, or port 0 for any")]
pub struct MonitorError {
    address: SocketAddr,
    source: io::Error,
}

/// A monitor that serves. Dropping it ends it.
#[derive(Debug)]
pub struct Monitor {
    address: SocketAddr,
    _serving: JoinSet<()>,
}

impl Monitor {
    /// Serves what is shown at an address of this host.
    ///
    /// # Errors
    /// [`MonitorError`]: it cannot be listened at.
    pub async fn start(address: SocketAddr, shown: Shown) -> Result<Self, MonitorError> {
        let bound = async {
            let listener = TcpListener::bind(address).await?;
            let address = listener.local_addr()?;
            Ok((listener, address))
        };
        let (listener, bound) = bound.await.map_err(|source| MonitorError { address, source })?;
        let mut serving = JoinSet::new();
        serving.spawn(serve(listener, shown));
        Ok(Self { address: bound, _serving: serving })
    }

    /// Where it listens, with its real port.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }
}

async fn serve(listener: TcpListener, shown: Shown) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        // It is never closed.
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let shown = shown.clone();
                connections.spawn(async move {
                    let _place = place;
                    // A peer that is slower than that is let go.
                    let _ = timeout(DEADLINE, connection(stream, shown)).await;
                });
            }
            Err(error) => {
                tracing::warn!(%error, "the monitor could not take a connection");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

async fn connection(stream: TcpStream, shown: Shown) {
    let service = service_fn(move |request| {
        let answered = respond(&request, &shown);
        async move { Ok::<_, Infallible>(answered) }
    });
    let mut server = hyper::server::conn::http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(DEADLINE).keep_alive(false).max_buf_size(16 * 1024);
    if let Err(error) = server.serve_connection(TokioIo::new(stream), service).await {
        tracing::debug!(%error, "a connection to the monitor broke");
    }
}

fn respond(request: &Request<Incoming>, shown: &Shown) -> Response<Full<Bytes>> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut refused = Response::new(Full::from("only GET is answered here\n"));
        *refused.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
        refused.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return refused;
    }
    let Answer { status, content_type, body } = answer(request.uri().path(), request.uri().query(), shown);
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
