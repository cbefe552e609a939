//! Speaks to the members of an etcd: one connection to each, one of them in use, and the next one when that fails.
//!
//! Invariant: every wait has a deadline. A member that is frozen answers nothing and closes nothing, so that each try has its own.

use super::fault::Fault;
use super::location::{EtcdLocation, Login, Tls};
use super::pause::Pause;
use super::wire::AuthenticateRequest;
use super::wire::auth_client::AuthClient;
use crate::error::EtcdError;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};
use tonic::metadata::AsciiMetadataValue;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};
use tonic::{Request, Response, Status};

/// The longest one member may take to answer one try. Its election without a leader takes about as long.
pub(super) const TRY: Duration = Duration::from_millis(1500);

/// The longest a request may take, over all members and tries.
pub(super) const DEADLINE: Duration = Duration::from_secs(5);

/// The largest answer that is taken: the events of everything that happened while a watch was broken.
pub(super) const LARGEST_ANSWER: usize = 64 << 20;

/// The longest a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(2);

/// How often a member is asked whether the connection lives. etcd drops clients that ask every 5 seconds or more often.
const PING: Duration = Duration::from_secs(7);

/// How long its answer may take.
const PING_ANSWER: Duration = Duration::from_secs(4);

/// The name under which etcd looks for the token of a login.
const TOKEN: &str = "token";

/// A client of one etcd.
#[derive(Debug)]
pub(super) struct Client {
    members: Vec<Channel>,
    used: AtomicUsize,
    endpoints: String,
    login: Option<Login>,
    token: Mutex<Option<AsciiMetadataValue>>,
}

impl Client {
    /// Connects to nobody yet.
    ///
    /// # Errors
    /// Certificates that are none, or missing ones.
    pub(super) fn new(location: &EtcdLocation) -> Result<Self, EtcdError> {
        let tls = match (&location.tls, location.endpoints.by_tls()) {
            (Some(tls), true) => Some(client_tls(tls)),
            (None, true) => {
                return Err(EtcdError::Tls("endpoints with https:// need the certificate of etcd's authority".to_owned()));
            }
            // A login or a certificate that goes over a plain connection was not meant so.
            (Some(_), false) => {
                return Err(EtcdError::Tls("they are named, and the endpoints are not reached by https://".to_owned()));
            }
            (None, false) => None,
        };
        let channel = |endpoint: &str| {
            let endpoint = Endpoint::from_shared(endpoint.to_owned()).map_err(|error| EtcdError::Tls(error.to_string()))?;
            let endpoint = match &tls {
                Some(tls) => endpoint.tls_config(tls.clone()).map_err(|error| EtcdError::Tls(innermost(&error)))?,
                None => endpoint,
            };
            let endpoint = endpoint.connect_timeout(CONNECT).tcp_nodelay(true);
            Ok(endpoint.http2_keep_alive_interval(PING).keep_alive_timeout(PING_ANSWER).connect_lazy())
        };
        let members = location.endpoints.iter().map(channel).collect::<Result<Vec<_>, EtcdError>>()?;
        // Not all processes begin with the same member.
        let used = AtomicUsize::new(fastrand::usize(..members.len()));
        let (endpoints, login) = (location.endpoints.to_string(), location.login.clone());
        Ok(Self { members, used, endpoints, login, token: Mutex::default() })
    }

    /// Where it looks for etcd.
    pub(super) fn endpoints(&self) -> &str {
        &self.endpoints
    }

    /// Asks until a member answers. `doing` completes "etcd does not allow this process to …".
    pub(super) async fn ask<Q, A, F>(
        &self,
        doing: &str,
        request: Q,
        send: impl Fn(Channel, Request<Q>) -> F,
    ) -> Result<A, EtcdError>
    where
        Q: Clone,
        F: Future<Output = Result<Response<A>, Status>>,
    {
        let mut tries = Tries::within(DEADLINE);
        loop {
            let (member, channel) = self.member();
            let tried = async { send(channel.clone(), self.introduced(&channel, request.clone()).await?).await };
            match timeout(TRY, tried).await {
                Ok(Ok(answer)) => return Ok(answer.into_inner()),
                Ok(Err(status)) => tries.failed(self, doing, member, &status).await?,
                Err(_) => tries.failed(self, doing, member, &silent()).await?,
            }
        }
    }

