//! Mounts, by the calls that work on trees rather than on names: what was checked is what is mounted.
#![expect(unsafe_code, reason = "the mount calls have no safe form in the standard library")]

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr::null;

/// Set-user-id bits and device nodes mean nothing below it.
pub(crate) const HARMLESS: u64 = libc::MOUNT_ATTR_NOSUID | libc::MOUNT_ATTR_NODEV;
/// Nothing can be changed below it.
pub(crate) const READ_ONLY: u64 = libc::MOUNT_ATTR_RDONLY | HARMLESS;
/// A device node to be used as one.
pub(crate) const DEVICE: u64 = libc::MOUNT_ATTR_NOSUID | libc::MOUNT_ATTR_NOEXEC;

fn checked(result: libc::c_long) -> io::Result<i32> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(i32::try_from(result).unwrap_or(0)) }
}

/// A copy of a tree of mounts that is not attached anywhere yet.
#[derive(Debug)]
pub(crate) struct Tree(OwnedFd);

impl Tree {
    /// A copy of what is seen at `path`, with all mounts below it. A symbolic link is not followed.
    pub(crate) fn copy(path: &CStr) -> io::Result<Self> {
        let recursive = libc::c_uint::try_from(libc::AT_RECURSIVE | libc::AT_SYMLINK_NOFOLLOW).unwrap_or(0);
        let flags = libc::OPEN_TREE_CLONE | libc::OPEN_TREE_CLOEXEC | recursive;
        // SAFETY: the path is a live C string; the call gives a new descriptor or an error.
        let fd = checked(unsafe { libc::syscall(libc::SYS_open_tree, libc::AT_FDCWD, path.as_ptr(), flags) })?;
        // SAFETY: the descriptor is new, so nobody else owns it.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    /// Sets attributes on every mount of the copy. With `owners` the files' owners are translated by that user namespace.
    pub(crate) fn restrict(&self, attributes: u64, owners: Option<BorrowedFd<'_>>) -> io::Result<()> {
        let idmap = owners.map_or(0, |_| libc::MOUNT_ATTR_IDMAP);
        let userns_fd = owners.map_or(0, |fd| u64::try_from(fd.as_raw_fd()).unwrap_or(0));
        set(self.0.as_raw_fd(), c"", libc::AT_EMPTY_PATH | libc::AT_RECURSIVE, attributes | idmap, userns_fd)
    }

    /// Attaches the copy at `target`.
    pub(crate) fn attach(&self, target: &CStr) -> io::Result<()> {
        let (from, flags) = (self.0.as_raw_fd(), libc::MOVE_MOUNT_F_EMPTY_PATH);
        // SAFETY: both paths are live C strings.
        let moved = unsafe { libc::syscall(libc::SYS_move_mount, from, c"".as_ptr(), libc::AT_FDCWD, target.as_ptr(), flags) };
        checked(moved).map(drop)
    }
}

fn set(fd: libc::c_int, path: &CStr, flags: libc::c_int, attr_set: u64, userns_fd: u64) -> io::Result<()> {
    let attributes = libc::mount_attr { attr_set, attr_clr: 0, propagation: 0, userns_fd };
    let size = size_of::<libc::mount_attr>();
    // SAFETY: the path is a live C string, and the struct is live and of the given size.
    let result = unsafe { libc::syscall(libc::SYS_mount_setattr, fd, path.as_ptr(), flags, &raw const attributes, size) };
    checked(result).map(drop)
}

/// Makes the mount at `path` alone read-only.
pub(crate) fn freeze(path: &CStr) -> io::Result<()> {
    set(libc::AT_FDCWD, path, 0, libc::MOUNT_ATTR_RDONLY, 0)
}

/// Mounts what is at `path` over itself, read-only or as it is: a place that is a mount cannot be renamed or removed.
pub(crate) fn pin(path: &CStr, attributes: u64) -> io::Result<()> {
    let tree = Tree::copy(path)?;
    tree.restrict(attributes, None)?;
    tree.attach(path)
}

/// Mounts a file system of its own kind.
pub(crate) fn file_system(kind: &CStr, target: &CStr, flags: libc::c_ulong, options: &CStr) -> io::Result<()> {
    // SAFETY: all four texts are live C strings.
    let result = unsafe { libc::mount(kind.as_ptr(), target.as_ptr(), kind.as_ptr(), flags, options.as_ptr().cast()) };
    checked(result.into()).map(drop)
}

/// Cuts this mount namespace off from the one it was copied from: no mount of either comes to be seen in the other.
pub(crate) fn cut_off() -> io::Result<()> {
    let flags = libc::MS_REC | libc::MS_PRIVATE;
    // SAFETY: the target is a live C string; the other pointers may be null for a change of propagation.
    let result = unsafe { libc::mount(null(), c"/".as_ptr(), null(), flags, null()) };
    checked(result.into()).map(drop)
}

/// Makes the working directory, a mount, the root, with the old one at `old` below it.
pub(crate) fn change_root(old: &CStr) -> io::Result<()> {
    // SAFETY: all paths are live C strings.
    unsafe {
        checked(libc::syscall(libc::SYS_pivot_root, c".".as_ptr(), old.as_ptr()))?;
        checked(libc::chdir(c"/".as_ptr()).into()).map(drop)
    }
}

/// Takes away the mount at `path`, and all below it.
pub(crate) fn detach(path: &CStr) -> io::Result<()> {
    // SAFETY: the path is a live C string.
    checked(unsafe { libc::umount2(path.as_ptr(), libc::MNT_DETACH) }.into()).map(drop)
}
