//! The directories that are watched.

use super::unwatchable;
use crate::beneath::{self, Last, Top};
use crate::refusal::{Answer, refused};
use crate::walk::{Walk, Way, is_hidden};
use capstan_types::files::document::{LeaveOut, MOST_DEPTH, Order, WatchQuery};
use capstan_types::files::path::FilePath;
use capstan_types::files::report::FileKind;
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
use rustix::io::Errno;
use std::collections::HashMap;
use std::ffi::CStr;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};

/// How much is read of the kernel's queue at once, in bytes.
const READ: usize = 64 << 10;

/// How many names below a directory that came to be are told one by one. Of more, only the directories that can be watched are looked at.
const MOST_NEW: usize = 10_001;

/// What the kernel tells of.
fn wanted() -> WatchFlags {
    WatchFlags::CREATE
        | WatchFlags::DELETE
        | WatchFlags::MOVED_FROM
        | WatchFlags::MOVED_TO
        | WatchFlags::MODIFY
        | WatchFlags::ATTRIB
        | WatchFlags::DELETE_SELF
        | WatchFlags::MOVE_SELF
        | WatchFlags::ONLYDIR
        | WatchFlags::DONT_FOLLOW
        | WatchFlags::EXCL_UNLINK
}

/// Directories, each with the number that the kernel tells of it by.
pub(super) struct Watches<'a> {
    queue: OwnedFd,
    root: FilePath,
    leave: LeaveOut,
    hidden: &'a [FilePath],
    most: u64,
    paths: HashMap<i32, FilePath>,
    root_number: i32,
    /// How many directories are not watched, because there are too many.
    pub(super) unwatched: u64,
}

/// What the kernel has told.
pub(super) enum Happened {
    /// Something that it had no room for.
    Lost,
    /// The watched directory itself is gone.
    Gone,
    /// Something to a name.
    To { path: FilePath, flags: ReadFlags },
}

impl<'a> Watches<'a> {
    /// Watches a directory and all below it.
    pub(super) fn below(top: &Top, query: &WatchQuery, hidden: &'a [FilePath]) -> Answer<Self> {
        let queue = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK).map_err(unwatchable)?;
        let failed = |error: io::Error| refused(&query.path, "watched", &error);
        let place = top.follow(&query.path, Last::Followed).map_err(failed)?;
        let directory = beneath::open_directory(&*place.directory, &place.name).map_err(failed)?;
        let mut watches = Self {
            queue,
            root: query.path.clone(),
            leave: query.leave,
            hidden,
            most: query.directories.min(WatchQuery::MOST),
            paths: HashMap::new(),
            root_number: 0,
            unwatched: 0,
        };
        watches.root_number = watches.add(&directory, query.path.clone()).map_err(unwatchable)?;
        watches.add_below(top, &query.path);
        Ok(watches)
    }

    pub(super) const fn queue(&self) -> &OwnedFd {
        &self.queue
    }

    pub(super) fn count(&self) -> u64 {
        self.paths.len() as u64
    }

    pub(super) fn is_hidden(&self, path: &FilePath) -> bool {
        is_hidden(self.hidden, path)
    }

    /// Watches what is below a directory, and the directory itself. Gives the first names below it.
    pub(super) fn add_below(&mut self, top: &Top, path: &FilePath) -> Vec<FilePath> {
        let mut names = Vec::new();
        self.add_at(top, path);
        let way = Way { leave: self.leave, hidden: self.hidden, order: Order::AsFound, depth: MOST_DEPTH, after: None };
        // One that is gone again has nothing below it.
        let Ok(mut walk) = Walk::below(top, path, way) else { return names };
        while let Some(found) = walk.next() {
            if found.facts.kind == FileKind::Directory {
                let opened = walk.directory().and_then(|directory| beneath::open_directory(directory, &found.name).ok());
                self.add_or_count(opened, &found.path);
            }
            if names.len() < MOST_NEW {
                names.push(found.path);
            }
        }
        names
    }

    /// Watches all directories that are there now, after some were missed.
    pub(super) fn renew(&mut self, top: &Top) {
        self.unwatched = 0;
        let root = self.root.clone();
        self.add_below(top, &root);
    }

    /// Watches nothing at or below `path` any more: it is called something else now, or is gone.
    pub(super) fn forget(&mut self, path: &FilePath) {
        let (queue, root) = (&self.queue, self.root_number);
        self.paths.retain(|number, watched| {
            let keeps = *number == root || !is_hidden(std::slice::from_ref(path), watched);
            if !keeps {
                let _ = inotify::remove_watch(queue, *number);
            }
            keeps
        });
    }

    /// What has happened so far.
    pub(super) fn read(&mut self) -> io::Result<Vec<Happened>> {
        let mut room = vec![MaybeUninit::uninit(); READ];
        let (mut told, queue) = (Vec::new(), self.queue.as_fd());
        let mut events = Reader::new(queue, &mut room);
        let mut over = Vec::new();
        loop {
            let event = match events.next() {
                Ok(event) => event,
                Err(Errno::AGAIN) => break,
                Err(Errno::INTR) => continue,
                Err(error) => return Err(error.into()),
            };
            let (number, flags) = (event.wd(), event.events());
            if flags.contains(ReadFlags::QUEUE_OVERFLOW) {
                told.push(Happened::Lost);
            } else if number == self.root_number && flags.intersects(ReadFlags::DELETE_SELF | ReadFlags::MOVE_SELF) {
                told.push(Happened::Gone);
            } else if flags.contains(ReadFlags::IGNORED) {
                over.push(number);
            } else if let (Some(name), Some(path)) = (event.file_name(), self.paths.get(&number)) {
                told.extend(named(path, name).map(|path| Happened::To { path, flags }));
            }
        }
        over.into_iter().for_each(|number| drop(self.paths.remove(&number)));
        Ok(told)
    }

    fn add_at(&mut self, top: &Top, path: &FilePath) {
        let place = top.follow(path, Last::Followed);
        let opened = place.and_then(|place| beneath::open_directory(&*place.directory, &place.name));
        self.add_or_count(opened.ok(), path);
    }

    fn add_or_count(&mut self, directory: Option<OwnedFd>, path: &FilePath) {
        // One that is gone is not missed.
        let Some(directory) = directory else { return };
        if self.count() >= self.most || self.add(&directory, path.clone()).is_err() {
            self.unwatched += 1;
        }
    }

    /// Watches what is open: the kernel is given no name that could mean something else by now.
    fn add(&mut self, directory: &OwnedFd, path: FilePath) -> Result<i32, Errno> {
        rustix::process::fchdir(directory)?;
        let number = inotify::add_watch(&self.queue, c".", wanted());
        // Whoever works in a directory keeps it from going, and its end from being told.
        rustix::process::chdir(c"/")?;
        let number = number?;
        self.paths.insert(number, path);
        Ok(number)
    }
}

fn named(directory: &FilePath, name: &CStr) -> Option<FilePath> {
    let path = directory.within(name.to_bytes());
    (path.as_bytes().len() <= FilePath::MOST).then_some(path)
}
