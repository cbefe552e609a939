//! Where a request may lead: its host by the rules, and then every address of that host, before any of them is dialled.

use crate::address::{Kind, kind};
use crate::authority::Authority;
use crate::own_addresses::own_addresses;
use crate::refused::Refused;
use crate::resolve::Lookups;
use capstan_types::policy::{Host, HostRule};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// The addresses that may be dialled for `to`. A name is looked up once, here; one address that is not allowed refuses them all, for a name
/// that leads both out and in is one that somebody has made for that.
pub(crate) fn checked(
    rules: &[HostRule],
    lookups: &Lookups,
    to: &Authority,
    patience: Duration,
) -> Result<Vec<SocketAddr>, Refused> {
    let mut allowing = rules.iter().filter(|rule| rule.allows(&to.host, to.port)).peekable();
    if allowing.peek().is_none() {
        return Err(Refused::NotListed(to.clone()));
    }
    let private = allowing.any(HostRule::grants_private);
    let addresses = match &to.host {
        Host::Address(address) => vec![*address],
        Host::Name(name) => lookups.look_up(name, patience).map_err(|reason| Refused::Unreachable(to.clone(), reason))?,
    };
    for address in &addresses {
        if let Some(reason) = forbidden(&to.host, *address, private) {
            return Err(Refused::Forbidden(to.clone(), reason));
        }
    }
    Ok(addresses.into_iter().map(|address| SocketAddr::new(address, to.port)).collect())
}

/// Why an address may not be dialled for a host that is allowed.
fn forbidden(host: &Host, address: IpAddr, private: bool) -> Option<String> {
    match kind(address) {
        // A rule for an address names just this one.
        Kind::Metadata if private && matches!(host, Host::Address(_)) => None,
        Kind::Metadata => Some(format!("it leads to {address}, where a machine's secrets are handed out")),
        Kind::Private(_) | Kind::Public if private => None,
        Kind::Private(name) => {
            Some(format!("it leads to {address}, a {name} address, and its rule allows none that is not public"))
        }
        Kind::Public => match own_addresses() {
            Ok(own) if !own.contains(&address) => None,
            Ok(_) => Some(format!("it leads to {address}, which is this host itself")),
            Err(_) => Some("it could not be found out which addresses are this host's own".to_owned()),
        },
    }
}

/// Connects to the first of the checked addresses that answers.
pub(crate) fn dial(to: &Authority, addresses: &[SocketAddr], patience: Duration) -> Result<TcpStream, Refused> {
    let deadline = Instant::now() + patience;
    let mut said = "no address answered in time".to_owned();
    for address in addresses.iter().take(crate::bounds::MOST_TRIED) {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            break;
        }
        match TcpStream::connect_timeout(address, left) {
            Ok(stream) => return Ok(stream),
            Err(error) => said = error.kind().to_string(),
        }
    }
    Err(Refused::Unreachable(to.clone(), said))
}

#[cfg(test)]
mod tests;
