//! Takes the state of a tree.

use crate::content::Content;
use crate::directory::{self, Facts, What};
use crate::error::TreeError;
use crate::leave::Left;
use crate::object::ObjectId;
use crate::pack::Packer;
use crate::seen::{Noted, Seen};
use crate::shown::shown;
use crate::store::Store;
use crate::tree::{self, Entry, Kind, Modified};
use capstan_types::tree_document::{Bounds, Leave, Skipped};
use std::collections::{BTreeSet, HashSet};
use std::ffi::CStr;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How deep a tree may be. Each level holds one file open.
pub(crate) const DEEPEST: usize = 512;
/// How often a file is read that changes meanwhile.
const TRIES: usize = 3;
/// A file that changed this shortly before may change again without another time of change, as the clock of the kernel goes in steps.
const STEP: Duration = Duration::from_millis(20);

/// The places of a taking.
#[derive(Debug, Clone, Copy)]
pub struct Places<'a> {
    /// The tree's top.
    pub top: &'a Path,
    /// The packs that are there already.
    pub store: &'a Path,
    /// Where new packs are written. Must exist.
    pub out: &'a Path,
    /// Where it is noted what was seen, so that the next time is quicker. Need not exist.
    pub seen: &'a Path,
}

/// A state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// The list of the top's entries.
    pub root: Content,
    /// The top's permission bits.
    pub mode: u16,
    /// The packs that hold all of it: those that were there and those that are new.
    pub packs: BTreeSet<ObjectId>,
    /// The packs that were written now.
    pub new_packs: Vec<ObjectId>,
    /// How many files it has, and how many bytes they have.
    pub files: u64,
    /// See `files`.
    pub bytes: u64,
    /// How many bytes of objects were not there before, before compression.
    pub new_bytes: u64,
    /// What is no part of it although it should be.
    pub skipped: Skipped,
}

/// Takes the state of a tree. What is stored already is not stored again, and what did not change is not read again.
///
/// # Errors
/// When the top cannot be read, a pack cannot be written, or there is more than `bounds` say. Packs may have been written then that
/// belong to no state.
pub fn take(places: Places<'_>, leave: &Leave, bounds: Bounds) -> Result<Taken, TreeError> {
    let top = directory::open_top(places.top).map_err(TreeError::file(places.top, "read"))?;
    let facts = directory::facts_of(&top).map_err(TreeError::file(places.top, "read"))?;
    let mut taking = Taking {
        places,
        bounds,
        settled: now().saturating_sub(STEP),
        left: Left::new(leave),
        store: Store::open(places.store)?,
        packer: Packer::new(places.out).map_err(TreeError::file(places.out, "written"))?,
        new: HashSet::new(),
        packs: BTreeSet::new(),
        before: Seen::read(places.seen),
        seen: Noted::default(),
        files: 0,
        bytes: 0,
        skipped: Skipped::default(),
        failed: None,
    };
    let root = match taking.directory(&top, &mut Vec::new(), 0)? {
        Some(root) => root,
        None => return Err(TreeError::file(places.top, "read")(io::ErrorKind::PermissionDenied.into())),
    };
    taking.end(root, facts.mode)
}

struct Taking<'a> {
    places: Places<'a>,
    bounds: Bounds,
    /// Files that changed before this moment will have another time of change when they change again.
    settled: Duration,
    left: Left,
    store: Store,
    packer: Packer,
    new: HashSet<ObjectId>,
    packs: BTreeSet<ObjectId>,
    before: Seen,
    seen: Noted,
    files: u64,
    bytes: u64,
    skipped: Skipped,
    /// Why an object could not be stored.
    failed: Option<io::Error>,
}

