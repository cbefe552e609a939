//! A file in the state directory that takes room for nothing, and is given up when the disk is full: a node must have room to write down
//! that there is none.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Its name in the state directory.
const FILE: &str = "ballast";

/// How much it takes, in bytes: a journal that is written anew, and the few files of a node that starts.
const SIZE: usize = 1 << 20;

/// The ballast of one state directory, there or not. Clones mean the same file.
#[derive(Debug, Clone)]
pub(crate) struct Ballast {
    dir: PathBuf,
}

impl Ballast {
    pub(crate) fn in_dir(dir: &Path) -> Self {
        Self { dir: dir.to_owned() }
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Gives the room back; says whether there was any.
    pub(crate) fn give_up(&self) -> bool {
        let given = fs::remove_file(self.path()).is_ok();
        if given {
            tracing::warn!(dir = %self.dir.display(), "the disk that holds the node's state is full; the ballast is given up");
        }
        given
    }

    /// Takes the room, unless it is taken. A disk that has none to spare is left alone. It blocks for a write.
    pub(crate) fn restore(&self) {
        if !self.path().exists()
            && let Err(error) = self.take()
        {
            tracing::debug!(%error, "there is no room for the ballast");
            let _ = fs::remove_file(self.path());
        }
    }

    fn take(&self) -> io::Result<()> {
        // Written, not only promised: some file systems keep no promises.
        File::create(self.path())?.write_all(&vec![0x5a; SIZE])
    }

    fn path(&self) -> PathBuf {
        self.dir.join(FILE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_given_up_once_and_taken_again() {
        let dir = tempfile::tempdir().unwrap();
        let ballast = Ballast::in_dir(dir.path());
        assert!(!ballast.give_up());
        ballast.restore();
        ballast.restore();
        assert_eq!(fs::metadata(dir.path().join(FILE)).unwrap().len(), SIZE as u64);
        assert!(ballast.give_up() && !ballast.give_up());
    }
}
