//! The layers of made workspaces: mounted before anybody works in one, and taken away when nobody does any longer.
//!
//! Nodes that embed themselves side by side share the workspaces. Invariant: whoever works in a layer holds its `users` file shared for as long as they
//! live, and nobody unmounts a layer that another process holds: its next session would run in the bare directory below, and find its work lost.

use crate::workspace::checkout::overlay;
use capstan_types::id::ThreadId;
use capstan_types::path::AbsPath;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The name of the record that says what a workspace lies over.
pub(crate) const RECORD: &str = "workspace.json";

/// The workspace itself, in the directory of its thread.
pub(crate) const TREE: &str = "tree";

/// Held shared by whoever works in the layer.
const USERS: &str = "users";

/// Held by whoever mounts or unmounts it at this moment.
const TURN: &str = "turn";

/// How long a turn is waited for: it takes milliseconds, unless whoever has it is stopped.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often it is looked whether the turn has come.
const LOOK: Duration = Duration::from_millis(5);

/// The layers below one directory. Clones are the same ones. All of it blocks for a few file operations.
#[derive(Debug, Clone)]
pub(crate) struct Layers {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    dir: AbsPath,
    /// What this process has mounted or works in; with its `users` file where it works in it.
    mine: Mutex<BTreeMap<ThreadId, Option<File>>>,
}

/// What of a record says how the workspace is mounted.
#[derive(Debug, Deserialize)]
struct Layer {
    #[serde(default)]
    base: Option<PathBuf>,
}

impl Layers {
    /// Those of the workspaces in `dir`.
    pub(crate) fn new(dir: AbsPath) -> Self {
        Self { inner: Arc::new(Inner { dir, mine: Mutex::default() }) }
    }

    /// The thread in whose made workspace a path lies, if it lies in one; also by way of a link.
    pub(crate) fn thread_of(&self, path: &Path) -> Option<ThreadId> {
        let below =
            |path: &Path| path.strip_prefix(&self.inner.dir).ok()?.components().next()?.as_os_str().to_str()?.parse().ok();
        // What lies in a layer is not there before it is mounted.
        below(path).or_else(|| below(&path.ancestors().find_map(|above| above.canonicalize().ok())?))
    }

    /// Has the workspace of a thread mounted, where it is a layer, and keeps it for as long as this process lives.
    ///
    /// # Errors
    /// Words for the caller. Nobody must work there then: what lies below the mount is empty.
    pub(crate) fn ready(&self, thread: ThreadId) -> Result<(), String> {
        self.mount(thread, true).map_err(|reason| format!("the workspace of thread {thread} cannot be mounted: {reason}"))
    }

    /// Mounts the workspace of a thread without working in it.
    ///
    /// # Errors
    /// As [`Layers::ready`].
    pub(crate) fn revive(&self, thread: ThreadId) -> Result<(), String> {
        self.mount(thread, false)
    }

    /// Takes down what this process has mounted or worked in, and nobody else works in.
    pub(crate) fn rest(&self) {
        let mine = std::mem::take(&mut *self.mine());
        for (thread, held) in mine {
            drop(held);
            if let Err(error) = self.leave(thread) {
                tracing::debug!(%thread, %error, "the workspace of a thread stays mounted");
            }
        }
    }

    /// Forgets a workspace that goes.
    pub(crate) fn forget(&self, thread: ThreadId) {
        self.mine().remove(&thread);
    }

    fn mount(&self, thread: ThreadId, to_work: bool) -> Result<(), String> {
        let place = self.place(thread);
        let Some(base) = base(&place)? else { return Ok(()) };
        let _turn = turn(&place).map_err(|error| error.to_string())?;
        let done = self.hold(thread, &place, to_work).and_then(|()| overlay::mount(&base, &place));
        if done.map_err(|error| format!("over `{}`: {error}", base.display()))? {
            self.mine().entry(thread).or_insert(None);
        }
        Ok(())
    }

    fn hold(&self, thread: ThreadId, place: &Path, to_work: bool) -> io::Result<()> {
        let path = place.join(USERS);
        let mut mine = self.mine();
        // One that was removed and made anew has another file.
        let is_held = mine.get(&thread).and_then(Option::as_ref).is_some_and(|held| is_at(held, &path));
        if !to_work || is_held {
            return Ok(());
        }
        let users = lock_file(&path)?;
        // Held alone only by whoever has the turn.
        users.try_lock_shared().map_err(io::Error::from)?;
        mine.insert(thread, Some(users));
        Ok(())
    }

