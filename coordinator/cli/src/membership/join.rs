//! The first step into a cluster: a token for a certificate.

use crate::failure::Failure;
use capstan_identity::certificate;
use capstan_identity::credentials::{Credentials, IdentityDir};
use capstan_identity::request;
use capstan_identity::signed_trust;
use capstan_identity::token::JoinToken;
use capstan_proto::transport::Listen;
use capstan_proto::transport::tls::{newcomers_channel, why_not};
use capstan_proto::wire::identity as wire;
use capstan_proto::wire::identity::identity_client::IdentityClient;
use capstan_types::output::digest::Digest;
use capstan_types::principal::{Label, Role};
use rustls::pki_types::CertificateDer;
use std::time::Duration;
use tonic::{Code, Status};

/// The longest that joining may take.
const DEADLINE: Duration = Duration::from_secs(20);

/// With what and where somebody joins.
#[derive(Debug, Clone)]
pub struct Joining {
    token: JoinToken,
    /// At least one. They are tried in turn.
    hosts: Vec<String>,
}

impl Joining {
    /// A token and an address, as they are typed.
    ///
    /// # Errors
    /// One of them is none.
    pub fn parse(token: &str, address: &str) -> Result<Self, Failure> {
        let token = token.parse().map_err(Failure::bad_input)?;
        let host = |text: &str| {
            let spelt = if text.starts_with("https://") { text.to_owned() } else { format!("https://{text}") };
            match spelt.parse::<Listen>() {
                Ok(Listen::Tls(host)) => Ok(host),
                Ok(_) | Err(_) => {
                    Err(Failure::bad_input(format!("`{text}` is not the address of a coordinator; write HOST:PORT")))
                }
            }
        };
        Ok(Self { token, hosts: address.split(',').map(host).collect::<Result<_, _>>()? })
    }

    /// The two words that follow `--join`, if they are there.
    ///
    /// # Errors
    /// As [`Joining::parse`].
    pub fn of_words(words: Option<&[String]>) -> Result<Option<Self>, Failure> {
        match words {
            Some([token, address]) => Self::parse(token, address).map(Some),
            Some(_) | None => Ok(None),
        }
    }
}

/// Joins, and keeps what it takes to stay a member in `dir`.
///
/// # Errors
/// Nobody answers, somebody else answers, or the token does not let it in.
pub async fn join(dir: &IdentityDir, joining: &Joining, role: Role, name: &Label) -> Result<(), Failure> {
    let Joining { token, hosts } = joining;
    let (key, request) = request::make().map_err(Failure::bad_input)?;
    let request = wire::JoinRequest {
        token_id: token.id.to_string(),
        secret: token.secret.reveal().to_owned(),
        role: role.to_string(),
        name: name.to_string(),
        request: request.into(),
    };
    let (answer, host) = asked(hosts, token.pin, &request).await?;
    let chain = answer.chain.into_iter().map(|der| CertificateDer::from(der.to_vec())).collect();
    let credentials = Credentials::new(key, chain).map_err(Failure::bad_input)?;
    let proof = answer.trust.map(|told| told.proof).unwrap_or_default();
    // The one that the token names, and no other.
    let named = credentials.chain().iter().skip(1).filter(|one| certificate::pin(one).is_ok_and(|pin| pin == token.pin));
    let named: Vec<_> = named.cloned().collect();
    let trust = signed_trust::open(&proof, &credentials.own().name.cluster, &named).map_err(|error| {
        Failure::bad_input(format!("what the coordinator at {host} says of its cluster is not taken: {error}"))
    })?;
    // The credentials last: with them, the identity is there.
    dir.believe(&trust).and_then(|()| dir.joined_at(hosts)).and_then(|()| dir.keep(&credentials)).map_err(Failure::bad_input)
}

/// The answer of the first that can be reached, and which that is. A refusal is one, whoever else might be asked.
async fn asked<'a>(
    hosts: &'a [String],
    pin: Digest,
    request: &wire::JoinRequest,
) -> Result<(wire::JoinResponse, &'a str), Failure> {
    let mut unreached = None;
    for host in hosts {
        let mut issuer = IdentityClient::new(newcomers_channel(host, pin));
        match tokio::time::timeout(DEADLINE, issuer.join(request.clone())).await {
            Ok(Ok(answer)) => return Ok((answer.into_inner(), host)),
            Ok(Err(status)) if status.code() == Code::Unavailable && std::error::Error::source(&status).is_some() => {
                unreached = Some(refused(host, &status));
            }
            Ok(Err(status)) => return Err(refused(host, &status)),
            // It may have used the token up.
            Err(_) => {
                let late = format!("the coordinator at {host} did not answer within {} s", DEADLINE.as_secs());
                return Err(Failure::bad_input(late));
            }
        }
    }
    Err(unreached.unwrap_or_else(|| Failure::bad_input("no coordinator is named")))
}

fn refused(host: &str, status: &Status) -> Failure {
    if let Some(why) = why_not(status) {
        return Failure::bad_input(format!("cannot join at {host}: {why}"));
    }
    match status.code() {
        Code::Unavailable if std::error::Error::source(status).is_some() => {
            Failure::bad_input(format!("cannot join at {host}: nothing answers there, or it is no member of a cluster"))
                .hint("name the place at which `capstan coordinator --listen https://HOST:PORT` says that it listens")
        }
        Code::Unimplemented => Failure::bad_input(format!("cannot join at {host}: what answers there is no coordinator")),
        _ => Failure::bad_input(format!("cannot join at {host}: {}", status.message())),
    }
}
