//! What a checkout is made of: a repository that the node lays out, into which git checks its HEAD out.

use super::Strategy;
use crate::error::NodeError;
use crate::workspace::git_job::Ran;
use crate::workspace::mirror::{FULL, Ready, Refs, fetched_config, for_checkout, link_objects, skeleton};
use capstan_types::source::GitSource;
use sha2::{Digest, Sha256};
use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// How often objects are linked anew when a mirror was made smaller meanwhile.
const TRIES: usize = 3;

/// Where a revision lies that is checked out once for all. What differs in its files or its repository lies elsewhere.
pub(super) fn place(ready: &Ready, source: &GitSource) -> PathBuf {
    let found = &ready.found;
    let text =
        format!("{}\n{}\n{} {}\n", found.commit, found.branch.as_deref().unwrap_or_default(), source.submodules, source.lfs);
    // A branch that has moved since is another one in the checkout too.
    let hash: String = Sha256::new_with_prefix(text)
        .chain_update(refs(ready))
        .finalize()
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    ready.dir.join("bases").join(hash)
}

/// The refs of a checkout, as git packs them.
fn refs(ready: &Ready) -> Vec<u8> {
    for_checkout(Refs::of(&ready.dir).as_ref(), &ready.found.commit, ready.found.branch.as_deref())
}

/// Puts a base in its place. One that another process has put there meanwhile is as good.
pub(super) fn put(tree: &Path, place: &Path) -> io::Result<()> {
    let above = place.parent().unwrap_or(place);
    DirBuilder::new().recursive(true).mode(0o700).create(above)?;
    // After a loss of power its name would be there, and count for ever, over files that are empty.
    rustix::fs::syncfs(File::open(tree)?)?;
    match fs::rename(tree, place) {
        Err(error) if !place.is_dir() => Err(error),
        Ok(()) | Err(_) => File::open(above)?.sync_all(),
    }
}

/// Notes that a base was used now.
pub(super) fn used(base: &Path) {
    if let Err(error) = File::open(base).and_then(|dir| dir.set_modified(std::time::SystemTime::now())) {
        tracing::debug!(base = %base.display(), %error, "it could not be noted that a checkout was used");
    }
}

/// Lays out the repository of a checkout in `tree`.
pub(super) fn prepare(tree: &Path, ready: &Ready, source: &GitSource, how: Strategy) -> io::Result<()> {
    let git = tree.join(".git");
    skeleton(&git)?;
    let found = &ready.found;
    let (head, tracking) = match &found.branch {
        Some(branch) => (
            format!("ref: refs/heads/{branch}\n"),
            format!("[branch \"{branch}\"]\n\tremote = origin\n\tmerge = \"refs/heads/{branch}\"\n"),
        ),
        None => (format!("{}\n", found.commit), String::new()),
    };
    fs::write(git.join("HEAD"), head)?;
    let config = fetched_config(source, "+refs/heads/*:refs/remotes/origin/*", "false");
    fs::write(git.join("config"), format!("{config}{tracking}"))?;
    fs::write(git.join("packed-refs"), refs(ready))?;
    let link = |from: &Path, to: &Path| match how {
        // Nobody is given what lies below an overlay, or what blocks are shared with.
        Strategy::Overlay | Strategy::Reflink => link_or_have(from, to),
        Strategy::Copy => fs::copy(from, to).map(drop),
    };
    for _ in 1..TRIES {
        match link_objects(&ready.dir, &git, link) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            linked => return linked,
        }
    }
    link_objects(&ready.dir, &git, link)
}

fn link_or_have(from: &Path, to: &Path) -> io::Result<()> {
    match fs::hard_link(from, to) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        linked => linked,
    }
}

/// Why files could not be checked out.
pub(super) fn why(ran: &Ran) -> NodeError {
    let said = String::from_utf8_lossy(&ran.said);
    if said.contains("No space left on device") || said.contains("Disk quota exceeded") {
        return NodeError::NoRoom(FULL.to_owned());
    }
    let line = said.split(['\n', '\r']).rfind(|line| !line.trim().is_empty()).unwrap_or("git did not say why");
    let line: String = line.chars().filter(|char| !char.is_control()).take(300).collect();
    NodeError::NoSource(format!("the revision could not be checked out: {line}"))
}
