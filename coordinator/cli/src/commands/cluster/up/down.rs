//! Takes a cluster on this machine down. Each step looks at what is there, so that it can be done again after one that was cut short.

use super::bridge::Tools;
use super::found;
use super::layout::{Network, Part, homes, logs};
use super::progress::say;
use super::state::{State, forget};
use crate::failure::Failure;
use crate::surroundings::Surroundings;
use capstan_identity::credentials::IdentityDir;
use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

/// How long members may take to end. A daemon gives its own parts 15 seconds.
const PATIENCE: Duration = Duration::from_secs(20);

/// Whether the files stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Files {
    /// They do.
    Kept,
    /// They do not.
    Removed,
}

/// Takes down all that this state speaks of.
pub(super) async fn take_down(dir: &Path, state: &State, files: Files, surroundings: &Surroundings) -> Result<(), Failure> {
    let named = |part, name: &str| state.all(part).any(|member| member.name == name);
    // Who decides goes first, then who obeys, then what they leave running, and what all of them talk to at the end.
    for (what, part) in [("coordinators", Part::Coordinator), ("nodes", Part::Node)] {
        stopped(what, found::end(dir, PATIENCE, |found| found.itself && named(part, &found.member)).await);
    }
    stopped("sessions", found::end(dir, PATIENCE, |found| !found.itself).await);
    stopped("etcd", found::end(dir, PATIENCE, |_| true).await);
    if let left @ 1.. = found::processes(dir).len() {
        return Err(Failure::failed(format!("{left} processes of the cluster in {} do not end", dir.display()))
            .hint("`ps` shows in which state they are; then run `capstan cluster down` again"));
    }
    if state.network != Network::Ports {
        Tools::find(surroundings)?.remove(&state.network, &state.members).await?;
        say("network removed");
    }
    cleared(dir, state, files).map_err(|error| {
        Failure::failed(format!("the files in {} cannot be removed: {error}", dir.display()))
            .hint("remove what is in the way, and run `capstan cluster down` again")
    })
}

fn stopped(what: &str, forced: usize) {
    let how = if forced == 0 { String::new() } else { format!("; {forced} did not end when asked, and were killed") };
    say(&format!("{what} stopped{how}"));
}

fn cleared(dir: &Path, state: &State, files: Files) -> io::Result<()> {
    leave(state)?;
    if files == Files::Kept {
        say(&format!("files kept in {}", dir.display()));
        return forget(dir);
    }
    for part in [homes(dir), logs(dir), dir.join("client")] {
        absent(fs::remove_dir_all(part))?;
    }
    forget(dir)?;
    // What somebody else has put there stays, and the directory with it.
    let _ = fs::remove_dir(dir);
    Ok(())
}

/// Removes what made the commands of the client's home members of this cluster, and of no other that it has joined since.
fn leave(state: &State) -> io::Result<()> {
    let parent = state.client_home.join("identity");
    let client = IdentityDir::at(parent.join("client"));
    let ours = |at: &str| state.all(Part::Coordinator).any(|member| member.address.to_string() == at);
    if client.issuers().is_ok_and(|all| all.iter().any(|at| ours(at))) {
        fs::remove_dir_all(client.path())?;
        let _ = fs::remove_dir(parent);
    }
    Ok(())
}

fn absent(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}
