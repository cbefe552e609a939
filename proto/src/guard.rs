//! Stands before all services of one listener: over TLS a request passes only if the table of methods says so for its caller's role, and
//! only as long as the caller's certificate is good. Every refusal is in the audit log.

use crate::methods;
use crate::transport::tls::Caller;
use capstan_identity::audit::{Entry, Kind};
use capstan_identity::membership::Membership;
use capstan_identity::time_now::now_ms;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use tonic::Status;
use tonic::body::Body;
use tower::{Layer, Service};

/// What stands before a listener's services.
#[derive(Debug, Clone)]
pub enum Guard {
    /// Nothing: who can reach the listener was checked otherwise.
    Open,
    /// The table of methods.
    Members(Membership),
}

impl Guard {
    fn judge(&self, path: &str, caller: Option<&Caller>) -> Result<(), Status> {
        let Self::Members(Membership { live, audit }) = self else { return Ok(()) };
        let peer = caller.and_then(Caller::peer);
        let refused = |status: Status| {
            let mut entry = Entry::new(Kind::Refused, peer, path, status.message().to_owned());
            entry.from = caller.and_then(Caller::from);
            audit.write(entry);
            Err(status)
        };
        let Some(method) = methods::find(path) else {
            return refused(Status::permission_denied("nobody may call this method"));
        };
        let Some(peer) = peer else {
            let anybody = method.callers == methods::Callers::Anybody;
            let sentence =
                "only members of the cluster may call this; join with a token first: `capstan cluster join TOKEN ADDR`";
            return if anybody { Ok(()) } else { refused(Status::unauthenticated(sentence)) };
        };
        if let Err(why) = live.trust().still(peer, now_ms()) {
            return refused(Status::unauthenticated(format!("`{}` is not believed any more: {why}", peer.name)));
        }
        if method.callers.include(peer.name.role) {
            return Ok(());
        }
        refused(Status::permission_denied(format!("a {} may not call this method", peer.name.role)))
    }
}

impl<S> Layer<S> for Guard {
    type Service = Guarded<S>;

    fn layer(&self, inner: S) -> Guarded<S> {
        Guarded { guard: self.clone(), inner }
    }
}

/// Services with a guard before them.
#[derive(Debug, Clone)]
pub struct Guarded<S> {
    guard: Guard,
    inner: S,
}

impl<S, B> Service<http::Request<B>> for Guarded<S>
where
    S: Service<http::Request<B>, Response = http::Response<Body>>,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
{
    type Response = http::Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<http::Response<Body>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        match self.guard.judge(request.uri().path(), request.extensions().get::<Caller>()) {
            Ok(()) => Box::pin(self.inner.call(request)),
            Err(status) => Box::pin(std::future::ready(Ok(status.into_http()))),
        }
    }
}
