//! How processes join the cluster and stay members of it: `capstan.identity.v1`.

use capstan_identity::audit::{Entry, Kind};
use capstan_identity::certificate;
use capstan_identity::issuer::{IssueError, Issuer, Newcomer};
use capstan_identity::membership::Membership;
use capstan_identity::time_now::now_ms;
use capstan_identity::token::Secret;
use capstan_identity::trust::Trust;
use capstan_proto::transport::tls::Caller;
use capstan_proto::wire::identity as wire;
use futures::stream::{self, BoxStream, StreamExt as _};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

/// A member hears at least so often whom to believe.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// The largest certificate request that is looked at, in bytes. One has a few hundred.
const LARGEST_REQUEST: usize = 16 << 10;

/// Lets newcomers in, and keeps members.
#[derive(Debug, Clone)]
pub(crate) struct IdentityService {
    membership: Membership,
    issuer: Option<Arc<Issuer>>,
    stop: CancellationToken,
}

impl IdentityService {
    pub(crate) const fn new(membership: Membership, issuer: Option<Arc<Issuer>>, stop: CancellationToken) -> Self {
        Self { membership, issuer, stop }
    }

    fn issuer(&self) -> Result<&Issuer, Status> {
        self.issuer.as_deref().ok_or_else(|| {
            Status::failed_precondition(
                "this coordinator does not hold the cluster's authority; ask the one on whose host `capstan cluster init` ran",
            )
        })
    }

    fn note(&self, kind: Kind, caller: Option<&Caller>, method: &str, reason: String) {
        let mut entry = Entry::new(kind, caller.and_then(Caller::peer), method, reason);
        entry.from = caller.and_then(Caller::from);
        self.membership.audit.write(entry);
    }

    /// Notes what is refused before anything is looked up.
    fn declined(&self, caller: Option<&Caller>, method: &str, status: &Status) {
        self.note(Kind::Refused, caller, method, status.message().to_owned());
    }

    fn refused(&self, caller: Option<&Caller>, method: &str, error: &IssueError) -> Status {
        self.note(Kind::Refused, caller, method, error.to_string());
        match error {
            IssueError::Token(_) | IssueError::Foreign(_) | IssueError::Distrusted(_) => {
                Status::permission_denied(error.to_string())
            }
            IssueError::Authority(_) => Status::invalid_argument(error.to_string()),
            IssueError::Ledger(_) | IssueError::Cluster(_) | IssueError::Certificate(_) | IssueError::Random(_) => {
                tracing::error!(%error, "no certificate can be made");
                Status::unavailable("the cluster's records cannot be used now; the coordinator's log says why")
            }
        }
    }
}

fn part<T: std::str::FromStr<Err = impl std::fmt::Display>>(field: &str, text: &str) -> Result<T, Status> {
    text.parse().map_err(|error: T::Err| Status::invalid_argument(format!("{field}: {error}")))
}

fn newcomer(request: &wire::JoinRequest) -> Result<Newcomer, Status> {
    Ok(Newcomer {
        token: part("token_id", &request.token_id)?,
        secret: Secret::parse(&request.secret).map_err(|error| Status::invalid_argument(format!("secret: {error}")))?,
        role: part("role", &request.role)?,
        name: part("name", &request.name)?,
        request: sized(&request.request)?,
    })
}

fn sized(request: &[u8]) -> Result<Vec<u8>, Status> {
    if request.len() > LARGEST_REQUEST {
        return Err(Status::invalid_argument(format!("request: at most {LARGEST_REQUEST} bytes are looked at")));
    }
    Ok(request.to_vec())
}

fn told(trust: &Trust) -> wire::FollowResponse {
    wire::FollowResponse { proof: trust.proof.to_vec().into() }
}

#[tonic::async_trait]
impl wire::identity_server::Identity for IdentityService {
    type FollowStream = BoxStream<'static, Result<wire::FollowResponse, Status>>;

    async fn join(&self, request: Request<wire::JoinRequest>) -> Result<Response<wire::JoinResponse>, Status> {
        const METHOD: &str = "/capstan.identity.v1.Identity/Join";
        let caller = request.extensions().get::<Caller>().cloned();
        let request = request.into_inner();
        let said = newcomer(&request).and_then(|newcomer| Ok((newcomer, self.issuer()?)));
        let (newcomer, issuer) = said.inspect_err(|status| self.declined(caller.as_ref(), METHOD, status))?;
        let (token, role, name) = (newcomer.token.clone(), newcomer.role, newcomer.name.clone());
        let chain = issuer.join(newcomer, now_ms()).await.map_err(|error| self.refused(caller.as_ref(), METHOD, &error))?;
        let serial = chain.first().and_then(|leaf| certificate::read(leaf).ok()).map(|peer| peer.serial.to_string());
        let reason = format!("{role} `{name}` joined with token {token}, certificate {}", serial.unwrap_or_default());
        self.note(Kind::Issued, caller.as_ref(), METHOD, reason);
        let chain = chain.into_iter().map(|certificate| certificate.to_vec().into()).collect();
        Ok(Response::new(wire::JoinResponse { chain, trust: Some(told(&self.membership.live.trust())) }))
    }

    async fn renew(&self, request: Request<wire::RenewRequest>) -> Result<Response<wire::RenewResponse>, Status> {
        const METHOD: &str = "/capstan.identity.v1.Identity/Renew";
        let caller = request.extensions().get::<Caller>().cloned();
        let peer = caller.as_ref().and_then(Caller::peer).cloned();
        let peer = peer.ok_or_else(|| Status::unauthenticated("only members have a certificate to renew"));
        let said = peer.and_then(|peer| Ok((peer, sized(&request.into_inner().request)?, self.issuer()?)));
        let (peer, request, issuer) = said.inspect_err(|status| self.declined(caller.as_ref(), METHOD, status))?;
        let chain = issuer.renew(&peer, &request, now_ms()).await;
        let chain = chain.map_err(|error| self.refused(caller.as_ref(), METHOD, &error))?;
        let serial = chain.first().and_then(|leaf| certificate::read(leaf).ok()).map(|peer| peer.serial.to_string());
        self.note(Kind::Issued, caller.as_ref(), METHOD, format!("renewed, certificate {}", serial.unwrap_or_default()));
        let chain = chain.into_iter().map(|certificate| certificate.to_vec().into()).collect();
        Ok(Response::new(wire::RenewResponse { chain }))
    }

    async fn follow(&self, _: Request<wire::FollowRequest>) -> Result<Response<Self::FollowStream>, Status> {
        let mut changes = self.membership.live.trust_changes();
        changes.mark_changed();
        let next = |mut changes: tokio::sync::watch::Receiver<Arc<Trust>>| async move {
            // What has not changed is said again, so that silence means a dead stream.
            if let Ok(Err(_)) = tokio::time::timeout(HEARTBEAT, changes.changed()).await {
                return None;
            }
            let trust = told(&changes.borrow_and_update());
            Some((Ok(trust), changes))
        };
        let stop = self.stop.clone();
        Ok(Response::new(stream::unfold(changes, next).take_until(stop.cancelled_owned()).boxed()))
    }
}
