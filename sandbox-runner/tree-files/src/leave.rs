//! What is left alone: neither taken into a state, nor changed when one is put back.

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use rustix::fd::AsFd;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::directory;
use capstan_types::tree_document::Leave;

/// The longest list of patterns that is read, in bytes.
const MOST_PATTERNS: u64 = 1 << 20;

/// Decides about the names of a tree while it is walked.
#[derive(Debug)]
pub struct Left {
    git: bool,
    ignored: bool,
    /// Whether nothing is taken but what `tracked` names.
    unnamed: bool,
    /// What is taken as the top's `.git`.
    repository: Option<PathBuf>,
    /// Paths that are taken although they are ignored, because git knows them.
    tracked: BTreeSet<Vec<u8>>,
    /// The patterns of the directories above, the top's first, each with the length of its directory's path.
    patterns: Vec<(usize, Gitignore)>,
}

impl Left {
    /// Leaves this alone.
    #[must_use]
    pub fn new(leave: &Leave) -> Self {
        let tracked = leave.tracked.split(|byte| *byte == 0).filter(|path| !path.is_empty()).map(<[u8]>::to_vec).collect();
        let repository = leave.repository.as_ref().map(|place| place.as_path().to_owned());
        let Leave { git, ignored, unnamed, .. } = *leave;
        Self { git, ignored, unnamed, repository, tracked, patterns: Vec::new() }
    }

    /// The directory that is taken as the top's `.git`.
    pub(crate) fn repository(&self) -> Option<&Path> {
        self.repository.as_deref()
    }

    /// Goes into a directory, whose path is `path` with a slash behind it, or nothing for the top. Gives how many lists of patterns to
    /// [`Left::leave`] it with.
    pub fn enter(&mut self, directory: impl AsFd, path: &[u8]) -> usize {
        let before = self.patterns.len();
        if self.ignored {
            let lists = if path.is_empty() { &[c".git/info/exclude", c".gitignore"][..] } else { &[c".gitignore"][..] };
            let found = lists.iter().filter_map(|list| read(&directory, list));
            self.patterns.extend(found.map(|patterns| (path.len(), patterns)));
        }
        before
    }

    /// Goes out of a directory.
    pub fn leave(&mut self, before: usize) {
        self.patterns.truncate(before);
    }

    /// Whether a name is left alone. `path` is its path from the top.
    #[must_use]
    pub fn is_left(&self, path: &[u8], is_directory: bool) -> bool {
        let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or(path);
        if (self.git && name == b".git") || (self.repository.is_some() && path == b".git") {
            return true;
        }
        if self.unnamed && !self.is_tracked(path, is_directory) {
            return true;
        }
        self.ignored && name != b".git" && self.matches(path, is_directory) && !self.is_tracked(path, is_directory)
    }

    fn matches(&self, path: &[u8], is_directory: bool) -> bool {
        for (above, patterns) in self.patterns.iter().rev() {
            match patterns.matched(Path::new(OsStr::from_bytes(&path[*above..])), is_directory) {
                Match::Ignore(_) => return true,
                Match::Whitelist(_) => return false,
                Match::None => {}
            }
        }
        false
    }

    fn is_tracked(&self, path: &[u8], is_directory: bool) -> bool {
        if !is_directory {
            return self.tracked.contains(path);
        }
        let within = [path, b"/"].concat();
        self.tracked.range(within.clone()..).next().is_some_and(|tracked| tracked.starts_with(&within))
    }
}

fn read(directory: impl AsFd, name: &std::ffi::CStr) -> Option<Gitignore> {
    let file = std::fs::File::from(open(directory, name)?);
    let mut text = Vec::new();
    file.take(MOST_PATTERNS).read_to_end(&mut text).ok()?;
    let mut patterns = GitignoreBuilder::new("");
    for line in text.split(|byte| *byte == b'\n').filter_map(|line| std::str::from_utf8(line).ok()) {
        // One that cannot be understood matches nothing, as with git.
        let _ = patterns.add_line(None, line.strip_suffix('\r').unwrap_or(line));
    }
    patterns.build().ok()
}

/// Opens a list. Its directories are gone through one by one, for none of them may be a link.
fn open(directory: impl AsFd, name: &std::ffi::CStr) -> Option<rustix::fd::OwnedFd> {
    let mut steps = name.to_bytes().split(|byte| *byte == b'/').peekable();
    let mut at = directory.as_fd().try_clone_to_owned().ok()?;
    while let Some(step) = steps.next() {
        let step = std::ffi::CString::new(step).ok()?;
        if steps.peek().is_none() {
            let is_file = directory::facts(&at, &step).is_ok_and(|facts| facts.what == directory::What::File);
            return is_file.then(|| directory::open_file(&at, &step).ok())?;
        }
        at = directory::open_directory(&at, &step).ok()?;
    }
    None
}
