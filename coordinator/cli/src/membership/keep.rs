//! How a member stays one: its certificate is renewed at half of its life, and it hears within seconds whom not to believe any more.

use crate::failure::Failure;
use capstan_identity::certificate;
use capstan_identity::credentials::{Credentials, CredentialsError};
use capstan_identity::issuer::Issuer;
use capstan_identity::live::Live;
use capstan_identity::renewal::{Renewal, after_failure, decide};
use capstan_identity::request;
use capstan_identity::time_now::now_ms;
use capstan_identity::tls::Expected;
use capstan_proto::transport::tls::{secured_channel, why_not};
use capstan_proto::wire::identity as wire;
use capstan_proto::wire::identity::identity_client::IdentityClient;
use capstan_types::principal::Role;
use rustls::pki_types::CertificateDer;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tonic::transport::Channel;

/// How often the authority's own records are looked at.
const LOOK: Duration = Duration::from_millis(500);

/// The longest that a renewal may take.
const DEADLINE: Duration = Duration::from_secs(15);

/// A stream that says nothing for so long is dead; a heartbeat comes every 10 seconds.
const SILENCE: Duration = Duration::from_secs(30);

/// The wait before a broken stream is asked for again.
const AGAIN: Duration = Duration::from_secs(1);

/// The longest sleep before the clock is looked at again, since clocks are set.
const NAP: Duration = Duration::from_secs(60);

/// Where certificates come from.
#[derive(Debug, Clone)]
pub enum Source {
    /// This process holds the authority.
    Here(Arc<Issuer>),
    /// The coordinators at these `HOST:PORT` do. They are asked in turn.
    There(Vec<String>),
}

/// Keeps a process a member. Dropping it stops that.
#[derive(Debug)]
pub struct Keeper {
    _tasks: JoinSet<()>,
}

impl Keeper {
    /// Begins to.
    #[must_use]
    pub fn start(live: &Live, source: Source) -> Self {
        let mut tasks = JoinSet::new();
        tasks.spawn(renew(live.clone(), source.clone()));
        match source {
            Source::Here(issuer) => drop(tasks.spawn(look(live.clone(), issuer))),
            Source::There(hosts) => drop(tasks.spawn(follow(live.clone(), hosts))),
        }
        Self { _tasks: tasks }
    }
}

/// Renews the credentials now, if it is time.
///
/// # Errors
/// They are over.
pub async fn renew_once(live: &Live, source: &Source) -> Result<(), Failure> {
    let credentials = live.credentials();
    match judged(&credentials, 127) {
        Renewal::Wait(_) => Ok(()),
        Renewal::Over => Err(Failure::bad_input(format!("the certificate of `{}` has expired", credentials.own().name))
            .hint("remove its directory below CAPSTAN_HOME/identity, and join again with a new token")),
        Renewal::Now => {
            if let Err(error) = renewed(live, source).await {
                tracing::warn!(%error, "the certificate could not be renewed; the old one is used as long as it is valid");
            }
            Ok(())
        }
    }
}

async fn renew(live: Live, source: Source) {
    let mut failures = 0;
    loop {
        let credentials = live.credentials();
        // Of the certificate's own digits, so that each has its own moment and keeps it.
        let chance = credentials.own().thumbprint.0[0];
        match judged(&credentials, chance) {
            Renewal::Wait(wait) => tokio::time::sleep(wait.min(NAP)).await,
            Renewal::Over => {
                tracing::error!(name = %credentials.own().name, "the certificate has expired, and nobody talks to this process any more; have it join again with a new token");
                tokio::time::sleep(NAP).await;
            }
            Renewal::Now => match renewed(&live, &source).await {
                Ok(()) => failures = 0,
                Err(error) => {
                    failures += 1;
                    tracing::warn!(%error, failures, "the certificate could not be renewed; it is tried again");
                    tokio::time::sleep(after_failure(failures, credentials.own().not_after_ms, now_ms())).await;
                }
            },
        }
    }
}

fn judged(credentials: &Credentials, chance: u8) -> Renewal {
    let validity = credentials.chain().first().and_then(|leaf| certificate::validity(leaf).ok());
    validity.map_or(Renewal::Over, |(from, until)| {
        // What was granted for skewed clocks is no part of its life.
        let from = from.saturating_add(u64::try_from(capstan_identity::authority::SKEW.as_millis()).unwrap_or(0)).min(until);
        decide(from, until, now_ms(), chance)
    })
}

async fn renewed(live: &Live, source: &Source) -> Result<(), String> {
    let (key, request) = request::make().map_err(|error| error.to_string())?;
    let chain = match source {
        Source::Here(issuer) => {
            let own = live.credentials().own().name.clone();
            issuer.own(&own, &request, now_ms()).await.map_err(|error| error.to_string())?
        }
        Source::There(hosts) => {
            let request = wire::RenewRequest { request: request.into() };
            let mut chain = Err("nobody is known who could".to_owned());
            for host in hosts {
                chain = asked(live, host, request.clone()).await;
                if chain.is_ok() {
                    break;
                }
            }
            chain?
        }
    };
    let taken = Credentials::new(key, chain).and_then(|credentials| live.renewed(credentials));
    taken.map_err(|error: CredentialsError| error.to_string())
}

async fn asked(live: &Live, host: &str, request: wire::RenewRequest) -> Result<Vec<CertificateDer<'static>>, String> {
    let mut issuer = IdentityClient::new(channel(live, host));
    let answer = tokio::time::timeout(DEADLINE, issuer.renew(request)).await;
    let answer = answer.map_err(|_| format!("{host}: no answer within {} s", DEADLINE.as_secs()))?;
    let said = |status: tonic::Status| why_not(&status).unwrap_or_else(|| status.message().to_owned());
    let answer = answer.map_err(|status| format!("{host}: {}", said(status)))?;
    Ok(answer.into_inner().chain.into_iter().map(|der| CertificateDer::from(der.to_vec())).collect())
}

fn channel(live: &Live, host: &str) -> Channel {
    secured_channel(host, live, &live.credentials(), Expected { role: Role::Coordinator, id: None }, None)
}

/// Tells this process what an operator wrote into the records with another.
async fn look(live: Live, issuer: Arc<Issuer>) {
    loop {
        match issuer.trust(&live.trust(), now_ms()).await {
            Ok(trust) => live.believe(&trust),
            Err(error) => tracing::error!(%error, "it is not known which certificates were revoked"),
        }
        // Newcomers know the authority that signs, and are shown a certificate of it.
        let credentials = live.credentials();
        if credentials.chain().last().is_some_and(|authority| !issuer.signs_as(authority, now_ms()))
            && let Err(error) = renewed(&live, &Source::Here(Arc::clone(&issuer))).await
        {
            tracing::warn!(%error, "this coordinator has no certificate of the authority that signs now; it is tried again");
        }
        tokio::time::sleep(LOOK).await;
    }
}

async fn follow(live: Live, hosts: Vec<String>) {
    for host in hosts.iter().cycle() {
        let mut issuer = IdentityClient::new(channel(&live, host));
        if let Ok(Ok(stream)) = tokio::time::timeout(DEADLINE, issuer.follow(wire::FollowRequest {})).await {
            let mut stream = stream.into_inner();
            while let Ok(Ok(Some(said))) = tokio::time::timeout(SILENCE, stream.message()).await {
                if let Err(error) = live.hear(&said.proof) {
                    tracing::warn!(%error, "what a coordinator says of whom to believe is not taken");
                }
            }
        }
        tokio::time::sleep(AGAIN).await;
    }
}
