//! The node's own directory: who may use it, and what lies where in it.
//!
//! `lock` is held for as long as a node uses the directory; `generation` counts its lives; `sessions/ID` belongs to one session each;
//! `journal` is what its lives know of each other; `ballast` takes room that is given up when the disk is full; `scratch` holds what the
//! node itself needs files for, and is emptied when it starts and when it stops; `bin` holds the programs that sessions find by their names;
//! `checkpoints/THREAD` the states of a thread's workspace, unless they lie where [`CheckpointDir`] says; `workspaces/THREAD` the workspace that was made
//! for a thread and
//! `mirrors/HASH` what a repository has, both beside the slots for nodes that share them. All of it is readable by the node's
//! user only.

use crate::ballast::Ballast;
use capstan_types::id::Generation;
use capstan_types::path::{AbsPath, PathError};
use std::fs::{DirBuilder, File, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// How many nodes may share a parent directory. Full: the next one is refused.
const SLOTS: usize = 256;

/// Where a node keeps its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StateDir {
    /// This directory, for this node alone.
    Own(PathBuf),
    /// The first directory below this one that no living node uses, for processes that embed a node and may run side by side. A dead
    /// one's directory is used again, and with that its leftovers are cleared.
    SlotIn(PathBuf),
}

/// Where a node keeps the states of workspaces.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum CheckpointDir {
    /// Below the state directory; below the directory that they share for nodes in slots.
    #[default]
    WithState,
    /// In this directory, which nodes may share as long as no two of them work for one thread.
    At(PathBuf),
    /// Only as long as the node lives.
    WhileItLives,
}

/// Why there is no state directory. For the operator.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// Another node lives there.
    #[error("another node uses the state directory `{}`; stop it, or give this one a directory of its own", .0.display())]
    Used(PathBuf),
    /// Too many nodes live there.
    #[error("{SLOTS} nodes use the directory `{}` already; stop some, or give this one another", .0.display())]
    NoSlot(PathBuf),
    /// The path cannot be used as one.
    #[error(transparent)]
    Path(#[from] PathError),
    /// The generation file holds something else.
    #[error("`{}` does not hold a number; remove it, and the node starts at generation 1", .0.display())]
    Generation(PathBuf),
    /// There is no room for the little that a node keeps.
    #[error("the disk that holds the state directory `{}` is full; free some space, and start again", .0.display())]
    Full(PathBuf),
    /// The system said no.
    #[error("cannot use the state directory `{}`: {source}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// A state directory that this node holds.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) root: AbsPath,
    pub(crate) generation: Generation,
    /// Where the states of workspaces lie.
    pub(crate) checkpoints: AbsPath,
    /// Where checkpoints that travel lie.
    pub(crate) saved: AbsPath,
    /// Where the workspaces lie that the node makes.
    pub(crate) workspaces: AbsPath,
    /// Where mirrors of repositories lie.
    pub(crate) mirrors: AbsPath,
    /// Released by the kernel when this is dropped or the process dies.
    _lock: File,
}

/// Where things lie that nodes in slots share.
#[derive(Debug)]
struct Places {
    checkpoints: PathBuf,
    /// The directory of those for made workspaces and for mirrors.
    made: PathBuf,
}

impl State {
    /// Takes the directory, making it if needed, and begins a new life in it. Blocks for a few file operations.
    pub(crate) fn claim(dir: &StateDir, checkpoints: &CheckpointDir) -> Result<Self, StateError> {
        let place = |root: &Path, shared: &Path| match checkpoints {
            CheckpointDir::WithState => Places { checkpoints: shared.join("checkpoints"), made: shared.to_owned() },
            CheckpointDir::At(dir) => Places { checkpoints: dir.clone(), made: shared.to_owned() },
            CheckpointDir::WhileItLives => {
                let scratch = root.join("scratch");
                Places { checkpoints: scratch.join("checkpoints"), made: scratch }
            }
        };
        match dir {
            StateDir::Own(root) => {
                Self::hold_or_make_room(root, &place(root, root))?.ok_or_else(|| StateError::Used(root.clone()))
            }
            StateDir::SlotIn(parent) => {
                for slot in 0..SLOTS {
                    let root = parent.join(slot.to_string());
                    if let Some(state) = Self::hold_or_make_room(&root, &place(&root, parent))? {
                        return Ok(state);
                    }
                }
                Err(StateError::NoSlot(parent.clone()))
            }
        }
    }

    /// On a full disk, once more without the ballast that an earlier life left.
    fn hold_or_make_room(root: &Path, places: &Places) -> Result<Option<Self>, StateError> {
        match Self::hold(root, places) {
            // Whoever holds the directory would have been found before anything was written.
            Err(StateError::Full(_)) if Ballast::in_dir(root).give_up() => Self::hold(root, places),
            held => held,
        }
    }

