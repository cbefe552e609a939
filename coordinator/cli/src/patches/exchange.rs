//! Files of a work tree exchanged for others: all of them, or none. Each is renamed into its place, so that it is there as it was or as it is to be
//! at every moment; what it was is kept until all is done, and goes back when something fails.

use crate::local_git::Repository;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;
use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};
use tempfile::TempDir;

/// An exchange that has begun.
#[derive(Debug)]
pub(super) struct Exchange {
    top: PathBuf,
    dir: TempDir,
    done: Vec<Step>,
}

/// What is taken back when a later one fails. Paths are from the top.
#[derive(Debug)]
enum Step {
    /// What was there is kept, and gone or replaced.
    Kept(PathBuf),
    /// A file is where nothing was.
    Placed(PathBuf),
    /// A directory was made.
    Made(PathBuf),
    /// An empty directory was removed.
    Removed(PathBuf, Permissions),
}

impl Exchange {
    /// Begins one, with a directory on the same file system as the work tree: renaming does not leave one.
    ///
    /// # Errors
    /// No directory can be made.
    pub(super) fn begin(repository: &Repository) -> io::Result<Self> {
        let device = fs::metadata(&repository.top)?.dev();
        let within = |place: &Path| tempfile::Builder::new().prefix(".capstan-apply-").tempdir_in(place);
        let is_near = fs::metadata(&repository.own).is_ok_and(|found| found.dev() == device);
        let hidden = is_near.then(|| within(&repository.own).ok()).flatten();
        let dir = hidden.map_or_else(|| within(&repository.top), Ok)?;
        fs::create_dir(dir.path().join("old"))?;
        fs::create_dir(dir.path().join("new"))?;
        Ok(Self { top: repository.top.clone(), dir, done: Vec::new() })
    }

    /// Where the new files are laid, by their paths from the top.
    pub(super) fn new_files(&self) -> PathBuf {
        self.dir.path().join("new")
    }

    /// What was there.
    fn old(&self, path: &Path) -> PathBuf {
        self.dir.path().join("old").join(path)
    }

    /// Has the new files on the disk before the old ones go.
    ///
    /// # Errors
    /// The disk is full, or broken.
    pub(super) fn settle(&self) -> io::Result<()> {
        Ok(rustix::fs::syncfs(File::open(self.dir.path())?)?)
    }

    /// Takes a file away.
    ///
    /// # Errors
    /// It cannot be.
    pub(super) fn remove(&mut self, path: &Path) -> io::Result<()> {
        self.room(path)?;
        self.done.push(Step::Kept(path.to_owned()));
        fs::rename(self.top.join(path), self.old(path))
    }

    /// Puts the new file in place of the one that is there.
    ///
    /// # Errors
    /// It cannot be.
    pub(super) fn replace(&mut self, path: &Path) -> io::Result<()> {
        self.room(path)?;
        let (place, old) = (self.top.join(path), self.old(path));
        self.done.push(Step::Kept(path.to_owned()));
        // Some file systems have no second names; there it is gone for a moment, and kept.
        if fs::hard_link(&place, &old).is_err() {
            fs::rename(&place, &old)?;
        }
        fs::rename(self.new_files().join(path), place)
    }

    /// Puts a new file where none is.
    ///
    /// # Errors
    /// Something is there, or it cannot be.
    pub(super) fn place(&mut self, path: &Path) -> io::Result<()> {
        self.directories(path)?;
        if self.top.join(path).symlink_metadata().is_ok_and(|found| found.is_dir()) {
            self.hollow(path)?;
        }
        let (new, place) = (self.new_files().join(path), self.top.join(path));
        match renameat_with(CWD, &new, CWD, &place, RenameFlags::NOREPLACE) {
            // A file system that does not know how.
            Err(Errno::INVAL | Errno::NOSYS) if place.symlink_metadata().is_err() => fs::rename(new, &place)?,
            renamed => renamed?,
        }
        self.done.push(Step::Placed(path.to_owned()));
        Ok(())
    }

    /// Removes the directories above a file that was taken away, as far as nothing is in them.
    pub(super) fn tidy(&mut self, path: &Path) {
        for above in path.ancestors().skip(1).filter(|above| !above.as_os_str().is_empty()) {
            if self.remove_directory(above).is_err() {
                return;
            }
        }
    }

    /// Takes all back that was done.
    ///
    /// # Errors
    /// It cannot be; then what was there is in the directory that is named.
    pub(super) fn back(mut self) -> Result<(), PathBuf> {
        let mut is_whole = true;
        while let Some(step) = self.done.pop() {
            is_whole &= self.undo(step).is_ok();
        }
        if is_whole { Ok(()) } else { Err(self.dir.keep()) }
    }

    fn undo(&self, step: Step) -> io::Result<()> {
        match step {
            Step::Kept(path) => match fs::rename(self.old(&path), self.top.join(&path)) {
                // It did not come to that: it is where it was.
                Err(error) if error.kind() == io::ErrorKind::NotFound => self.top.join(path).symlink_metadata().map(drop),
                renamed => renamed,
            },
            Step::Placed(path) => fs::rename(self.top.join(&path), self.new_files().join(path)),
            Step::Made(path) => fs::remove_dir(self.top.join(path)),
            Step::Removed(path, permissions) => {
                fs::create_dir(self.top.join(&path))?;
                fs::set_permissions(self.top.join(path), permissions)
            }
        }
    }

    fn room(&self, path: &Path) -> io::Result<()> {
        self.old(path).parent().map_or(Ok(()), fs::create_dir_all)
    }

    /// The directories above a new file, by no way over a link.
    fn directories(&mut self, path: &Path) -> io::Result<()> {
        let mut above = PathBuf::new();
        for part in path.parent().into_iter().flat_map(Path::components) {
            let Component::Normal(part) = part else { return Err(io::ErrorKind::InvalidInput.into()) };
            above.push(part);
            match self.top.join(&above).symlink_metadata() {
                Ok(found) if found.is_dir() => {}
                Ok(_) => return Err(io::ErrorKind::NotADirectory.into()),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    fs::create_dir(self.top.join(&above))?;
                    self.done.push(Step::Made(above.clone()));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Removes a directory in which are only directories.
    fn hollow(&mut self, path: &Path) -> io::Result<()> {
        for entry in fs::read_dir(self.top.join(path))? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                self.hollow(&path.join(entry.file_name()))?;
            }
        }
        self.remove_directory(path)
    }

    fn remove_directory(&mut self, path: &Path) -> io::Result<()> {
        let place = self.top.join(path);
        let permissions = place.symlink_metadata()?.permissions();
        fs::remove_dir(&place)?;
        self.done.push(Step::Removed(path.to_owned(), permissions));
        Ok(())
    }
}

#[cfg(test)]
mod tests;
