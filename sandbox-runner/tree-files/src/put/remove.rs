//! Removes what is no part of a state.

use super::Putting;
use crate::directory::{self, What};
use crate::put::write;
use crate::tree::Entry;
use rustix::fs::{AtFlags, unlinkat};
use rustix::io::Errno;
use std::ffi::CStr;
use std::io;
use std::os::fd::OwnedFd;

impl Putting<'_> {
    /// Removes the names of a directory that are not among `entries`, which are sorted, and are not to be left alone.
    pub(super) fn remove_others(&mut self, open: &OwnedFd, entries: &[Entry], path: &mut Vec<u8>) {
        // A directory that cannot be listed shows what is wrong with it when its entries are put into it.
        for name in directory::names(open).unwrap_or_default() {
            let wanted = entries.binary_search_by(|entry| entry.name.as_slice().cmp(name.to_bytes())).is_ok();
            let Ok(facts) = directory::facts(open, &name) else { continue };
            let length = path.len();
            path.extend(name.to_bytes());
            if !wanted && !self.left.is_left(path, facts.what == What::Directory) {
                let removed = self.remove(open, &name, facts.what, path).map(|()| true);
                self.note(path, removed);
            }
            path.truncate(length);
        }
    }

    /// Removes a name with all that is below it, and leaves alone what is to be left alone, with the directories that it is in.
    pub(super) fn remove(&mut self, parent: &OwnedFd, name: &CStr, what: What, path: &[u8]) -> io::Result<()> {
        if what != What::Directory {
            match unlinkat(parent, name, AtFlags::empty()) {
                // It has become a directory in the meantime.
                Err(Errno::ISDIR) => {}
                done => return Ok(done?),
            }
        }
        let facts = directory::facts(parent, name)?;
        let open = write::open_writable(parent, name, facts.mode)?;
        let mut path = [path, b"/"].concat();
        let before = self.left.enter(&open, &path);
        let emptied = self.empty(&open, &mut path);
        self.left.leave(before);
        emptied?;
        match unlinkat(parent, name, AtFlags::REMOVEDIR) {
            // What was left alone is in it.
            Err(Errno::NOTEMPTY) => Ok(()),
            done => Ok(done?),
        }
    }

    fn empty(&mut self, open: &OwnedFd, path: &mut Vec<u8>) -> io::Result<()> {
        for name in directory::names(open)? {
            let Ok(facts) = directory::facts(open, &name) else { continue };
            let length = path.len();
            path.extend(name.to_bytes());
            let removed = if self.left.is_left(path, facts.what == What::Directory) {
                Ok(())
            } else {
                self.remove(open, &name, facts.what, path)
            };
            path.truncate(length);
            removed?;
        }
        Ok(())
    }
}
