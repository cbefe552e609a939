//! `CAPSTAN_HOME`: the directory with the configuration, the keys, the store and the embedded node's state.
//!
//! Invariant: only its owner can enter it; it holds keys and whole conversations.

use crate::failure::Failure;
use crate::surroundings::Surroundings;
use capstan_identity::credentials::IdentityDir;
use capstan_types::id::NodeId;
use capstan_types::path::AbsPath;
use capstan_types::principal::{Label, Role};
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::PathBuf;

/// The home directory, which exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home(AbsPath);

impl Home {
    /// Where it is or would be: `CAPSTAN_HOME`, else `~/.capstan`.
    ///
    /// # Errors
    /// Neither `CAPSTAN_HOME` nor `HOME` is set, or it is a relative path.
    pub fn locate(surroundings: &Surroundings) -> Result<AbsPath, Failure> {
        let named = surroundings.variable("CAPSTAN_HOME").map(PathBuf::from);
        let below_home = || surroundings.variable("HOME").map(|home| PathBuf::from(home).join(".capstan"));
        let path = named.or_else(below_home).ok_or_else(|| {
            Failure::bad_input("there is no home directory: neither CAPSTAN_HOME nor HOME is set")
                .hint("set CAPSTAN_HOME to a directory that you own")
        })?;
        AbsPath::new(path).map_err(|error| Failure::bad_input(format!("the home directory cannot be used: {error}")))
    }

    /// Opens it, making it when it is missing.
    ///
    /// # Errors
    /// It cannot be made or entered, or is not a directory.
    pub fn open(surroundings: &Surroundings) -> Result<Self, Failure> {
        let path = Self::locate(surroundings)?;
        let refused = |reason: String| {
            Failure::bad_input(format!("the home directory {path} cannot be used: {reason}"))
                .hint("set CAPSTAN_HOME to a directory that you own")
        };
        DirBuilder::new().recursive(true).mode(0o700).create(path.as_path()).map_err(|error| refused(why(&error)))?;
        let metadata = fs::metadata(path.as_path()).map_err(|error| refused(why(&error)))?;
        if metadata.permissions().mode() & 0o077 != 0 {
            fs::set_permissions(path.as_path(), fs::Permissions::from_mode(0o700)).map_err(|error| refused(why(&error)))?;
        }
        // Else the first file that is looked for in it would be blamed.
        fs::read_dir(path.as_path()).map_err(|error| refused(why(&error)))?;
        Ok(Self(path))
    }

