//! `capstan cluster`: the cluster's authority, who may join, and who is a member.

mod authorities;
mod certificates;
mod tokens;
mod up;

use crate::args::{CaCommand, CertCommand, ClusterArgs, ClusterCommand, InitArgs, JoinArgs, PlaceArgs, TokenCommand};
use crate::config::{self, Inputs, UserConfig};
use crate::failure::{Exit, Failure};
use crate::home::Home;
use crate::membership::{Joining, issuer_in, join};
use crate::surroundings::Surroundings;
use crate::{host, runtime};
use capstan_identity::issuer::{self, Issuer, Records};
use capstan_identity::time_now::now_ms;
use capstan_types::principal::{Label, Role};
use std::io::{self, Write};
use std::path::PathBuf;

/// Does it.
///
/// # Errors
/// What was given cannot be used.
pub fn run(args: &ClusterArgs, surroundings: &Surroundings) -> Result<Exit, Failure> {
    let home = Home::open(surroundings)?;
    let text = match &args.command {
        ClusterCommand::Init(init) => made(init, &home, surroundings)?,
        ClusterCommand::Token(token) => match &token.command {
            TokenCommand::Create(create) => {
                let issuer = opened(&create.place, &home, surroundings)?;
                runtime::block_on(async { tokens::create(create, &issuer).await })?
            }
            TokenCommand::List(place) => {
                let issuer = opened(place, &home, surroundings)?;
                runtime::block_on(async { tokens::list(&issuer).await })?
            }
            TokenCommand::Revoke(revoke) => {
                let issuer = opened(&revoke.place, &home, surroundings)?;
                runtime::block_on(async { tokens::revoke(&revoke.id, &issuer).await })?
            }
        },
        ClusterCommand::Cert(cert) => match &cert.command {
            CertCommand::List(place) => {
                let issuer = opened(place, &home, surroundings)?;
                runtime::block_on(async { certificates::list(&issuer).await })?
            }
            CertCommand::Revoke(revoke) => {
                let issuer = opened(&revoke.place, &home, surroundings)?;
                runtime::block_on(async { certificates::revoke(&revoke.which, &issuer).await })?
            }
        },
        ClusterCommand::Ca(ca) => match &ca.command {
            CaCommand::Rotate(place) => authorities::rotate(&opened(place, &home, surroundings)?)?,
            CaCommand::Status(place) => {
                let issuer = opened(place, &home, surroundings)?;
                runtime::block_on(async { authorities::status(&issuer).await })?
            }
        },
        ClusterCommand::Join(join) => entered(join, &home)?,
        ClusterCommand::Up(args) => return up::up(args, &home, surroundings),
        ClusterCommand::Status(place) => return up::status(place, &home, surroundings),
        ClusterCommand::Down(args) => return up::down(args, &home, surroundings),
    };
    let mut out = io::stdout();
    // What was done is done, whether anybody reads of it or not.
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    Ok(Exit::Success)
}

fn dir(place: &PlaceArgs, home: &Home, surroundings: &Surroundings) -> Result<PathBuf, Failure> {
    match &place.cluster {
        Some(dir) => Ok(surroundings.absolute(dir)?.as_path().to_owned()),
        None => Ok(home.cluster()),
    }
}

fn opened(place: &PlaceArgs, home: &Home, surroundings: &Surroundings) -> Result<Issuer, Failure> {
    let dir = dir(place, home, surroundings)?;
    let inputs = Inputs { home: home.path().as_path(), user: UserConfig::Read, profile: None, overrides: &[] };
    // Asked for only where it is needed: other records are found with any configuration.
    issuer_in(&dir, || Ok(config::registry(place.registry.as_deref(), &config::read(inputs)?.0, surroundings)?.location))
}

fn made(args: &InitArgs, home: &Home, surroundings: &Surroundings) -> Result<String, Failure> {
    let dir = dir(&args.place, home, surroundings)?;
    let records = if args.shared { Records::Shared } else { Records::Here };
    issuer::init(&dir, args.name.clone(), (args.certificates, records), now_ms()).map_err(Failure::bad_input)?;
    let (name, dir) = (&args.name, dir.display());
    Ok(format!(
        "cluster `{name}` made; its authority is in {dir}\n\
         Keep that directory: whoever has a copy of it can make members.\n\n\
         Next, on this host:\n  \
         capstan coordinator --listen https://HOST:7400\n  \
         capstan cluster token create --role node\n\
         then on each host that is to run sessions:\n  \
         capstan node --listen https://HOST:7401 --join TOKEN HOST:7400\n"
    ))
}

fn entered(args: &JoinArgs, home: &Home) -> Result<String, Failure> {
    let joining = Joining::parse(&args.token, &args.address)?;
    let name = match &args.name {
        Some(name) => name.clone(),
        None => own_name()?,
    };
    let dir = home.client_identity();
    if dir.is_there() {
        let sentence = format!("this home is a member of a cluster already: {}", dir.path().display());
        return Err(
            Failure::bad_input(sentence).hint("remove that directory to leave the cluster, or set CAPSTAN_HOME to another one")
        );
    }
    runtime::block_on(async { join(&dir, &joining, Role::Client, &name).await })?;
    let host = dir.issuers().map_err(Failure::bad_input)?.into_iter().next().unwrap_or_default();
    Ok(format!("joined as client `{name}`\nUse the cluster with --coordinator https://{host}\n"))
}

/// This host's name, as a member's.
///
/// # Errors
/// It has none.
pub fn own_name() -> Result<Label, Failure> {
    let name = host::name().and_then(|name| name.as_str().parse().ok());
    name.ok_or_else(|| Failure::bad_input("this host has no name").hint("give one with --name"))
}
