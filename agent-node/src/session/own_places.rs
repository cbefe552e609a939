//! The node's own directories, which are nobody's workspace: a session that was given one could change what all others are made of.
//!
//! A thread is given one of them by name, the tree that was made for it. What the node's own jobs need is added to a policy that has been admitted.

use crate::workspace::layers::{Layers, TREE};
use capstan_types::id::ThreadId;
use capstan_types::launch::Refusal;
use capstan_types::path::AbsPath;
use capstan_types::policy::SandboxPolicy;
use std::path::{Path, PathBuf};

/// The directories of one node.
#[derive(Debug)]
pub(crate) struct OwnPlaces {
    places: Vec<AbsPath>,
    layers: Layers,
}

impl OwnPlaces {
    /// These directories, and the workspaces among them.
    pub(crate) const fn new(places: Vec<AbsPath>, layers: Layers) -> Self {
        Self { places, layers }
    }

    /// Refuses what a thread asks for if any of it lies in the node's own directories and not in the thread's own tree. It blocks for a few
    /// file operations.
    ///
    /// # Errors
    /// The place that it may not have.
    pub(crate) fn keep_out(&self, thread: ThreadId, cwd: &AbsPath, policy: &SandboxPolicy) -> Result<(), Refusal> {
        let asked = [cwd].into_iter().chain(&policy.writable).chain(&policy.readable);
        asked.into_iter().find(|place| self.is_kept(thread, place.as_path())).map_or(Ok(()), |place| {
            let reason =
                format!("`{place}` belongs to the node, and is nothing for sessions of this thread; choose another directory");
            Err(Refusal::Policy { reason })
        })
    }

    fn is_kept(&self, thread: ThreadId, place: &Path) -> bool {
        let real = real(place);
        let is_own = |place: &Path| place.starts_with(self.layers.place(thread).join(TREE));
        // By its name as well: what is not there yet may come.
        [place, &real].into_iter().any(|place| self.places.iter().any(|own| place.starts_with(own)) && !is_own(place))
    }
}

/// Where a path leads, as far as there is something.
fn real(path: &Path) -> PathBuf {
    let found = path.ancestors().find_map(|above| Some((above, above.canonicalize().ok()?)));
    found.map_or_else(
        || path.to_owned(),
        |(above, real)| path.strip_prefix(above).map_or_else(|_| real.clone(), |rest| real.join(rest)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_is_given_nothing_of_the_nodes_own_but_its_tree() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        let path = |name: &str| AbsPath::new(root.join(name)).unwrap();
        let (mine, other) = (ThreadId::generate(), ThreadId::generate());
        let tree = |thread: ThreadId| format!("state/workspaces/{thread}/tree");
        for place in [&*tree(mine), &*tree(other), "state/mirrors/key", "outside"] {
            std::fs::create_dir_all(root.join(place)).unwrap();
        }
        std::os::unix::fs::symlink(root.join("state/mirrors"), root.join("outside/alias")).unwrap();
        let own = OwnPlaces::new(vec![path("state")], Layers::new(path("state/workspaces")));
        let asks = |cwd: &str, writable: &str, readable: &str| {
            let policy = SandboxPolicy { readable: vec![path(readable)], ..SandboxPolicy::workspace_write(vec![path(writable)]) };
            own.keep_out(mine, &path(cwd), &policy).is_ok()
        };
        assert!(asks(&tree(mine), &tree(mine), &format!("{}/not/there", tree(mine))));
        assert!(asks("outside", "outside", "outside/not/there") && asks("outside", "state-x", "outside"));
        for kept in [
            &*tree(other),
            "state",
            "state/mirrors/key",
            "outside/alias/key",
            "state/not/there",
            &format!("state/workspaces/{mine}"),
        ] {
            assert!(
                !asks(kept, "outside", "outside") && !asks("outside", kept, "outside") && !asks("outside", "outside", kept),
                "{kept}"
            );
        }
    }
}
