//! Looks at a directory that is to be a workspace. It reads names only, so it needs no sandbox.

use crate::error::NodeError;
use crate::session::launcher::Launcher;
use crate::workspace::{repository, system};
use capstan_types::id::NodeId;
use capstan_types::path::AbsPath;
use capstan_types::session::WorkspaceFacts;
use std::path::Path;

/// Where temporary files go when nothing else is said.
const TMP: &str = "/tmp";

/// Says what `cwd` is to sessions of this node, and has its protected names looked for. It blocks for a few file operations.
pub(crate) fn facts(cwd: &AbsPath, node: NodeId, launcher: &Launcher) -> Result<WorkspaceFacts, NodeError> {
    if let Some(thread) = launcher.layers.thread_of(cwd.as_path()) {
        launcher.layers.ready(thread).map_err(NodeError::NoSource)?;
    }
    let writable = |place: &AbsPath| launcher.admission.lets_write(place);
    let (home, tmpdir) = (launcher.base_variable("HOME"), launcher.base_variable("TMPDIR"));
    let facts = look(cwd, node, home, tmpdir, writable)?;
    launcher.protected.look_at(&facts.root);
    Ok(facts)
}

/// Says what `cwd` is. `home` and `tmpdir` are what sessions know as HOME and TMPDIR. It blocks for a few file operations.
/// Of the temporary directories only those count that `writable` takes.
fn look(
    cwd: &AbsPath,
    node: NodeId,
    home: Option<&str>,
    tmpdir: Option<&str>,
    writable: impl Fn(&AbsPath) -> bool,
) -> Result<WorkspaceFacts, NodeError> {
    let no = |reason: String| NodeError::NoDirectory { path: cwd.to_string(), reason };
    let real = cwd.as_path().canonicalize().map_err(|error| no(error.to_string()))?;
    // Listing it is the test that matters: one that can be named but not entered is of no use.
    std::fs::read_dir(&real).map_err(|error| no(error.to_string()))?;
    let root = AbsPath::new(&real).map_err(|error| no(error.to_string()))?;
    let temp_dirs = [Some(TMP), tmpdir].into_iter().flatten().filter_map(directory).filter(writable).collect();
    let top = repository::places(&real, home.map(Path::new)).into_iter().next();
    Ok(WorkspaceFacts { git: in_work_tree(&real), root, node, temp_dirs, top, system: system::words().to_owned() })
}

fn directory(path: &str) -> Option<AbsPath> {
    AbsPath::new(path).ok().filter(|path| path.as_path().is_dir())
}

/// Whether `.git` lies here or above: a directory, or the file that stands for one in worktrees and submodules.
fn in_work_tree(path: &Path) -> bool {
    path.ancestors().any(|above| above.join(".git").exists())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(path: &Path) -> Result<WorkspaceFacts, NodeError> {
        look(&AbsPath::new(path).unwrap(), "n1".parse().unwrap(), None, None, |_| true)
    }

    #[test]
    fn a_directory_is_opened_by_its_real_name() {
        let dir = tempfile::tempdir().unwrap();
        let real = dir.path().canonicalize().unwrap();
        std::fs::create_dir_all(real.join("a/b")).unwrap();
        std::os::unix::fs::symlink(real.join("a/b"), real.join("alias")).unwrap();
        let facts = open(&real.join("alias")).unwrap();
        assert_eq!(facts.root.as_path(), real.join("a/b"));
        assert!(!facts.git && facts.top.is_none() && facts.system.contains("Linux "), "{facts:?}");
        std::fs::write(real.join("a/.git"), "gitdir: elsewhere").unwrap();
        let facts = open(&real.join("alias")).unwrap();
        assert_eq!((facts.git, facts.top.unwrap().as_path()), (true, real.join("a").as_path()));
    }

    #[test]
    fn what_is_no_directory_is_refused_in_words() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("file"), "").unwrap();
        for (name, reason) in [("missing", "No such file"), ("file", "Not a directory")] {
            let said = open(&dir.path().join(name)).unwrap_err().to_string();
            assert!(said.contains("cannot be a workspace") && said.contains(reason), "{said}");
        }
    }

    #[test]
    fn temporary_directories_are_those_that_exist() {
        let dir = tempfile::tempdir().unwrap();
        let cwd = AbsPath::new(dir.path()).unwrap();
        let dirs = |tmpdir| look(&cwd, "n1".parse().unwrap(), None, tmpdir, |_| true).unwrap().temp_dirs;
        assert_eq!(dirs(None), [AbsPath::new("/tmp").unwrap()]);
        assert_eq!(dirs(cwd.as_path().to_str()), [AbsPath::new("/tmp").unwrap(), cwd.clone()]);
        assert_eq!(dirs(Some("/no/such/dir")).len(), 1);
    }
}
