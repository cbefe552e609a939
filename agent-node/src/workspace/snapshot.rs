//! The state of a work tree at one moment, and what has changed since, without touching the user's index, refs or objects.
//!
//! A snapshot is a tree in an object directory of its own, which borrows from the repository's. Its copy of the index is carried on
//! from one diff to the next, so that only files that changed are read again.

use crate::error::NodeError;
use crate::workspace::git::{Git, Script};
use capstan_types::id::SessionId;
use capstan_types::path::AbsPath;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::Mutex;

/// What changed in a workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Diff {
    pub(crate) text: String,
    pub(crate) cut: bool,
}

/// How many snapshots of a workspace are kept. Full: the oldest goes.
pub(crate) const KEPT: usize = 2;

/// The longest diff that is given out, in bytes, so that it fits into a message of gRPC's usual limit.
pub(crate) const MAX_DIFF: usize = 3 << 20;

/// What a failed script may say besides its output, in bytes.
const COMPLAINT: usize = 4096;

/// A snapshot. Clones are the same one; its files are removed with the last of them.
#[derive(Debug, Clone)]
pub(crate) struct Snapshot {
    pub(crate) id: String,
    cwd: AbsPath,
    tree: String,
    scratch: Arc<Scratch>,
}

/// A directory of the node's that git may write to.
#[derive(Debug)]
struct Scratch {
    path: AbsPath,
    /// Held while git runs in it: two at once would find each other's lock files.
    turn: Mutex<()>,
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(self.path.as_path()) {
            tracing::warn!(dir = %self.path, %error, "a snapshot could not be removed; it is tried again at the next start");
        }
        // The thread's last snapshot takes the thread's directory with it; while others are in it, it stays.
        if let Some(of_thread) = self.path.as_path().parent() {
            let _ = std::fs::remove_dir(of_thread);
        }
    }
}

impl Snapshot {
    /// Takes note of the work tree at `cwd`. `scratches` is where the workspace's scratch directories lie.
    pub(crate) async fn take(git: &Git, cwd: AbsPath, scratches: PathBuf) -> Result<Self, NodeError> {
        let no_git = |reason| NodeError::NoGit { cwd: cwd.to_string(), reason };
        // A unique name; nothing is started under it.
        let id = SessionId::generate().to_string();
        let scratch = Scratch::make(&scratches.join(&id)).map_err(no_git)?;
        let script =
            Script { text: include_str!("take.sh"), cwd: &cwd, scratch: &scratch.path, variables: Vec::new(), cap: COMPLAINT };
        let said = git.run(script).await.map_err(no_git)?;
        let tree = String::from_utf8_lossy(&said).trim().to_owned();
        if !is_object_name(&tree) {
            return Err(no_git(format!("git gave no tree: {tree}")));
        }
        Ok(Self { id, cwd, tree, scratch: Arc::new(scratch) })
    }

    /// What has changed at `cwd` since, in at most `max_bytes`.
    pub(crate) async fn diff(&self, git: &Git, cwd: &AbsPath, max_bytes: usize) -> Result<Diff, NodeError> {
        let no_git = |reason| NodeError::NoGit { cwd: cwd.to_string(), reason };
        if *cwd != self.cwd {
            return Err(no_git(format!("the snapshot was taken of `{}`", self.cwd)));
        }
        let max_bytes = max_bytes.clamp(1, MAX_DIFF);
        let _turn = self.scratch.turn.lock().await;
        // One byte more than may be given out says whether there is more.
        let variables = vec![("CAPSTAN_TREE", self.tree.clone()), ("CAPSTAN_MAX", (max_bytes + 1).to_string())];
        let (text, cap) = (include_str!("diff.sh"), max_bytes + COMPLAINT);
        let script = Script { text, cwd: &self.cwd, scratch: &self.scratch.path, variables, cap };
        let said = git.run(script).await.map_err(no_git)?;
        Ok(cut(&said, max_bytes))
    }
}

impl Scratch {
    fn make(path: &Path) -> Result<Self, String> {
        let scratch = Self { path: AbsPath::new(path).map_err(|error| error.to_string())?, turn: Mutex::new(()) };
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path.join("objects/info"))
            .map_err(|error| format!("cannot make the scratch directory: {error}"))?;
        Ok(scratch)
    }
}

fn is_object_name(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// At most `max_bytes` of a diff, as text. Bytes that are not UTF-8 are replaced; no character is split.
fn cut(diff: &[u8], max_bytes: usize) -> Diff {
    let mut text = String::from_utf8_lossy(&diff[..diff.len().min(max_bytes + 1)]).into_owned();
    let is_cut = text.len() > max_bytes;
    text.truncate(text.floor_char_boundary(max_bytes));
    Diff { text, cut: is_cut }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_diff_is_cut_between_characters() {
        assert_eq!(cut("aé".as_bytes(), 3), Diff { text: "aé".into(), cut: false });
        assert_eq!(cut("aé".as_bytes(), 2), Diff { text: "a".into(), cut: true });
        assert_eq!(cut(b"abc", 2), Diff { text: "ab".into(), cut: true });
    }

    proptest! {
        #[test]
        fn no_diff_passes_its_limit_and_whole_text_is_kept(text in ".{0,60}", max in 1_usize..100) {
            let cut = cut(text.as_bytes(), max);
            prop_assert!(cut.text.len() <= max);
            prop_assert_eq!(cut.cut, text.len() > max);
            prop_assert!(text.starts_with(&cut.text));
            prop_assert!(cut.text.len() + 4 > text.len().min(max));
        }

        #[test]
        fn bytes_that_are_no_text_do_not_pass_the_limit(bytes in proptest::collection::vec(any::<u8>(), 0..200), max in 1_usize..100) {
            prop_assert!(cut(&bytes, max).text.len() <= max);
        }
    }

    #[test]
    fn only_object_names_are_trees() {
        assert!(is_object_name(&"a1".repeat(20)) && is_object_name(&"0f".repeat(32)));
        assert!(!is_object_name("") && !is_object_name(&"g".repeat(40)) && !is_object_name("fatal: x"));
    }
}
