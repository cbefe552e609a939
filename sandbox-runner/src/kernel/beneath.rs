//! Files below a directory that hostile programs may be changing at this moment.
//!
//! No symbolic link is followed and nothing above the directory is reached, whatever happens between two looks.
#![expect(unsafe_code, reason = "openat2 has no safe form in the standard library")]

use super::process;
use std::ffi::{CString, OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

fn checked(result: libc::c_int) -> io::Result<()> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// A directory that is held by its handle.
#[derive(Debug)]
pub(crate) struct Held(File);

impl Held {
    /// The directory `root`.
    pub(crate) fn open(root: &Path) -> io::Result<Self> {
        use std::os::unix::fs::OpenOptionsExt;
        let flags = libc::O_PATH | libc::O_DIRECTORY | libc::O_CLOEXEC;
        File::options().read(true).custom_flags(flags).open(root).map(Self)
    }

    fn beneath(&self, relative: &Path, flags: libc::c_int) -> io::Result<OwnedFd> {
        let path = if relative.as_os_str().is_empty() { OsStr::new(".") } else { relative.as_os_str() };
        let path = CString::new(path.as_bytes())?;
        // SAFETY: all zero is a valid request.
        let mut how: libc::open_how = unsafe { std::mem::zeroed() };
        how.flags = u64::try_from(flags | libc::O_CLOEXEC).unwrap_or_default();
        how.resolve = libc::RESOLVE_BENEATH | libc::RESOLVE_NO_SYMLINKS | libc::RESOLVE_NO_MAGICLINKS;
        // SAFETY: the path is a live C string, and the struct is live and of the given size.
        let fd = unsafe {
            libc::syscall(libc::SYS_openat2, self.0.as_raw_fd(), path.as_ptr(), &raw const how, size_of::<libc::open_how>())
        };
        let fd = i32::try_from(fd).unwrap_or(-1);
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the descriptor is new, so nobody else owns it.
        Ok(unsafe { OwnedFd::from_raw_fd(fd) })
    }

    /// A path by which the standard library reaches what lies in the directory at `relative`, as long as the handle lives.
    fn directory(&self, relative: &Path) -> io::Result<(OwnedFd, PathBuf)> {
        let fd = self.beneath(relative, libc::O_PATH | libc::O_DIRECTORY)?;
        let path = PathBuf::from(format!("/proc/self/fd/{}", fd.as_raw_fd()));
        Ok((fd, path))
    }

    /// The entries of the directory at `relative`.
    pub(crate) fn list(&self, relative: &Path) -> io::Result<Vec<fs::DirEntry>> {
        let (_held, path) = self.directory(relative)?;
        fs::read_dir(path)?.collect()
    }

    /// What is at `relative`.
    pub(crate) fn look(&self, relative: &Path) -> io::Result<fs::Metadata> {
        File::from(self.beneath(relative, libc::O_PATH | libc::O_NOFOLLOW)?).metadata()
    }

    /// The beginning of the regular file at `relative`, at most `most` bytes.
    pub(crate) fn read(&self, relative: &Path, most: u64) -> io::Result<String> {
        if !self.look(relative)?.is_file() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let file = File::from(self.beneath(relative, libc::O_RDONLY | libc::O_NONBLOCK)?);
        let mut bytes = Vec::new();
        file.take(most).read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The directory that holds what is at `relative`, unless it is this one, and the name there.
    fn above<'a>(&self, relative: &'a Path) -> io::Result<(Option<Self>, &'a OsStr)> {
        let name = relative.file_name().ok_or(io::ErrorKind::InvalidInput)?;
        match relative.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            Some(parent) => Ok((Some(Self(self.beneath(parent, libc::O_PATH | libc::O_DIRECTORY)?.into())), name)),
            None => Ok((None, name)),
        }
    }

    /// The directory that holds what is at `relative`, and its name there.
    pub(crate) fn parent(self: &Rc<Self>, relative: &Path) -> io::Result<(Rc<Self>, OsString)> {
        let (above, name) = self.above(relative)?;
        Ok((above.map_or_else(|| Rc::clone(self), Rc::new), name.to_owned()))
    }

    /// The directory at `relative`, to be locked.
    pub(crate) fn open_directory(&self, relative: &Path) -> io::Result<File> {
        self.beneath(relative, libc::O_RDONLY | libc::O_DIRECTORY).map(File::from)
    }

    /// Makes a directory with exactly this mode, for the owner of the one that it is made in.
    pub(crate) fn make_directory(&self, relative: &Path, mode: u32) -> io::Result<()> {
        let (above, name) = self.above(relative)?;
        let held = &above.as_ref().unwrap_or(self).0;
        let (owner, name) = (held.metadata()?, CString::new(name.as_bytes())?);
        let mask = process::set_umask(0);
        // SAFETY: the name is a live C string.
        let made = checked(unsafe { libc::mkdirat(held.as_raw_fd(), name.as_ptr(), mode) });
        process::set_umask(mask);
        made?;
        // What we make is ours already, or of the group that all in the directory has.
        if process::owner() == (owner.uid(), owner.gid()) {
            return Ok(());
        }
        // Of the link itself, should somebody have put one there by now.
        let flags = libc::AT_SYMLINK_NOFOLLOW;
        // SAFETY: as above.
        checked(unsafe { libc::fchownat(held.as_raw_fd(), name.as_ptr(), owner.uid(), owner.gid(), flags) })
    }

    /// Removes the empty directory of this name.
    pub(crate) fn remove_directory(&self, name: &OsStr) -> io::Result<()> {
        let name = CString::new(name.as_bytes())?;
        // SAFETY: the name is a live C string.
        checked(unsafe { libc::unlinkat(self.0.as_raw_fd(), name.as_ptr(), libc::AT_REMOVEDIR) })
    }

    /// Gives what is at `relative` the name `to`, in the same directory; what had that name is replaced or, if it is a directory with
    /// something in it, keeps it.
    pub(crate) fn rename(&self, relative: &Path, to: &OsStr) -> io::Result<()> {
        let name = relative.file_name().ok_or(io::ErrorKind::InvalidInput)?;
        let (_held, path) = self.directory(relative.parent().unwrap_or_else(|| Path::new("")))?;
        fs::rename(path.join(name), path.join(to))
    }
}