impl Taking<'_> {
    /// The list of a directory; `None` when it cannot be read. `path` is that from the top, with a slash behind it.
    fn directory(&mut self, open: &OwnedFd, path: &mut Vec<u8>, depth: usize) -> Result<Option<Content>, TreeError> {
        let names = match directory::names(open) {
            Ok(names) => names,
            Err(error) => {
                self.skip(path, error.to_string());
                return Ok(None);
            }
        };
        let before = self.left.enter(open, path);
        let mut entries = Vec::with_capacity(names.len());
        for name in names {
            let length = path.len();
            path.extend(name.to_bytes());
            let entry = self.entry(open, &name, path, depth)?;
            path.truncate(length);
            entries.extend(entry);
        }
        self.left.leave(before);
        if path.is_empty() {
            entries.extend(self.repository()?);
            entries.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        }
        let list = tree::encode(&entries);
        self.content(list.as_slice(), list.len() as u64).map(Some)
    }

    /// What stands for the top's `.git`, if anything does: all of it, whatever else is left alone.
    fn repository(&mut self) -> Result<Option<Entry>, TreeError> {
        let Some(place) = self.left.repository().map(Path::to_owned) else { return Ok(None) };
        let open = directory::open_top(&place).map_err(TreeError::file(&place, "read"))?;
        let facts = directory::facts_of(&open).map_err(TreeError::file(&place, "read"))?;
        let left = std::mem::replace(&mut self.left, Left::new(&Leave::default()));
        let list = self.directory(&open, &mut b".git/".to_vec(), 1);
        self.left = left;
        let kind = list?.map(Kind::Directory);
        Ok(kind.map(|kind| Entry { name: b".git".to_vec(), mode: facts.mode, modified: facts.modified, kind }))
    }

    fn entry(&mut self, parent: &OwnedFd, name: &CStr, path: &mut Vec<u8>, depth: usize) -> Result<Option<Entry>, TreeError> {
        let facts = match directory::facts(parent, name) {
            Ok(facts) => facts,
            Err(error) => return Ok(self.gone(path, &error)),
        };
        if self.left.is_left(path, facts.what == What::Directory) {
            return Ok(None);
        }
        let mut facts = facts;
        let kind = match facts.what {
            What::File => self.file(parent, name, path, &mut facts)?.map(Kind::File),
            What::Directory => self.below(parent, name, path, depth)?.map(Kind::Directory),
            What::Link => match directory::target(parent, name) {
                Ok(target) => Some(Kind::Link(target)),
                Err(error) => return Ok(self.gone(path, &error)),
            },
            What::Pipe => Some(Kind::Pipe),
            What::Other => {
                self.skip(path, "is a socket or a device");
                None
            }
        };
        Ok(kind.map(|kind| Entry { name: name.to_bytes().to_vec(), mode: facts.mode, modified: facts.modified, kind }))
    }

    fn below(&mut self, parent: &OwnedFd, name: &CStr, path: &mut Vec<u8>, depth: usize) -> Result<Option<Content>, TreeError> {
        if depth == DEEPEST {
            self.skip(path, format!("is more than {DEEPEST} directories deep"));
            return Ok(None);
        }
        match directory::open_directory(parent, name) {
            Ok(open) => {
                path.push(b'/');
                self.directory(&open, path, depth + 1)
            }
            Err(error) => Ok(self.gone(path, &error)),
        }
    }

    fn file(&mut self, parent: impl AsFd, name: &CStr, path: &[u8], facts: &mut Facts) -> Result<Option<Content>, TreeError> {
        self.files += 1;
        if self.files > self.bounds.files {
            return Err(self.too_much("files", self.bounds.files));
        }
        if facts.stamp.size > self.bounds.file_bytes {
            self.skip(path, format!("is longer than {} bytes", self.bounds.file_bytes));
            return Ok(None);
        }
        let seen = self.before.content(path, &facts.stamp).filter(|content| content.objects.iter().all(|id| self.store.has(id)));
        let content = match seen {
            Some(content) => {
                self.packs.extend(content.objects.iter().filter_map(|id| self.store.pack_of(id)));
                content
            }
            None => match self.read(parent, name, facts)? {
                Ok(content) => content,
                Err(error) => return Ok(self.gone(path, &error)),
            },
        };
        self.bytes += content.size;
        if time(facts.stamp.changed) < self.settled && facts.stamp.size == content.size {
            self.seen.note(path, &facts.stamp, &content);
        }
        Ok(Some(content))
    }

    /// Reads a file. The inner error is of the file, the outer of what becomes of it.
    fn read(&mut self, parent: impl AsFd, name: &CStr, facts: &mut Facts) -> Result<io::Result<Content>, TreeError> {
        let mut content = Content::default();
        for _ in 0..TRIES {
            let opened = directory::open_file(&parent, name).and_then(|open| Ok((directory::facts_of(&open)?, File::from(open))));
            let (before, file) = match opened {
                Ok((before, file)) if before.what == What::File => (before, file),
                Ok(_) => return Ok(Err(io::Error::other("was replaced while it was read"))),
                Err(error) => return Ok(Err(error)),
            };
            let bounded = io::Read::take(&file, self.bounds.file_bytes);
            content = match self.content_of(bounded, before.stamp.size)? {
                Ok(content) => content,
                Err(error) => return Ok(Err(error)),
            };
            let after = directory::facts_of(&file).map(|facts| facts.stamp);
            let same = after.is_ok_and(|after| after == before.stamp);
            *facts = before;
            if same {
                return Ok(Ok(content));
            }
            // It is being written. What is read last is kept, as with every other program, and it is looked at again next time.
            facts.stamp.changed = Modified { seconds: i64::MAX, nanos: 0 };
        }
        Ok(Ok(content))
    }

    fn content(&mut self, source: impl io::Read, size: u64) -> Result<Content, TreeError> {
        self.content_of(source, size)?.map_err(TreeError::file(self.places.top, "read"))
    }

    fn content_of(&mut self, source: impl io::Read, size: u64) -> Result<io::Result<Content>, TreeError> {
        let Self { store, packs, packer, new, failed, .. } = self;
        let content = Content::read(source, size, &mut |id, bytes| {
            if store.has(&id) {
                packs.extend(store.pack_of(&id));
            } else if new.insert(id)
                && let Err(error) = packer.add(id, bytes)
            {
                *failed = Some(error);
                return Err(io::ErrorKind::Other.into());
            }
            Ok(())
        });
        if let Some(error) = failed.take() {
            return Err(TreeError::file(self.places.out, "written")(error));
        }
        if self.packer.raw > self.bounds.new_bytes {
            return Err(self.too_much("bytes that are new", self.bounds.new_bytes));
        }
        Ok(content)
    }

    /// Notes a name that cannot be used, unless it is no longer there.
    fn gone<T>(&mut self, path: &[u8], error: &io::Error) -> Option<T> {
        if error.kind() != io::ErrorKind::NotFound {
            self.skip(path, error.to_string());
        }
        None
    }

    fn skip(&mut self, path: &[u8], reason: impl Into<String>) {
        self.skipped.note(shown(path), reason);
    }

    fn too_much(&self, what: &'static str, most: u64) -> TreeError {
        TreeError::TooMuch { path: self.places.top.to_owned(), what, most }
    }

    fn end(self, root: Content, mode: u16) -> Result<Taken, TreeError> {
        let new_bytes = self.packer.raw;
        let new_packs = self.packer.finish()?;
        // Without it the next time takes longer, and nothing else.
        let _ = self.seen.write(self.places.seen);
        let packs = self.packs.into_iter().chain(new_packs.iter().copied()).collect();
        let Self { files, bytes, skipped, .. } = self;
        Ok(Taken { root, mode, packs, new_packs, files, bytes, new_bytes, skipped })
    }
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

fn time(time: Modified) -> Duration {
    u64::try_from(time.seconds).map_or(Duration::ZERO, |seconds| Duration::new(seconds, time.nanos))
}
