//! The packs of a staged `.git`, each with what one upload added to the history of the one before. A commit that HEAD does not lead to any more ends
//! the chain before it: its pack is removed with all later ones, so that nothing travels that the repository does not have. What was only staged
//! lies in a pack of its own, that lasts for one upload.

use crate::failure::Failure;
use crate::local_git::{Git, Input};
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The most packs, after which all of it is packed anew.
const MOST_PACKS: usize = 48;
/// The file with the chain.
const KNOWN: &str = "capstan-known";

/// What one upload added.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Link {
    /// The commit that it led to.
    head: String,
    /// The name of its pack; empty for one that added nothing.
    pack: String,
}

/// All of them, the first one first.
#[derive(Debug)]
pub(super) struct Chain {
    dir: PathBuf,
    links: Vec<Link>,
}

impl Chain {
    /// That of a staging directory; none where it cannot be read.
    pub(super) fn of(dir: &Path) -> Self {
        let text = fs::read_to_string(dir.join(KNOWN)).unwrap_or_default();
        let link = |line: &str| {
            let (head, pack) = line.split_once(' ')?;
            let is_there = pack.is_empty() || dir.join(format!("objects/pack/pack-{pack}.idx")).exists();
            is_there.then(|| Link { head: head.to_owned(), pack: pack.to_owned() })
        };
        Self { dir: dir.to_owned(), links: text.lines().map_while(link).collect() }
    }

    /// The staging directory.
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Removes the packs with what `head` does not lead to, and those with what was staged. Says whether there was history and none is left.
    ///
    /// # Errors
    /// A file cannot be removed.
    pub(super) fn keep_reachable(&mut self, real: &Git, head: Option<&str>) -> io::Result<bool> {
        let count = self.links.len();
        let leads = |link: &Link| {
            let asked = |head| real.run(["merge-base", "--is-ancestor", &link.head, head], Input::Nothing);
            head.is_some_and(|head| link.head == head || asked(head).is_ok_and(|said| said.is_success))
        };
        // Each leads to those before it.
        self.links.truncate(self.links.iter().rposition(leads).map_or(0, |last| last + 1));
        let is_lost = count > 0 && self.links.is_empty();
        if self.links.len() >= MOST_PACKS {
            self.links.clear();
        }
        self.sweep()?;
        Ok(is_lost)
    }

    /// Begins anew.
    ///
    /// # Errors
    /// A file cannot be removed.
    pub(super) fn clear(&mut self) -> io::Result<()> {
        self.links.clear();
        self.sweep()
    }

    /// Packs what leads to `head` and is not there. Says whether it could: parts of it may be missing.
    ///
    /// # Errors
    /// There is no room.
    pub(super) fn add(&mut self, ours: &Git, head: &str) -> Result<bool, Failure> {
        if self.links.last().is_some_and(|last| last.head == head) {
            return Ok(true);
        }
        let known = self.links.last().map(|last| format!("^{}", last.head));
        let Some(pack) = pack(ours, &self.dir, &[Some(head.to_owned()), known].into_iter().flatten().collect::<Vec<_>>())? else {
            return Ok(false);
        };
        self.links.push(Link { head: head.to_owned(), pack });
        self.note().map_err(|error| Failure::failed(format!("{} cannot be written: {error}", self.dir.display())))?;
        Ok(true)
    }

    /// Noted before a pack is removed: a chain that names one that is not there ends before it.
    fn sweep(&self) -> io::Result<()> {
        self.note()?;
        for entry in fs::read_dir(self.dir.join("objects/pack"))? {
            let path = entry?.path();
            let name = path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            if !self.links.iter().any(|link| !link.pack.is_empty() && name.strip_prefix("pack-") == Some(&link.pack)) {
                fs::remove_file(path)?;
            }
        }
        Ok(())
    }

    fn note(&self) -> io::Result<()> {
        let lines: String = self.links.iter().map(|link| format!("{} {}\n", link.head, link.pack)).collect();
        fs::write(self.dir.join(KNOWN), lines)
    }
}

/// Packs what these revisions and contents are made of, and gives the pack's name: an empty one if that is nothing, none if parts are missing.
///
/// # Errors
/// There is no room.
pub(super) fn pack(ours: &Git, dir: &Path, revisions: &[String]) -> Result<Option<String>, Failure> {
    if revisions.is_empty() {
        return Ok(Some(String::new()));
    }
    let arguments = ["pack-objects", "-q", "--revs", "--non-empty", "--delta-base-offset"];
    let base = dir.join("objects/pack/pack");
    let arguments = arguments.iter().map(OsStr::new).chain([base.as_os_str()]);
    let said = ours.run(arguments, Input::Bytes(format!("{}\n", revisions.join("\n")).as_bytes()))?;
    if !said.is_success && said.err.contains("No space left") {
        return Err(said.failure());
    }
    Ok(said.is_success.then(|| String::from_utf8_lossy(&said.out).trim().to_owned()))
}
