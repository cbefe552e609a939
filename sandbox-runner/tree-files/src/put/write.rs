//! Makes single files, links, pipes and directories.

use super::Times;
use crate::content::Content;
use crate::directory::{self, Facts};
use crate::error::TreeError;
use crate::store::Store;
use crate::tree::{Entry, Modified};
use rustix::fs::{
    AtFlags, FileType, Mode, OFlags, Timespec, Timestamps, UTIME_OMIT, chmod, chmodat, fchmod, ftruncate, futimens, mkdirat,
    mknodat, openat, renameat, symlinkat, unlinkat, utimensat,
};
use std::ffi::{CStr, CString};
use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

/// What a directory must allow while it is filled.
const OWNER: u16 = 0o700;

/// Opens a directory, after giving its owner what filling it needs.
pub(super) fn open_writable(parent: &OwnedFd, name: &CStr, mode: u16) -> io::Result<OwnedFd> {
    if mode & OWNER == OWNER {
        return directory::open_directory(parent, name);
    }
    // Through an open directory, where it may be opened: a name could have become a link in the meantime.
    match directory::open_directory(parent, name) {
        Ok(open) => {
            fchmod(&open, bits(mode | OWNER))?;
            Ok(open)
        }
        Err(_) => {
            let flags = OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::DIRECTORY | OFlags::PATH;
            let closed = openat(parent, name, flags, Mode::empty())?;
            // The one thing that can be done by such a descriptor's own name only.
            chmod(format!("/proc/self/fd/{}", closed.as_raw_fd()), bits(mode | OWNER))?;
            directory::open_directory(parent, name)
        }
    }
}

pub(super) fn new_directory(parent: &OwnedFd, name: &CStr) -> io::Result<OwnedFd> {
    mkdirat(parent, name, bits(OWNER))?;
    directory::open_directory(parent, name)
}

pub(super) fn finish_directory(open: &OwnedFd, entry: &Entry, times: Times) -> io::Result<()> {
    if directory::facts_of(open)?.mode != entry.mode {
        fchmod(open, bits(entry.mode))?;
    }
    if times == Times::Kept {
        futimens(open, &stamps(entry.modified))?;
    }
    Ok(())
}

/// Gives a file that has the right content its permissions and, in a tree that is made anew, its time.
pub(super) fn settle_file(parent: &OwnedFd, name: &CStr, entry: &Entry, facts: &Facts, times: Times) -> io::Result<bool> {
    let open = || openat(parent, name, OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::RDONLY, Mode::empty());
    let other_mode = facts.mode != entry.mode;
    if other_mode {
        fchmod(&open()?, bits(entry.mode))?;
    }
    if times == Times::Kept && facts.modified != entry.modified {
        utimensat(parent, name, &stamps(entry.modified), AtFlags::SYMLINK_NOFOLLOW)?;
    }
    Ok(other_mode)
}

/// Writes a file beside its place and puts it there. The outer error is of the store.
pub(super) fn file(
    (parent, unfinished): (&OwnedFd, &CStr),
    name: &CStr,
    entry: &Entry,
    content: &Content,
    store: &Store,
    times: Times,
) -> Result<io::Result<()>, TreeError> {
    let created = create(parent, unfinished);
    let mut file = match created {
        Ok(file) => file,
        Err(error) => return Ok(Err(error)),
    };
    let written = fill(&mut file, content, store);
    let done = match written {
        Ok(written) => written.and_then(|()| place(parent, unfinished, name, &file, entry, times)),
        Err(error) => {
            let _ = unlinkat(parent, unfinished, AtFlags::empty());
            return Err(error);
        }
    };
    if done.is_err() {
        let _ = unlinkat(parent, unfinished, AtFlags::empty());
    }
    Ok(done)
}

/// Under which name files are written before they are put in their places: one that the directory is not to have.
pub(super) fn unfinished(entries: &[Entry]) -> CString {
    let is_free = |name: &CString| entries.binary_search_by(|entry| entry.name.as_slice().cmp(name.to_bytes())).is_err();
    let names = (0..=entries.len()).filter_map(|number| CString::new(format!(".capstan-unfinished-{number}")).ok());
    names.into_iter().find(is_free).unwrap_or_default()
}

fn create(parent: &OwnedFd, name: &CStr) -> io::Result<File> {
    let flags = OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL;
    let opened = match openat(parent, name, flags, bits(0o600)) {
        // One that was killed has left it.
        Err(rustix::io::Errno::EXIST) => {
            unlinkat(parent, name, AtFlags::empty())?;
            openat(parent, name, flags, bits(0o600))
        }
        opened => opened,
    };
    Ok(File::from(opened?))
}

fn fill(file: &mut File, content: &Content, store: &Store) -> Result<io::Result<()>, TreeError> {
    for id in &content.objects {
        let bytes = store.get(id)?;
        if let Err(error) = write_sparse(file, &bytes) {
            return Ok(Err(error));
        }
    }
    Ok(file.stream_position().and_then(|length| match length == content.size {
        true => Ok(ftruncate(&*file, length)?),
        false => Err(io::Error::other("the state says another length than its objects have")),
    }))
}

/// Writes bytes, and leaves a hole where a whole object is nothing.
fn write_sparse(file: &mut File, bytes: &[u8]) -> io::Result<()> {
    if bytes.len() >= 4096 && bytes.iter().all(|byte| *byte == 0) {
        file.seek(SeekFrom::Current(i64::try_from(bytes.len()).unwrap_or(i64::MAX))).map(drop)
    } else {
        file.write_all(bytes)
    }
}

fn place(parent: &OwnedFd, from: &CStr, name: &CStr, file: &File, entry: &Entry, times: Times) -> io::Result<()> {
    fchmod(file, bits(entry.mode))?;
    if times == Times::Kept {
        futimens(file, &stamps(entry.modified))?;
    }
    Ok(renameat(parent, from, parent, name)?)
}

pub(super) fn link(parent: &OwnedFd, name: &CStr, entry: &Entry, target: &[u8], times: Times) -> io::Result<()> {
    symlinkat(target, parent, name)?;
    time(parent, name, entry, times)
}

pub(super) fn pipe(parent: &OwnedFd, name: &CStr, entry: &Entry, times: Times) -> io::Result<()> {
    mknodat(parent, name, FileType::Fifo, bits(0o600), 0)?;
    // The creation's mode is cut by the umask. No link can be there: whoever may write here may as well make what it likes.
    chmodat(parent, name, bits(entry.mode), AtFlags::empty())?;
    time(parent, name, entry, times)
}

fn time(parent: impl AsFd, name: &CStr, entry: &Entry, times: Times) -> io::Result<()> {
    match times {
        Times::Kept => Ok(utimensat(parent, name, &stamps(entry.modified), AtFlags::SYMLINK_NOFOLLOW)?),
        Times::Now => Ok(()),
    }
}

const fn stamps(modified: Modified) -> Timestamps {
    Timestamps {
        last_access: Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT },
        last_modification: Timespec { tv_sec: modified.seconds, tv_nsec: modified.nanos as _ },
    }
}

const fn bits(mode: u16) -> Mode {
    Mode::from_raw_mode(mode as u32)
}
