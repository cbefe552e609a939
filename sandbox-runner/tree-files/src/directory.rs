//! An open directory, and what its names stand for. Names are single steps, and no link is followed.

use crate::tree::Modified;
use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, StatxFlags, openat, readlinkat, statx};
use rustix::io::Errno;
use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

/// Flags of everything that is opened here. `NONBLOCK` keeps a pipe that took a file's place from holding us up.
const FLAGS: OFlags = OFlags::CLOEXEC.union(OFlags::NOFOLLOW).union(OFlags::NONBLOCK).union(OFlags::NOCTTY);

/// What is known of a name without opening it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) what: What,
    pub(crate) mode: u16,
    pub(crate) modified: Modified,
    pub(crate) stamp: Stamp,
}

/// What must change when a file's content does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) inode: u64,
    pub(crate) size: u64,
    pub(crate) modified: Modified,
    /// The change of the file's record, which a program cannot set.
    pub(crate) changed: Modified,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    File,
    Directory,
    Link,
    Pipe,
    Other,
}

/// Opens a tree's top, itself through links.
pub(crate) fn open_top(path: &Path) -> io::Result<OwnedFd> {
    Ok(openat(CWD, path, OFlags::CLOEXEC | OFlags::DIRECTORY | OFlags::RDONLY, Mode::empty())?)
}

/// Opens a directory within another.
pub(crate) fn open_directory(parent: impl AsFd, name: &CStr) -> io::Result<OwnedFd> {
    Ok(openat(parent, name, FLAGS | OFlags::DIRECTORY | OFlags::RDONLY, Mode::empty())?)
}

/// Opens a file to be read, without changing when it was read last, where that is allowed.
pub(crate) fn open_file(parent: impl AsFd, name: &CStr) -> io::Result<OwnedFd> {
    let flags = FLAGS | OFlags::RDONLY;
    match openat(&parent, name, flags | OFlags::NOATIME, Mode::empty()) {
        Err(Errno::PERM) => Ok(openat(parent, name, flags, Mode::empty())?),
        opened => Ok(opened?),
    }
}

/// The names in a directory, sorted.
pub(crate) fn names(directory: impl AsFd) -> io::Result<Vec<CString>> {
    let mut names = Vec::new();
    for entry in Dir::read_from(directory)? {
        let entry = entry?;
        if !matches!(entry.file_name().to_bytes(), b"." | b"..") {
            names.push(entry.file_name().to_owned());
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// What a name stands for.
pub(crate) fn facts(parent: impl AsFd, name: &CStr) -> io::Result<Facts> {
    look(parent, name, AtFlags::SYMLINK_NOFOLLOW)
}

/// What is open.
pub(crate) fn facts_of(open: impl AsFd) -> io::Result<Facts> {
    look(open, c"", AtFlags::EMPTY_PATH)
}

fn look(parent: impl AsFd, name: &CStr, flags: AtFlags) -> io::Result<Facts> {
    let stat = statx(parent, name, flags | AtFlags::STATX_DONT_SYNC, StatxFlags::BASIC_STATS)?;
    let what = match FileType::from_raw_mode(stat.stx_mode.into()) {
        FileType::RegularFile => What::File,
        FileType::Directory => What::Directory,
        FileType::Symlink => What::Link,
        FileType::Fifo => What::Pipe,
        _ => What::Other,
    };
    let time = |time: rustix::fs::StatxTimestamp| Modified { seconds: time.tv_sec, nanos: time.tv_nsec };
    let modified = time(stat.stx_mtime);
    let stamp = Stamp { inode: stat.stx_ino, size: stat.stx_size, modified, changed: time(stat.stx_ctime) };
    Ok(Facts { what, mode: stat.stx_mode & crate::tree::MODE_BITS, modified, stamp })
}

/// Where a link leads.
pub(crate) fn target(parent: impl AsFd, name: &CStr) -> io::Result<Vec<u8>> {
    Ok(readlinkat(parent, name, Vec::new())?.into_bytes())
}
