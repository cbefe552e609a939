//! A small disk in memory, to be filled. Only root may mount one.

use crate::process::command as program;
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// How large the disk is, in KiB: room for a store, and for a few long messages.
const SIZE: u32 = 3072;

/// A mounted disk. It is unmounted when dropped.
#[derive(Debug)]
pub struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Mounts one at a directory, which is made if there is none.
    ///
    /// # Panics
    /// This user may not: a test fails rather than pass without having tried anything.
    #[must_use]
    pub fn mount(at: &Path) -> Self {
        let is_root = fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0);
        assert!(is_root, "this test mounts a small disk, which only root may do: run it as root");
        fs::create_dir_all(at).expect("a directory can be made");
        let options = format!("size={SIZE}k,mode=700");
        let mounted = program("mount").args(["-t", "tmpfs", "-o", &options, "capstan-test"]).arg(at).status();
        assert!(mounted.expect("mount can be started").success(), "no small disk could be mounted at {}", at.display());
        Self(at.to_owned())
    }

    /// Leaves no byte of room, and returns the file that takes it.
    ///
    /// # Panics
    /// No file can be made there.
    #[must_use]
    pub fn fill(&self) -> PathBuf {
        let path = self.0.join("filling");
        let mut file = File::create(&path).expect("a file can be made");
        while file.write_all(&[b'x'; 512]).is_ok() {}
        path
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = program("umount").arg("--lazy").arg(&self.0).status();
    }
}
