//! Renames that replace nothing by mistake.
#![expect(unsafe_code, reason = "renameat2 has no safe form in the standard library")]

use std::ffi::CString;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

fn renameat2(from: &Path, to: &Path, flags: libc::c_uint) -> io::Result<()> {
    let name = |path: &Path| CString::new(path.as_os_str().as_bytes()).map_err(io::Error::from);
    let (from, to) = (name(from)?, name(to)?);
    // SAFETY: both names are live C strings.
    let result = unsafe { libc::syscall(libc::SYS_renameat2, libc::AT_FDCWD, from.as_ptr(), libc::AT_FDCWD, to.as_ptr(), flags) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

fn is_unsupported(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EINVAL | libc::ENOSYS | libc::EOPNOTSUPP))
}

/// Lets two files change places in one step. `false` when this file system cannot.
pub(crate) fn exchange(one: &Path, other: &Path) -> io::Result<bool> {
    match renameat2(one, other, libc::RENAME_EXCHANGE) {
        Ok(()) => Ok(true),
        Err(error) if is_unsupported(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Renames `from` to `to`, which must not exist.
pub(crate) fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    match renameat2(from, to, libc::RENAME_NOREPLACE) {
        // A file system without this rename can at least make a link, which never replaces.
        Err(error) if is_unsupported(&error) => std::fs::hard_link(from, to).and_then(|()| std::fs::remove_file(from)),
        other => other,
    }
}
