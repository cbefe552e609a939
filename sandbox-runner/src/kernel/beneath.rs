//! Files below a directory that hostile programs may be changing at this moment.
//!
//! No symbolic link is followed and nothing above the directory is reached, whatever happens between two looks.

use super::process;
use rustix::fs::{AtFlags, Gid, Mode, OFlags, ResolveFlags, Uid, chownat, fstat, mkdirat, openat2, renameat, unlinkat};
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// A directory that is held by its handle.
#[derive(Debug)]
pub(crate) struct Held(File);

impl Held {
    /// The directory `root`.
    pub(crate) fn open(root: &Path) -> io::Result<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self(rustix::fs::open(root, flags, Mode::empty())?.into()))
    }

    fn beneath(&self, relative: &Path, flags: OFlags) -> io::Result<OwnedFd> {
        let path = if relative.as_os_str().is_empty() { OsStr::new(".") } else { relative.as_os_str() };
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        Ok(openat2(&self.0, path, flags | OFlags::CLOEXEC, Mode::empty(), resolve)?)
    }

    /// A path by which the standard library reaches what lies in the directory at `relative`, as long as the handle lives.
    fn directory(&self, relative: &Path) -> io::Result<(OwnedFd, PathBuf)> {
        let fd = self.beneath(relative, OFlags::PATH | OFlags::DIRECTORY)?;
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
        File::from(self.beneath(relative, OFlags::PATH | OFlags::NOFOLLOW)?).metadata()
    }

    /// Whether no symbolic link leads on from here to `relative`, as far as that exists.
    pub(crate) fn is_plain(&self, relative: &Path) -> bool {
        self.beneath(relative, OFlags::PATH).map_or_else(|error| error.kind() == io::ErrorKind::NotFound, |_| true)
    }

    /// The beginning of the regular file at `relative`, at most `most` bytes.
    pub(crate) fn read(&self, relative: &Path, most: u64) -> io::Result<String> {
        if !self.look(relative)?.is_file() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let file = File::from(self.beneath(relative, OFlags::RDONLY | OFlags::NONBLOCK)?);
        let mut bytes = Vec::new();
        file.take(most).read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The directory that holds what is at `relative`, unless it is this one, and the name there.
    fn above<'a>(&self, relative: &'a Path) -> io::Result<(Option<Self>, &'a OsStr)> {
        let name = relative.file_name().ok_or(io::ErrorKind::InvalidInput)?;
        match relative.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            Some(parent) => Ok((Some(Self(self.beneath(parent, OFlags::PATH | OFlags::DIRECTORY)?.into())), name)),
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
        self.beneath(relative, OFlags::RDONLY | OFlags::DIRECTORY).map(File::from)
    }

    /// Makes a directory with exactly this mode, for the owner of the one that it is made in.
    pub(crate) fn make_directory(&self, relative: &Path, mode: u32) -> io::Result<()> {
        let (above, name) = self.above(relative)?;
        let held = &above.as_ref().unwrap_or(self).0;
        let owner = fstat(held)?;
        let mask = process::set_umask(0);
        let made = mkdirat(held, name, Mode::from_raw_mode(mode));
        process::set_umask(mask);
        made?;
        // What we make is ours already, or of the group that all in the directory has.
        if process::owner() == (owner.st_uid, owner.st_gid) {
            return Ok(());
        }
        let (user, group) = (Uid::from_raw(owner.st_uid), Gid::from_raw(owner.st_gid));
        // Of the link itself, should somebody have put one there by now.
        Ok(chownat(held, name, Some(user), Some(group), AtFlags::SYMLINK_NOFOLLOW)?)
    }

    /// Removes the empty directory of this name.
    pub(crate) fn remove_directory(&self, name: &OsStr) -> io::Result<()> {
        Ok(unlinkat(&self.0, name, AtFlags::REMOVEDIR)?)
    }

    /// Gives what is at `relative` the name `to`, in the same directory; what had that name is replaced or, if it is a directory with
    /// something in it, keeps it.
    pub(crate) fn rename(&self, relative: &Path, to: &OsStr) -> io::Result<()> {
        let (above, name) = self.above(relative)?;
        let held = &above.as_ref().unwrap_or(self).0;
        Ok(renameat(held, name, held, to)?)
    }
}