    fn leave(&self, thread: ThreadId) -> io::Result<()> {
        let place = self.place(thread);
        let _turn = turn(&place)?;
        let users = lock_file(&place.join(USERS))?;
        match users.try_lock() {
            Ok(()) => overlay::take_down(&place),
            Err(TryLockError::WouldBlock) => Ok(()),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// The directory of a thread, whether it is there or not.
    pub(crate) fn place(&self, thread: ThreadId) -> PathBuf {
        self.inner.dir.as_path().join(thread.to_string())
    }

    fn mine(&self) -> MutexGuard<'_, BTreeMap<ThreadId, Option<File>>> {
        self.inner.mine.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the workspace in `place` lies over; none when it is no layer, or there is none.
fn base(place: &Path) -> Result<Option<PathBuf>, String> {
    let text = match fs::read(place.join(RECORD)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        read => read.map_err(|error| format!("its record cannot be read: {error}"))?,
    };
    let layer: Layer = serde_json::from_slice(&text).map_err(|error| format!("its record cannot be understood: {error}"))?;
    Ok(layer.base)
}

fn turn(place: &Path) -> io::Result<File> {
    let (file, since) = (lock_file(&place.join(TURN))?, Instant::now());
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if since.elapsed() < PATIENCE => std::thread::sleep(LOOK),
            Err(TryLockError::WouldBlock) => return Err(io::Error::other("another process is just doing so; ask again")),
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
}

fn lock_file(path: &Path) -> io::Result<File> {
    File::options().create(true).append(true).open(path)
}

fn is_at(file: &File, path: &Path) -> bool {
    let same = || {
        let (one, other) = (file.metadata()?, fs::metadata(path)?);
        Ok::<_, io::Error>((one.dev(), one.ino()) == (other.dev(), other.ino()))
    };
    same().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two processes' layers of one workspace, which lies over a base with a file.
    fn two(dir: &Path) -> (Layers, Layers, ThreadId, PathBuf) {
        let (thread, root) = (ThreadId::generate(), dir.canonicalize().unwrap());
        let (place, base) = (root.join(thread.to_string()), root.join("base"));
        fs::create_dir_all(place.join("tree")).unwrap();
        overlay::lay_out(&place).unwrap();
        fs::create_dir(&base).unwrap();
        fs::write(base.join("file"), "work").unwrap();
        fs::write(place.join(RECORD), serde_json::json!({ "base": base }).to_string()).unwrap();
        let layers = || Layers::new(AbsPath::new(&root).unwrap());
        (layers(), layers(), thread, place.join("tree"))
    }

    #[test]
    fn a_process_that_ends_leaves_the_workspaces_of_others_mounted() {
        let dir = tempfile::tempdir().unwrap();
        let (one, other, thread, tree) = two(dir.path());
        // Only root can mount it.
        let Ok(()) = one.revive(thread) else { return };
        other.ready(thread).unwrap();
        let third = Layers::new(AbsPath::new(dir.path().canonicalize().unwrap()).unwrap());
        third.rest();
        one.rest();
        assert!(tree.join("file").exists(), "the other one works there");
        one.ready(thread).unwrap();
        other.rest();
        assert!(tree.join("file").exists(), "the first one works there again");
        one.rest();
        assert!(!tree.join("file").exists(), "nobody works there");
    }

    #[test]
    fn a_workspace_whose_base_is_gone_is_not_taken_for_an_empty_one() {
        let dir = tempfile::tempdir().unwrap();
        let (one, _, thread, tree) = two(dir.path());
        fs::remove_dir_all(dir.path().join("base")).unwrap();
        let said = one.ready(thread).unwrap_err();
        assert!(said.contains("cannot be mounted: over"), "{said}");
        std::os::unix::fs::symlink(&tree, dir.path().join("alias")).unwrap();
        for path in [tree.join("below"), tree, dir.path().join("alias")] {
            assert_eq!(one.thread_of(&path), Some(thread), "{}", path.display());
        }
        assert_eq!(one.thread_of(dir.path()), None);
    }
}
