//! A file that is made when something is first written to it: most sessions write little, and many nothing.

use std::cell::OnceCell;
use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};

/// A file of this process's directory, for this user alone.
#[derive(Debug)]
pub(crate) struct LateFile {
    name: &'static str,
    file: OnceCell<File>,
}

impl LateFile {
    /// One that is not there yet. One that is there by then counts as a disk that takes nothing.
    pub(crate) const fn named(name: &'static str) -> Self {
        Self { name, file: OnceCell::new() }
    }

    fn made(&self) -> io::Result<&File> {
        if let Some(file) = self.file.get() {
            return Ok(file);
        }
        let made = File::options().read(true).write(true).create_new(true).mode(0o600).open(self.name)?;
        Ok(self.file.get_or_init(|| made))
    }

    pub(super) fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        self.made()?.write_at(bytes, offset)
    }

    pub(super) fn read_exact_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        self.made()?.read_exact_at(bytes, offset)
    }

    /// How many bytes are free where it lies, for who is not root; `None` where that is not said.
    pub(super) fn free(&self) -> Option<u64> {
        let said = rustix::fs::fstatvfs(self.made().ok()?).ok()?;
        Some(said.f_bavail.saturating_mul(said.f_frsize))
    }

    pub(super) fn set_len(&self, length: u64) -> io::Result<()> {
        self.made()?.set_len(length)
    }
}

#[cfg(test)]
impl LateFile {
    pub(super) fn length(&self) -> u64 {
        self.file.get().map_or(0, |file| file.metadata().unwrap().len())
    }
}

#[cfg(test)]
impl From<File> for LateFile {
    fn from(file: File) -> Self {
        Self { name: "", file: OnceCell::from(file) }
    }
}