    /// The directory.
    #[must_use]
    pub const fn path(&self) -> &AbsPath {
        &self.0
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> PathBuf {
        self.0.as_path().join("capstan.db")
    }

    /// The keys.
    #[must_use]
    pub fn auth(&self) -> PathBuf {
        self.0.as_path().join("auth.json")
    }

    /// Where nodes embedded in commands keep their state, each in a slot of its own.
    #[must_use]
    pub fn embedded_nodes(&self) -> PathBuf {
        self.0.as_path().join("node")
    }

    /// Where the nodes of this home keep the states of workspaces, in commands and in a coordinator.
    #[must_use]
    pub fn checkpoints(&self) -> PathBuf {
        self.embedded_nodes().join("checkpoints")
    }

    /// Where coordinators of this home keep checkpoints, unless another place is named.
    #[must_use]
    pub fn blobs(&self) -> PathBuf {
        self.0.as_path().join("blobs")
    }

    /// Where packs lie that a coordinator of this home carries from one node to another.
    #[must_use]
    pub fn carried(&self) -> PathBuf {
        self.0.as_path().join("carried")
    }

    /// What is kept of repositories that were uploaded, so that the next time only what changed travels.
    #[must_use]
    pub fn uploads(&self) -> PathBuf {
        self.0.as_path().join("uploads")
    }

    /// Where patches lie that could not be applied when their turn ended.
    #[must_use]
    pub fn patches(&self) -> PathBuf {
        self.0.as_path().join("patches")
    }

    /// The socket of the coordinator that runs on this home.
    #[must_use]
    pub fn coordinator_socket(&self) -> PathBuf {
        self.0.as_path().join("coordinator.sock")
    }

    /// Held by the coordinator that runs on this home.
    #[must_use]
    pub fn coordinator_lock(&self) -> PathBuf {
        self.0.as_path().join("coordinator.lock")
    }

    /// What tells the coordinators of this home from those of others.
    #[must_use]
    pub fn coordinator_id(&self) -> PathBuf {
        self.0.as_path().join("coordinator.id")
    }

    /// The token of that coordinator.
    #[must_use]
    pub fn coordinator_token(&self) -> PathBuf {
        self.0.as_path().join("coordinator.token")
    }

    /// Where the node inside that coordinator keeps its state, over all of its lives.
    #[must_use]
    pub fn coordinator_node(&self) -> PathBuf {
        self.0.as_path().join("coordinator.node")
    }

    /// Where a coordinator keeps what operators order for nodes that no registry elsewhere knows.
    #[must_use]
    pub fn node_orders(&self) -> PathBuf {
        self.path().as_path().join("node-orders.json")
    }

    /// The authority of the cluster that was made on this home.
    #[must_use]
    pub fn cluster(&self) -> PathBuf {
        self.0.as_path().join("cluster")
    }

    /// What makes the daemon of that role and name a member of a cluster, with its audit log.
    #[must_use]
    pub fn identity(&self, role: Role, name: &Label) -> IdentityDir {
        IdentityDir::at(self.0.as_path().join("identity").join(format!("{role}.{name}")))
    }

    /// What makes the commands of this home members of a cluster.
    #[must_use]
    pub fn client_identity(&self) -> IdentityDir {
        IdentityDir::at(self.0.as_path().join("identity").join("client"))
    }

    /// Where the node daemon of that name keeps its state.
    #[must_use]
    pub fn daemon(&self, node: &NodeId) -> PathBuf {
        self.0.as_path().join("nodes").join(node.as_str())
    }

    /// The token of the node daemon of that name.
    #[must_use]
    pub fn daemon_token(&self, node: &NodeId) -> PathBuf {
        self.0.as_path().join(format!("{node}.token"))
    }
}

fn why(error: &io::Error) -> String {
    match error.kind() {
        // The system's words say that it exists, which is not what is wrong.
        io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory => "a part of its path is not a directory".to_owned(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn surroundings(variables: &[(&str, &Path)]) -> Surroundings {
        let text = |(name, path): &(&str, &Path)| ((*name).to_owned(), path.to_str().unwrap().to_owned());
        Surroundings::new(variables.iter().map(text).collect(), AbsPath::new("/").unwrap())
    }

    #[test]
    fn the_home_directory_is_made_for_its_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::open(&surroundings(&[("HOME", dir.path())])).unwrap();
        assert_eq!(home.path().as_path(), dir.path().join(".capstan"));
        let mode = || fs::metadata(home.path()).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(), 0o700);
        fs::set_permissions(home.path(), fs::Permissions::from_mode(0o755)).unwrap();
        Home::open(&surroundings(&[("HOME", dir.path())])).unwrap();
        assert_eq!(mode(), 0o700);
    }

    #[test]
    fn a_file_in_its_place_is_told_in_a_sentence() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, "").unwrap();
        for path in [file.clone(), file.join("below")] {
            let failure = Home::open(&surroundings(&[("CAPSTAN_HOME", &path)])).unwrap_err();
            assert!(failure.sentence.ends_with("a part of its path is not a directory"), "{failure:?}");
            assert_eq!(failure.exit.code(), 2);
        }
    }

    #[test]
    fn without_any_home_the_user_is_told_what_to_set() {
        let failure = Home::open(&surroundings(&[])).unwrap_err();
        assert_eq!(failure.hint.as_deref(), Some("set CAPSTAN_HOME to a directory that you own"));
        let relative = Home::open(&surroundings(&[("CAPSTAN_HOME", Path::new("x"))])).unwrap_err();
        assert!(relative.sentence.contains("`x` is not an absolute path"), "{relative:?}");
    }
}
