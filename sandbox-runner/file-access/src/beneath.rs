//! Following a path from the workspace's top without ever leaving what is below it.
//!
//! Each step is opened from the directory before it, and those directories are kept: `..` in a link goes back to one of them, and never asks
//! the file system for what is above. So a directory that is moved, or replaced by a link, while we walk leads nobody out.

use capstan_types::files::path::FilePath;
use rustix::fs::{FileType, Mode, OFlags, fstat, openat, readlinkat};
use rustix::io::Errno;
use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::rc::Rc;

use crate::facts::{self, kind_of};
use capstan_types::files::report::FileKind;

/// Flags of everything that is opened here. `NONBLOCK` keeps a pipe that took a file's place from holding us up.
pub(crate) const FLAGS: OFlags = OFlags::CLOEXEC.union(OFlags::NOFOLLOW).union(OFlags::NONBLOCK).union(OFlags::NOCTTY);

/// How many links one path may lead over, as with the kernel.
const MOST_LINKS: u32 = 40;

/// A workspace's top.
#[derive(Debug)]
pub(crate) struct Top(Rc<OwnedFd>);

/// Where something is: a directory, and its name in it.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) directory: Rc<OwnedFd>,
    pub(crate) name: CString,
}

/// What becomes of a link that a path ends in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Last {
    Followed,
    Itself,
}

impl Top {
    /// The directory `path`, which is where the operator put it: links on the way to it are followed.
    pub(crate) fn open(path: &std::path::Path) -> io::Result<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self(Rc::new(rustix::fs::open(path, flags, Mode::empty())?)))
    }

    /// Follows a path. What it ends in need not be there where it is not followed.
    pub(crate) fn follow(&self, path: &FilePath, last: Last) -> io::Result<Place> {
        let mut above = vec![Rc::clone(&self.0)];
        // The next step lies at the end.
        let mut ahead: Vec<Vec<u8>> = path.steps().map(<[u8]>::to_vec).collect();
        ahead.reverse();
        let mut links = 0;
        while let Some(step) = ahead.pop() {
            let here = above.last().unwrap_or(&self.0);
            match &step[..] {
                b"" | b"." => {}
                b".." if above.len() > 1 => drop(above.pop()),
                b".." => return Err(Errno::XDEV.into()),
                _ => {
                    let name = CString::new(step)?;
                    if ahead.is_empty() && last == Last::Itself {
                        return Ok(Place { directory: Rc::clone(here), name });
                    }
                    let found = openat(here, &name, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())?;
                    match FileType::from_raw_mode(fstat(&found)?.st_mode) {
                        FileType::Symlink => {
                            links += 1;
                            let target = readlinkat(&found, c"", Vec::new())?.into_bytes();
                            if links > MOST_LINKS {
                                return Err(Errno::LOOP.into());
                            }
                            if target.first() == Some(&b'/') {
                                return Err(Errno::XDEV.into());
                            }
                            ahead.extend(target.split(|byte| *byte == b'/').rev().map(<[u8]>::to_vec));
                        }
                        FileType::Directory => above.push(Rc::new(found)),
                        _ if ahead.is_empty() => return Ok(Place { directory: Rc::clone(here), name }),
                        _ => return Err(Errno::NOTDIR.into()),
                    }
                }
            }
        }
        let here = above.pop().unwrap_or_else(|| Rc::clone(&self.0));
        Ok(Place { directory: here, name: c".".to_owned() })
    }
}

/// Opens a directory within another.
pub(crate) fn open_directory(parent: impl AsFd, name: &CStr) -> io::Result<OwnedFd> {
    Ok(openat(parent, name, FLAGS | OFlags::DIRECTORY | OFlags::RDONLY, Mode::empty())?)
}

/// Opens a regular file to be read; anything else is given as what it is. A device is not opened at all, since some act on that.
pub(crate) fn open_file(parent: impl AsFd, name: &CStr) -> io::Result<Result<OwnedFd, FileKind>> {
    let seen = kind_of(facts::raw_mode(&parent, name)?);
    if seen != FileKind::File {
        return Ok(Err(seen));
    }
    let file = openat(parent, name, FLAGS | OFlags::RDONLY, Mode::empty())?;
    let kind = kind_of(fstat(&file)?.st_mode);
    Ok(if kind == FileKind::File { Ok(file) } else { Err(kind) })
}
