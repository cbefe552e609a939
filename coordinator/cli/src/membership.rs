//! How a daemon or a client of this home is a member of a cluster: by the authority that lies here, by what it joined with before, or by a
//! join token.

mod join;
mod keep;

pub use join::{Joining, join};
pub use keep::{Keeper, Source, renew_once};

use crate::failure::Failure;
use crate::home::Home;
use capstan_coordinator::RegistryLocation;
use capstan_coordinator::shared_ledger::SharedLedger;
use capstan_identity::audit::Audit;
use capstan_identity::credentials::Credentials;
use capstan_identity::issuer::{ClusterError, Issuer, Records};
use capstan_identity::live::Live;
use capstan_identity::membership::Membership;
use capstan_identity::time_now::now_ms;
use capstan_identity::trust::Trust;
use capstan_identity::{issuer, request, secret_file};
use capstan_types::principal::{Label, Principal, Role};
use std::path::Path;
use std::sync::Arc;

/// A member that was found or made, and how it stays one.
#[derive(Debug)]
pub struct Member {
    /// The member.
    pub membership: Membership,
    /// Where its next certificates come from.
    pub source: Source,
}

/// The member that a daemon of this home is: what it joined as before, else what the token makes it. None without either.
///
/// # Errors
/// The identity cannot be used, or the token does not let it in.
pub async fn joined(home: &Home, role: Role, name: &Label, joining: Option<&Joining>) -> Result<Option<Member>, Failure> {
    let dir = home.identity(role, name);
    if !dir.is_there() {
        let Some(joining) = joining else { return Ok(None) };
        join(&dir, joining, role, name).await?;
    }
    let audit = audit(dir.path())?;
    let source = Source::There(dir.issuers().map_err(Failure::bad_input)?);
    let live = Live::open(dir).map_err(Failure::bad_input)?;
    Ok(Some(Member { membership: Membership { live, audit }, source }))
}

/// The authority in `dir`, with its records there or in the registry that `location` tells.
///
/// # Errors
/// Its files cannot be used, or its records are in a registry and none is named.
pub fn issuer_in(dir: &Path, location: impl FnOnce() -> Result<RegistryLocation, Failure>) -> Result<Issuer, Failure> {
    match issuer::records(dir).map_err(Failure::bad_input)? {
        Records::Here => Issuer::open(dir).map_err(Failure::bad_input),
        Records::Shared => match location()? {
            RegistryLocation::Embedded | RegistryLocation::Kept(_) => {
                Err(Failure::bad_input(ClusterError::Shared(dir.display().to_string())))
            }
            RegistryLocation::Etcd(location) => {
                Issuer::with(dir, Arc::new(SharedLedger::at(*location))).map_err(Failure::bad_input)
            }
        },
    }
}

/// The coordinator that holds an authority. It gives itself a certificate for as long as it runs.
///
/// # Errors
/// The authority's files cannot be used.
pub async fn authority(home: &Home, issuer: Issuer, name: &Label) -> Result<(Member, Arc<Issuer>), Failure> {
    let issuer = Arc::new(issuer);
    let (key, request) = request::make().map_err(Failure::bad_input)?;
    let own = Principal { cluster: issuer.cluster().clone(), role: Role::Coordinator, id: name.clone() };
    let chain = issuer.own(&own, &request, now_ms()).await.map_err(Failure::bad_input)?;
    let credentials = Credentials::new(key, chain).map_err(Failure::bad_input)?;
    let trust = issuer.trust(&Trust::default(), now_ms()).await.map_err(Failure::bad_input)?;
    let live = Live::held(credentials, trust);
    let audit = audit(home.identity(Role::Coordinator, name).path())?;
    let source = Source::Here(Arc::clone(&issuer));
    Ok((Member { membership: Membership { live, audit }, source }, issuer))
}

/// Whether this home holds the authority of a cluster.
#[must_use]
pub fn holds_authority(home: &Home) -> bool {
    issuer::is_there(&home.cluster())
}

fn audit(dir: &Path) -> Result<Audit, Failure> {
    let path = dir.join("audit.jsonl");
    let opened = secret_file::make_dir(dir).and_then(|()| Audit::open(path.clone()));
    opened.map_err(|error| Failure::bad_input(format!("the audit log {} cannot be used: {error}", path.display())))
}
