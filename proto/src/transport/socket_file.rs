//! The name of a Unix socket in its directory, taken away again by whoever made it.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// A socket's name as it was when the socket was bound. Dropping it removes the name, unless another process has it by then.
#[derive(Debug)]
pub struct SocketFile {
    path: PathBuf,
    inode: Option<u64>,
}

impl SocketFile {
    /// The socket that was bound at this path.
    #[must_use]
    pub fn at(path: PathBuf) -> Self {
        Self { inode: inode(&path), path }
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if self.inode.is_some() && inode(&self.path) == self.inode {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

fn inode(path: &Path) -> Option<u64> {
    std::fs::symlink_metadata(path).ok().map(|metadata| metadata.ino())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_name_is_removed_unless_another_has_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s");
        fs::write(&path, "").unwrap();
        drop(SocketFile::at(path.clone()));
        assert!(!path.exists());
        fs::write(&path, "").unwrap();
        let first = SocketFile::at(path.clone());
        // Made before the old one goes, so that it cannot have the same number.
        fs::write(dir.path().join("next"), "").unwrap();
        fs::rename(dir.path().join("next"), &path).unwrap();
        drop(first);
        assert!(path.exists());
    }
}
