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
    host: String,
}

impl Joining {
    /// A token and an address, as they are typed.
    ///
    /// # Errors
    /// One of them is none.
    pub fn parse(token: &str, address: &str) -> Result<Self, Failure> {
        let token = token.parse().map_err(Failure::bad_input)?;
        let spelt = if address.starts_with("https://") { address.to_owned() } else { format!("https://{address}") };
        match spelt.parse::<Listen>() {
            Ok(Listen::Tls(host)) => Ok(Self { token, host }),
            Ok(_) | Err(_) => {
                Err(Failure::bad_input(format!("`{address}` is not the address of a coordinator; write HOST:PORT")))
            }
        }
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
    let Joining { token, host } = joining;
    let (key, request) = request::make().map_err(Failure::bad_input)?;
    let request = wire::JoinRequest {
        token_id: token.id.to_string(),
        secret: token.secret.reveal().to_owned(),
        role: role.to_string(),
        name: name.to_string(),
        request: request.into(),
    };
    let mut issuer = IdentityClient::new(newcomers_channel(host, token.pin));
    let answer = match tokio::time::timeout(DEADLINE, issuer.join(request)).await {
        Ok(Ok(answer)) => answer.into_inner(),
        Ok(Err(status)) => return Err(refused(host, &status)),
        Err(_) => {
            return Err(Failure::bad_input(format!("the coordinator at {host} did not answer within {} s", DEADLINE.as_secs())));
        }
    };
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
    dir.believe(&trust).and_then(|()| dir.joined_at(host)).and_then(|()| dir.keep(&credentials)).map_err(Failure::bad_input)
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
