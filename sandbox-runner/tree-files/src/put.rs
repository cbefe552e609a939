//! Puts a state back.

mod remove;
mod write;

use crate::content::Content;
use crate::directory::{self, Facts, What};
use crate::error::TreeError;
use crate::leave::Left;
use crate::seen::Seen;
use crate::shown::shown;
use crate::store::Store;
use crate::tree::{Entry, Kind};
use capstan_types::tree_document::{Leave, StatePut};
use rustix::fd::AsFd;
use rustix::fs::{Mode, fchmod};
use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

/// How many changed names are given.
const NAMED: usize = 100;

/// When the things that are put back were changed last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Times {
    /// When they were: for a tree that is made anew.
    Kept,
    /// Now: so that programs which compare times, like make, see that they have changed.
    Now,
}

impl Times {
    /// Those that are right for the tree at `top`: one that is empty is made anew.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn of(top: &Path) -> Result<Self, TreeError> {
        let names = directory::open_top(top).and_then(directory::names).map_err(TreeError::file(top, "read"))?;
        Ok(if names.is_empty() { Self::Kept } else { Self::Now })
    }
}

/// Makes a tree what it was: what is in it and not in the state is removed, unless it is to be left alone. What is as it should be is not
/// touched. A file is written beside its place, and put there whole.
///
/// `seen` is what [`crate::take`] noted of this tree; it need not exist.
///
/// # Errors
/// When the top cannot be used, or an object is missing or damaged: some of the tree may have been changed then.
pub fn put(
    top: &Path,
    (root, mode): (&Content, u16),
    store: &Store,
    leave: &Leave,
    times: Times,
    seen: &Path,
) -> Result<StatePut, TreeError> {
    let open = directory::open_top(top).map_err(TreeError::file(top, "read"))?;
    let mut putting = Putting { store, left: Left::new(leave), times, seen: Seen::read(seen), put: StatePut::default() };
    putting.directory(&open, root, &mut Vec::new())?;
    fchmod(&open, Mode::from_raw_mode(mode.into()))
        .map_err(|error| TreeError::file(top, "given its permissions")(error.into()))?;
    Ok(putting.put)
}

struct Putting<'a> {
    store: &'a Store,
    left: Left,
    times: Times,
    seen: Seen,
    put: StatePut,
}

impl Putting<'_> {
    /// Makes a directory what `content` says. `path` is that from the top, with a slash behind it.
    fn directory(&mut self, open: &OwnedFd, content: &Content, path: &mut Vec<u8>) -> Result<(), TreeError> {
        let entries = self.store.directory(content)?;
        let before = self.left.enter(open, path);
        self.remove_others(open, &entries, path);
        let unfinished = write::unfinished(&entries);
        for entry in &entries {
            let length = path.len();
            path.extend(&entry.name);
            let made = self.entry((open, &unfinished), entry, path);
            path.truncate(length);
            made?;
        }
        self.left.leave(before);
        Ok(())
    }

    fn entry(&mut self, (parent, unfinished): (&OwnedFd, &CStr), entry: &Entry, path: &mut Vec<u8>) -> Result<(), TreeError> {
        let Ok(name) = CString::new(entry.name.clone()) else { return Ok(()) };
        let present = directory::facts(parent, &name).ok();
        // What was ignored when the state was taken is not in it; what is in it and ignored now is put back.
        let done = match &entry.kind {
            Kind::Directory(content) => return self.below(parent, &name, entry, content, present.as_ref(), path),
            Kind::File(content) => self.file((parent, unfinished), &name, entry, content, present.as_ref(), path)?,
            Kind::Link(target) => self.link(parent, &name, entry, target, present.as_ref()),
            Kind::Pipe => self.pipe(parent, &name, entry, present.as_ref()),
        };
        self.note(path, done);
        Ok(())
    }

    fn below(
        &mut self,
        parent: &OwnedFd,
        name: &CStr,
        entry: &Entry,
        content: &Content,
        present: Option<&Facts>,
        path: &mut Vec<u8>,
    ) -> Result<(), TreeError> {
        let opened = self.made(parent, name, present, path);
        let open = match opened {
            Ok(open) => open,
            Err(error) => {
                self.note(path, Err(error));
                return Ok(());
            }
        };
        let changed = present.is_none_or(|facts| facts.what != What::Directory || facts.mode != entry.mode);
        let length = path.len();
        path.push(b'/');
        let put = self.directory(&open, content, path);
        path.truncate(length);
        put?;
        // Last, since a directory that may not be written cannot be filled.
        let finished = write::finish_directory(&open, entry, self.times).map(|()| changed);
        self.note(path, finished);
        Ok(())
    }

    /// An open directory of that name, which may be written.
    fn made(&mut self, parent: &OwnedFd, name: &CStr, present: Option<&Facts>, path: &[u8]) -> io::Result<OwnedFd> {
        match present {
            Some(facts) if facts.what == What::Directory => write::open_writable(parent, name, facts.mode),
            present => {
                if present.is_some() {
                    self.remove(parent, name, What::Other, path)?;
                }
                write::new_directory(parent, name)
            }
        }
    }

    fn file(
        &mut self,
        (parent, unfinished): (&OwnedFd, &CStr),
        name: &CStr,
        entry: &Entry,
        content: &Content,
        present: Option<&Facts>,
        path: &[u8],
    ) -> Result<io::Result<bool>, TreeError> {
        if let Some(facts) = present.filter(|facts| facts.what == What::File && facts.stamp.size == content.size)
            && self.is_same(parent, name, facts, content, path)
        {
            return Ok(write::settle_file(parent, name, entry, facts, self.times));
        }
        if let Some(Facts { what: What::Directory, .. }) = present
            && let Err(error) = self.remove(parent, name, What::Directory, path)
        {
            return Ok(Err(error));
        }
        write::file((parent, unfinished), name, entry, content, self.store, self.times).map(|written| written.map(|()| true))
    }

    fn is_same(&self, parent: impl AsFd, name: &CStr, facts: &Facts, content: &Content, path: &[u8]) -> bool {
        if let Some(seen) = self.seen.content(path, &facts.stamp) {
            return seen == *content;
        }
        let read = directory::open_file(parent, name)
            .and_then(|open| Content::read(std::fs::File::from(open), content.size, &mut |_, _| Ok(())));
        read.is_ok_and(|read| read == *content)
    }

    fn link(&mut self, parent: &OwnedFd, name: &CStr, entry: &Entry, target: &[u8], present: Option<&Facts>) -> io::Result<bool> {
        if present.is_some_and(|facts| facts.what == What::Link) && directory::target(parent, name)? == target {
            return Ok(false);
        }
        if let Some(facts) = present {
            self.remove(parent, name, facts.what, &entry.name)?;
        }
        write::link(parent, name, entry, target, self.times).map(|()| true)
    }

    fn pipe(&mut self, parent: &OwnedFd, name: &CStr, entry: &Entry, present: Option<&Facts>) -> io::Result<bool> {
        if present.is_some_and(|facts| facts.what == What::Pipe && facts.mode == entry.mode) {
            return Ok(false);
        }
        if let Some(facts) = present {
            self.remove(parent, name, facts.what, &entry.name)?;
        }
        write::pipe(parent, name, entry, self.times).map(|()| true)
    }

    fn note(&mut self, path: &[u8], done: io::Result<bool>) {
        match done {
            Ok(false) => {}
            Ok(true) => {
                self.put.changed += 1;
                if self.put.named.len() < NAMED {
                    self.put.named.push(shown(path));
                }
            }
            Err(error) => self.put.skipped.note(shown(path), error.to_string()),
        }
    }
}
