//! Files that are their owner's alone, and that are there whole or not at all.

use crate::random;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Makes a directory that only its owner can enter, with those above it.
///
/// # Errors
/// What the system says.
pub fn make_dir(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    if fs::metadata(path)?.permissions().mode() & 0o077 != 0 {
        fs::set_permissions(path, fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

/// Puts a file of mode 0600 in its place, on the disk before this returns. Whoever reads meanwhile sees the old one or the new one.
///
/// # Errors
/// What the system says; then the old file is there as it was.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let fresh = beside(path)?;
    let written = write_new(&fresh, bytes).and_then(|()| fs::rename(&fresh, path));
    if written.is_err() {
        let _ = fs::remove_file(&fresh);
    }
    written.and_then(|()| sync_dir_of(path))
}

/// Makes a file of mode 0600 that is there whole or not at all, on the disk before this returns. Of several that make it at once, one
/// succeeds.
///
/// # Errors
/// `AlreadyExists`, or what the system says.
pub fn create(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let fresh = beside(path)?;
    // A link, unlike a rename, never takes the place of what is there.
    let made = write_new(&fresh, bytes).and_then(|()| fs::hard_link(&fresh, path));
    let _ = fs::remove_file(&fresh);
    made.and_then(|()| sync_dir_of(path))
}

/// Removes a file, on the disk before this returns.
///
/// # Errors
/// What the system says.
pub fn remove(path: &Path) -> io::Result<()> {
    fs::remove_file(path)?;
    sync_dir_of(path)
}

/// Reads a file that nobody but its owner may read.
///
/// # Errors
/// What the system says; `PermissionDenied` when others may read it.
pub fn read(path: &Path) -> io::Result<String> {
    let file = File::open(path)?;
    if file.metadata()?.permissions().mode() & 0o077 != 0 {
        let why = format!("other users may read {}; run `chmod 600` on it", path.display());
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
    }
    io::read_to_string(file)
}

/// A name that no other writer has, in this process or another.
fn beside(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_string_lossy();
    // A process id would not do: processes in different namespaces may have the same, and write to the same directory.
    let writer = random::hex::<8>().map_err(io::Error::other)?;
    Ok(path.with_file_name(format!(".{name}.{writer}")))
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn sync_dir_of(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |dir| File::open(dir)?.sync_all())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_its_owners_alone_and_made_once() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        create(&path, b"one").unwrap();
        assert_eq!(create(&path, b"two").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        replace(&path, b"three").unwrap();
        assert_eq!((read(&path).unwrap().as_str(), fs::metadata(&path).unwrap().permissions().mode() & 0o777), ("three", 0o600));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert_eq!(read(&path).unwrap_err().kind(), io::ErrorKind::PermissionDenied);
    }
}
