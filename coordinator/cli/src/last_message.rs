//! `-o FILE`: the last message, for the next program.

use crate::failure::Failure;
use std::io::{self, Write};
use std::path::Path;
use tempfile::NamedTempFile;

/// Whether the file can be expected to be written, asked before the turn that the message is of.
///
/// # Errors
/// Its directory is missing, or it is a directory itself.
pub fn check(path: &Path) -> Result<(), Failure> {
    let refused =
        |reason: &str| Err(Failure::bad_input(format!("the last message cannot be written to {}: {reason}", path.display())));
    match directory_of(path) {
        _ if path.is_dir() => refused("it is a directory"),
        directory if directory.is_dir() => Ok(()),
        _ => refused("its directory does not exist"),
    }
}

fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."))
}

/// Writes the message to the file. Whoever reads the file sees the old content or the new, never a part.
///
/// # Errors
/// The file cannot be written.
pub fn write(path: &Path, message: &str) -> Result<(), Failure> {
    replace(path, message)
        .map_err(|error| Failure::failed(format!("the last message cannot be written to {}: {error}", path.display())))
}

fn replace(path: &Path, message: &str) -> io::Result<()> {
    if path.exists() && !path.is_file() {
        // A pipe or a device is written to, and not replaced.
        return std::fs::write(path, message);
    }
    let mut file = NamedTempFile::new_in(directory_of(path))?;
    file.write_all(message.as_bytes())?;
    file.as_file().sync_all()?;
    readable(file.as_file(), path)?;
    file.persist(path).map(drop).map_err(|error| error.error)
}

/// A temporary file is its owner's alone; the message gets the mode of the file that it replaces, or an ordinary one.
fn readable(file: &std::fs::File, path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let permissions = path.metadata().map_or_else(|_| std::fs::Permissions::from_mode(0o644), |metadata| metadata.permissions());
    file.set_permissions(permissions)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_replaces_the_file_and_leaves_nothing_beside_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("answer.txt");
        std::fs::write(&path, "a longer old answer").unwrap();
        write(&path, "new").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(dir.path().read_dir().unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_cannot_be_written_is_named() {
        let failure = write(Path::new("/no/such/dir/answer"), "x").unwrap_err();
        assert!(failure.sentence.starts_with("the last message cannot be written to /no/such/dir/answer: "), "{failure:?}");
        assert_eq!(check(Path::new("/no/such/dir/answer")).unwrap_err().exit.code(), 2);
        assert_eq!(check(Path::new("/tmp")).unwrap_err().exit.code(), 2);
        write(Path::new("/dev/null"), "x").unwrap();
        check(Path::new("answer.txt")).unwrap();
    }
}
