//! What is known of the cluster on this machine: one file in its directory, written before anything else is made, so that all of it can be
//! taken down whatever became of the command that brought it up.

use super::layout::{Member, Network, Part};
use crate::failure::Failure;
use capstan_identity::secret_file;
use serde::{Deserialize, Serialize};
use std::io;
use std::path::{Path, PathBuf};

/// The file's name.
const FILE: &str = "cluster.json";

/// The version of its form.
const VERSION: u32 = 1;

/// What the file says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct State {
    version: u32,
    /// How members reach each other.
    pub(super) network: Network,
    /// All of them.
    pub(super) members: Vec<Member>,
    /// The home whose commands use the cluster: the one that brought it up, unless that is a member of another cluster.
    pub(super) client_home: PathBuf,
    /// Whether all came up.
    pub(super) ready: bool,
}

impl State {
    /// That of a cluster that is about to be made.
    pub(super) const fn new(network: Network, members: Vec<Member>, client_home: PathBuf) -> Self {
        Self { version: VERSION, network, members, client_home, ready: false }
    }

    /// The members of one kind.
    pub(super) fn all(&self, part: Part) -> impl Iterator<Item = &Member> {
        self.members.iter().filter(move |member| member.part == part)
    }

    /// What is in this directory; `None` if no cluster is.
    pub(super) fn read(dir: &Path) -> Result<Option<Self>, Failure> {
        let path = dir.join(FILE);
        let wrong = |error: &dyn std::fmt::Display| Failure::bad_input(format!("{} cannot be used: {error}", path.display()));
        let text = match secret_file::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(wrong(&error)),
        };
        let state: Self = serde_json::from_str(&text).map_err(|error| wrong(&error))?;
        if state.version != VERSION {
            return Err(wrong(&"another version of capstan wrote it").hint("take that cluster down with that version"));
        }
        Ok(Some(state))
    }

    /// As [`State::read`], where there must be one.
    pub(super) fn of(dir: &Path) -> Result<Self, Failure> {
        Self::read(dir)?.ok_or_else(|| {
            Failure::bad_input(format!("there is no cluster in {}", dir.display()))
                .hint("`capstan cluster up` makes one; --dir names another directory")
        })
    }

    /// Takes the directory for this cluster, which must be there.
    pub(super) fn claim(&self, dir: &Path) -> Result<(), Failure> {
        match secret_file::create(&dir.join(FILE), &self.bytes()?) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(taken(dir, Self::read(dir)?.as_ref())),
            made => made.map_err(|error| Failure::bad_input(format!("{} cannot be written: {error}", dir.join(FILE).display()))),
        }
    }

    /// Writes it anew.
    pub(super) fn write(&self, dir: &Path) -> Result<(), Failure> {
        let written = secret_file::replace(&dir.join(FILE), &self.bytes()?);
        written.map_err(|error| Failure::bad_input(format!("{} cannot be written: {error}", dir.join(FILE).display())))
    }

    fn bytes(&self) -> Result<Vec<u8>, Failure> {
        serde_json::to_vec_pretty(self).map_err(Failure::bad_input)
    }
}

/// Forgets the cluster: the last step of taking it down.
pub(super) fn forget(dir: &Path) -> io::Result<()> {
    secret_file::remove(&dir.join(FILE))
}

fn taken(dir: &Path, state: Option<&State>) -> Failure {
    match state {
        Some(State { ready: false, .. }) => {
            Failure::bad_input(format!("a cluster in {} is being brought up, or was cut short", dir.display()))
                .hint("`capstan cluster down` removes what there is of it; or name another directory with --dir")
        }
        Some(_) | None => Failure::bad_input(format!("a cluster is up in {} already", dir.display())).hint(
            "`capstan cluster status` shows it, `capstan cluster down` takes it down; or name another directory with --dir",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::cluster::up::layout::members;

    fn state() -> State {
        let members = members(&Network::Ports, 1, 1, &[1, 2, 3, 4, 5, 6]);
        State::new(Network::Ports, members, PathBuf::from("/home/me/.capstan"))
    }

    #[test]
    fn a_directory_is_taken_once_and_said_to_be() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(State::read(dir.path()), Ok(None));
        assert!(State::of(dir.path()).unwrap_err().sentence.starts_with("there is no cluster in "));
        let mut state = state();
        state.claim(dir.path()).unwrap();
        assert!(state.claim(dir.path()).unwrap_err().sentence.contains("is being brought up, or was cut short"));
        state.ready = true;
        state.write(dir.path()).unwrap();
        assert!(state.claim(dir.path()).unwrap_err().sentence.contains("is up in"));
        assert_eq!(State::of(dir.path()), Ok(state));
        forget(dir.path()).unwrap();
        assert_eq!(State::read(dir.path()), Ok(None));
    }

    #[test]
    fn a_file_that_makes_no_sense_is_named() {
        let dir = tempfile::tempdir().unwrap();
        secret_file::create(&dir.path().join(FILE), b"{").unwrap();
        let failure = State::of(dir.path()).unwrap_err();
        assert!(failure.sentence.contains("cluster.json cannot be used"), "{failure:?}");
    }
}
