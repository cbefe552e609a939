//! What is known of a name.

use capstan_types::files::report::{FileFacts, FileKind};
use rustix::fs::{AtFlags, FileType, RawMode, Statx, StatxFlags, statx};
use std::ffi::CStr;
use std::io;
use std::os::fd::AsFd;

/// The permission bits of a mode.
pub(crate) const MODE_BITS: u16 = 0o7777;

/// What the kernel counts blocks in, in bytes.
const BLOCK: u64 = 512;

/// What must stay as it is for a file to be the one that was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    inode: u64,
    size: u64,
    seconds: i64,
    nanos: u32,
}

/// What a name stands for. No link is followed.
pub(crate) fn facts(parent: impl AsFd, name: &CStr) -> io::Result<FileFacts> {
    look(parent, name).map(|stat| told(&stat))
}

/// What is open.
pub(crate) fn facts_of(open: impl AsFd) -> io::Result<FileFacts> {
    look(open, c"").map(|stat| told(&stat))
}

/// By what an open file is known again.
pub(crate) fn stamp_of(open: impl AsFd) -> io::Result<Stamp> {
    look(open, c"").map(|stat| stamp(&stat))
}

/// By what a file is known again. No link is followed.
pub(crate) fn stamp_at(parent: impl AsFd, name: &CStr) -> io::Result<Stamp> {
    look(parent, name).map(|stat| stamp(&stat))
}

/// The kind and the permission bits of a name. No link is followed.
pub(crate) fn raw_mode(parent: impl AsFd, name: &CStr) -> io::Result<RawMode> {
    look(parent, name).map(|stat| stat.stx_mode.into())
}

pub(crate) fn kind_of(mode: RawMode) -> FileKind {
    match FileType::from_raw_mode(mode) {
        FileType::RegularFile => FileKind::File,
        FileType::Directory => FileKind::Directory,
        FileType::Symlink => FileKind::Link,
        FileType::Fifo => FileKind::Pipe,
        FileType::Socket => FileKind::Socket,
        _ => FileKind::Device,
    }
}

fn look(parent: impl AsFd, name: &CStr) -> io::Result<Statx> {
    let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::EMPTY_PATH | AtFlags::STATX_DONT_SYNC;
    Ok(statx(parent, name, flags, StatxFlags::BASIC_STATS)?)
}

fn stamp(stat: &Statx) -> Stamp {
    let modified = stat.stx_mtime;
    Stamp { inode: stat.stx_ino, size: stat.stx_size, seconds: modified.tv_sec, nanos: modified.tv_nsec }
}

fn told(stat: &Statx) -> FileFacts {
    let modified = stat.stx_mtime;
    FileFacts {
        kind: kind_of(stat.stx_mode.into()),
        size: stat.stx_size,
        allocated: stat.stx_blocks.saturating_mul(BLOCK),
        mode: stat.stx_mode & MODE_BITS,
        modified_ms: modified.tv_sec.saturating_mul(1000).saturating_add(i64::from(modified.tv_nsec / 1_000_000)),
        hash: None,
    }
}
