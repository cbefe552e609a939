//! One directory in one hierarchy.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How often, and how far apart, the removal is tried: a process that has been reaped may count for a moment longer.
const ATTEMPTS: u32 = 20;
const PAUSE: Duration = Duration::from_millis(1);
/// More than the kernel has to say in a file that is kept open, in bytes.
const KEPT: usize = 1024;

/// A group of ours, which is removed when this is dropped. What cannot be removed is swept later.
#[derive(Debug)]
pub(super) struct Group {
    dir: PathBuf,
    join: File,
    /// The file that is read when the session has ended, open for it.
    counts: Option<(&'static str, File)>,
}

impl Group {
    /// Makes the group `name` below `parent`, to be joined through the file `join`.
    pub(super) fn make(parent: &Path, name: &str, join: &str) -> io::Result<Self> {
        let dir = parent.join(name);
        fs::create_dir(&dir)?;
        Self::existing(&dir, join).inspect_err(|_| {
            let _ = fs::remove_dir(&dir);
        })
    }

    pub(super) fn existing(dir: &Path, join: &str) -> io::Result<Self> {
        let join = File::options().write(true).open(dir.join(join))?;
        Ok(Self { dir: dir.to_owned(), join, counts: None })
    }

    pub(super) fn join(&self) -> RawFd {
        self.join.as_raw_fd()
    }

    /// The directory itself, for a process to be born in.
    pub(super) fn open(&self) -> io::Result<File> {
        File::open(&self.dir)
    }

    /// Writes a value in one call, as the kernel wants it. The file must be there already.
    pub(super) fn write(&self, file: &str, value: &str) -> io::Result<()> {
        File::options().write(true).open(self.dir.join(file))?.write_all(value.as_bytes())
    }

    /// Keeps this file open, for it will be read when somebody waits.
    pub(super) fn keep(&mut self, file: &'static str) {
        self.counts = File::open(self.dir.join(file)).ok().map(|open| (file, open));
    }

    /// Whether there is such a file.
    pub(super) fn has(&self, file: &str) -> bool {
        self.dir.join(file).exists()
    }

    /// The content of a file; none when there is no such file.
    pub(super) fn read(&self, file: &str) -> Option<String> {
        let Some((_, kept)) = self.counts.as_ref().filter(|(name, _)| *name == file) else {
            return fs::read_to_string(self.dir.join(file)).ok();
        };
        let mut bytes = [0; KEPT];
        let length = kept.read_at(&mut bytes, 0).ok()?;
        // What does not fit is read in full, the slow way.
        match bytes.get(..length).filter(|_| length < KEPT) {
            Some(bytes) => String::from_utf8(bytes.to_vec()).ok(),
            None => fs::read_to_string(self.dir.join(file)).ok(),
        }
    }

    /// The number behind the word `key` in a file of such lines.
    pub(super) fn count(&self, file: &str, key: &str) -> Option<u64> {
        let text = self.read(file)?;
        text.lines().filter_map(|line| line.split_once(' ')).find(|(name, _)| *name == key)?.1.trim().parse().ok()
    }

    /// The number that a file holds.
    pub(super) fn number(&self, file: &str) -> Option<u64> {
        self.read(file)?.trim().parse().ok()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        for _ in 0..ATTEMPTS {
            match fs::remove_dir(&self.dir) {
                Err(error) if error.raw_os_error() == Some(libc::EBUSY) => std::thread::sleep(PAUSE),
                _ => return,
            }
        }
    }
}
