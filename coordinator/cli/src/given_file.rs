//! Files that the user names: only regular ones are read, and only up to a limit.
//!
//! A pipe would be waited for without a word, and a device such as `/dev/zero` read until memory is full.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

/// Opens a regular file.
///
/// # Errors
/// There is none, it may not be read, or it is something else.
pub fn open(path: &Path) -> io::Result<File> {
    // Before it is opened, which is what waits for a pipe's writer.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    File::open(path)
}

/// Reads a regular file of text with at most so many bytes.
///
/// # Errors
/// As [`open`], it is longer, or it is not UTF-8.
pub fn text(path: &Path, longest: u64) -> io::Result<String> {
    let mut text = String::new();
    let bytes = open(path)?.take(longest + 1).read_to_string(&mut text)?;
    if bytes as u64 > longest { Err(io::Error::other(format!("it has more than {longest} bytes"))) } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_regular_file_within_the_limit_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, "12345").unwrap();
        assert_eq!(text(&file, 5).unwrap(), "12345");
        assert_eq!(text(&file, 4).unwrap_err().to_string(), "it has more than 4 bytes");
        for other in [dir.path(), Path::new("/dev/zero")] {
            assert_eq!(text(other, 5).unwrap_err().to_string(), "it is not a regular file", "{}", other.display());
        }
    }
}
