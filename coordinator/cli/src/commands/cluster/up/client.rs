//! What makes the commands of a home members of the cluster on this machine.

use crate::commands::cluster::own_name;
use crate::failure::Failure;
use crate::home::Home;
use crate::membership::{self, Joining};
use capstan_identity::credentials::IdentityDir;
use capstan_identity::secret_file;
use capstan_types::principal::Role;
use std::path::{Path, PathBuf};

/// The home that joins: this one, unless it is a member of another cluster.
pub(super) fn home(home: &Home, dir: &Path) -> PathBuf {
    if home.client_identity().is_there() { dir.join("client") } else { home.path().as_path().to_owned() }
}

/// Joins.
pub(super) async fn join(home: &Path, token: &str, seat: &str) -> Result<(), Failure> {
    let dir = IdentityDir::at(home.join("identity").join("client"));
    secret_file::make_dir(home).map_err(|error| Failure::bad_input(format!("{} cannot be made: {error}", home.display())))?;
    // A host without a name has commands all the same.
    let name = own_name().or_else(|_| "local".parse().map_err(Failure::bad_input))?;
    membership::join(&dir, &Joining::parse(token, seat)?, Role::Client, &name).await
}