    /// `None` when another node holds it.
    fn hold(root: &Path, Places { checkpoints, made }: &Places) -> Result<Option<Self>, StateError> {
        make_private(root)?;
        let resolved = root.canonicalize().map_err(|source| failed(root, source))?;
        let root = AbsPath::new(resolved)?;
        let path = root.as_path().join("lock");
        let lock = File::create(&path).map_err(|source| failed(&path, source))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(source)) => return Err(failed(&path, source)),
        }
        make_private(&root.as_path().join("sessions"))?;
        make_private(&root.as_path().join("scratch"))?;
        make_private(checkpoints)?;
        let checkpoints = AbsPath::new(checkpoints.canonicalize().map_err(|source| failed(checkpoints, source))?)?;
        let saved = checkpoints.as_path().with_file_name("saved");
        for dir in ["packs", "records", "seen", "new"] {
            make_private(&saved.join(dir))?;
        }
        let saved = AbsPath::new(saved.canonicalize().map_err(|source| failed(&saved, source))?)?;
        let [workspaces, mirrors] = ["workspaces", "mirrors"].map(|name| {
            let place = made.join(name);
            make_private(&place)?;
            Ok::<_, StateError>(AbsPath::new(place.canonicalize().map_err(|source| failed(&place, source))?)?)
        });
        let (workspaces, mirrors) = (workspaces?, mirrors?);
        let generation = next_generation(&root.as_path().join("generation"))?;
        Ok(Some(Self { root, generation, checkpoints, saved, workspaces, mirrors, _lock: lock }))
    }

    /// Whether an earlier life has left anything.
    pub(crate) fn has_past(&self) -> bool {
        self.generation.0 > 1 || std::fs::read_dir(self.sessions()).is_ok_and(|mut entries| entries.next().is_some())
    }

    /// What the system said about a file in it.
    pub(crate) fn failed(&self, source: io::Error) -> StateError {
        failed(&self.root.as_path().join("journal"), source)
    }

    pub(crate) fn sessions(&self) -> PathBuf {
        self.root.as_path().join("sessions")
    }

    pub(crate) fn scratch(&self) -> PathBuf {
        self.root.as_path().join("scratch")
    }
}

fn failed(path: &Path, source: io::Error) -> StateError {
    match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StateError::Full(path.parent().unwrap_or(path).to_owned()),
        _ => StateError::Io { path: path.to_owned(), source },
    }
}

/// Makes a directory, and the ones above it, that only the node's user can enter. One that exists is closed to others.
fn make_private(path: &Path) -> Result<(), StateError> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(|source| failed(path, source))?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700)).map_err(|source| failed(path, source))
}

/// Counts one life more. Written aside and renamed, so that a full disk leaves the old number.
fn next_generation(path: &Path) -> Result<Generation, StateError> {
    let last = match std::fs::read_to_string(path) {
        Ok(text) => text.trim().parse().map(Generation).map_err(|_| StateError::Generation(path.to_owned()))?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Generation(0),
        Err(source) => return Err(failed(path, source)),
    };
    let next = last.next();
    let aside = path.with_extension("new");
    std::fs::write(&aside, format!("{next}\n")).map_err(|source| failed(&aside, source))?;
    std::fs::rename(&aside, path).map_err(|source| failed(path, source))?;
    Ok(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_directory_has_one_node_and_counts_its_lives() {
        let dir = tempfile::tempdir().unwrap();
        let own = StateDir::Own(dir.path().join("a/b"));
        let first = State::claim(&own, &CheckpointDir::WithState).unwrap();
        assert_eq!(first.generation, Generation(1));
        let said = State::claim(&own, &CheckpointDir::WithState).unwrap_err().to_string();
        assert!(said.starts_with("another node uses the state directory"), "{said}");
        drop(first);
        assert_eq!(State::claim(&own, &CheckpointDir::WithState).unwrap().generation, Generation(2));
        let mode = std::fs::metadata(dir.path().join("a/b")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }

    #[test]
    fn embedded_nodes_live_side_by_side_and_reuse_the_slots_of_the_dead() {
        let dir = tempfile::tempdir().unwrap();
        let slots = StateDir::SlotIn(dir.path().to_owned());
        let first = State::claim(&slots, &CheckpointDir::WithState).unwrap();
        let second = State::claim(&slots, &CheckpointDir::WithState).unwrap();
        assert_ne!(first.root, second.root);
        let free = first.root.clone();
        drop(first);
        assert_eq!(State::claim(&slots, &CheckpointDir::WithState).unwrap().root, free);
    }

    #[test]
    fn a_broken_generation_file_is_named() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("generation"), "seven").unwrap();
        let said = State::claim(&StateDir::Own(dir.path().to_owned()), &CheckpointDir::WithState).unwrap_err().to_string();
        assert!(said.contains("generation` does not hold a number; remove it"), "{said}");
    }
}