    /// The member in use.
    pub(super) fn member(&self) -> (usize, Channel) {
        let used = self.used.load(Ordering::Relaxed);
        (used, self.members[used % self.members.len()].clone())
    }

    /// From now on another one is used, unless somebody else has changed that already.
    pub(super) fn turn_from(&self, member: usize) {
        let _ = self.used.compare_exchange(member, member.wrapping_add(1), Ordering::Relaxed, Ordering::Relaxed);
    }

    /// The token is not known any more; the next request logs in again.
    pub(super) fn forget_token(&self) {
        *self.token() = None;
    }

    /// A request that says who asks.
    pub(super) async fn introduced<Q>(&self, channel: &Channel, message: Q) -> Result<Request<Q>, Status> {
        let mut request = Request::new(message);
        if let Some(login) = &self.login {
            let known = self.token().clone();
            let token = match known {
                Some(token) => token,
                None => self.log_in(channel, login).await?,
            };
            request.metadata_mut().insert(TOKEN, token);
        }
        Ok(request)
    }

    async fn log_in(&self, channel: &Channel, login: &Login) -> Result<AsciiMetadataValue, Status> {
        let request = AuthenticateRequest { name: login.user.clone(), password: login.password.clone() };
        let answer = AuthClient::new(channel.clone()).authenticate(request).await?.into_inner();
        let token: AsciiMetadataValue =
            answer.token.parse().map_err(|_| Status::unauthenticated("etcd gave a token that is none"))?;
        *self.token() = Some(token.clone());
        Ok(token)
    }

    fn token(&self) -> MutexGuard<'_, Option<AsciiMetadataValue>> {
        self.token.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is said of a member that said nothing.
pub(super) fn silent() -> Status {
    Status::deadline_exceeded(format!("no answer within {} ms", TRY.as_millis()))
}

/// The tries of one request.
#[derive(Debug)]
pub(super) struct Tries {
    until: Instant,
    failed: usize,
    logged_in_again: bool,
    pause: Pause,
}

impl Tries {
    pub(super) fn within(deadline: Duration) -> Self {
        Self { until: Instant::now() + deadline, failed: 0, logged_in_again: false, pause: Pause::fresh() }
    }

    /// Returns when there should be another try.
    ///
    /// # Errors
    /// There should be none.
    pub(super) async fn failed(&mut self, client: &Client, doing: &str, member: usize, status: &Status) -> Result<(), EtcdError> {
        match Fault::of(status) {
            Fault::Token if !self.logged_in_again => {
                self.logged_in_again = true;
                client.forget_token();
                Ok(())
            }
            Fault::Token => Err(EtcdError::Login(status.message().to_owned())),
            Fault::Login(reason) => Err(EtcdError::Login(reason)),
            Fault::Denied => Err(EtcdError::Denied(doing.to_owned())),
            Fault::Refused(reason) => Err(EtcdError::Refused(reason)),
            Fault::Elsewhere(reason) => {
                client.turn_from(member);
                self.failed += 1;
                let wait = if self.failed.is_multiple_of(client.members.len()) { self.pause.next() } else { Duration::ZERO };
                if Instant::now() + wait >= self.until {
                    return Err(away(client, reason));
                }
                sleep(wait).await;
                Ok(())
            }
        }
    }
}

fn away(client: &Client, reason: String) -> EtcdError {
    // The connection fails like any other, and only its reason tells.
    match reason.contains("certificate") || reason.contains("tls handshake") {
        true => EtcdError::Tls(reason),
        false => EtcdError::Away { endpoints: client.endpoints.clone(), reason },
    }
}

fn client_tls(tls: &Tls) -> ClientTlsConfig {
    let config = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(&tls.authorities));
    match &tls.own {
        Some((certificate, key)) => config.identity(Identity::from_pem(certificate, key)),
        None => config,
    }
}

fn innermost(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(inner) = error.source() {
        error = inner;
    }
    error.to_string()
}
