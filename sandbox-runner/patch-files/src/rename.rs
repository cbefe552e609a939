//! Renames that replace nothing by mistake.

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;
use std::io;
use std::path::Path;

/// What a file system answers that does not have the rename.
const UNSUPPORTED: [Errno; 3] = [Errno::INVAL, Errno::NOSYS, Errno::OPNOTSUPP];

/// Lets two files change places in one step. `false` when this file system cannot.
pub(crate) fn exchange(one: &Path, other: &Path) -> io::Result<bool> {
    match renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE) {
        Ok(()) => Ok(true),
        Err(error) if UNSUPPORTED.contains(&error) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Renames `from` to `to`, which must not exist.
pub(crate) fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // A file system without this rename can at least make a link, which never replaces.
        Err(error) if UNSUPPORTED.contains(&error) => std::fs::hard_link(from, to).and_then(|()| std::fs::remove_file(from)),
        other => other.map_err(io::Error::from),
    }
}
