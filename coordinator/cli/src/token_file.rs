//! Token files: how two processes of one user come to know the same secret.
//!
//! Invariant: the secret is in the file alone, and the file is its owner's alone. It is never printed.

use crate::failure::Failure;
use crate::given_file;
use capstan_identity::random;
use capstan_proto::token::Token;
use std::fs::OpenOptions;
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// Random bytes in a fresh token.
const RANDOM_BYTES: usize = 32;

/// What is read of a token file, in bytes: more than any token has, so that what is cut off is still refused.
const LONGEST: u64 = 4096;

/// Reads a token.
///
/// # Errors
/// The file is missing, is no regular one, can be read by others, or holds no token.
pub fn read(path: &Path) -> Result<Token, Failure> {
    let refused = |reason: String| Failure::bad_input(format!("the token file {} cannot be used: {reason}", path.display()));
    let file = given_file::open(path)
        .map_err(|error| refused(error.to_string()).hint("name the token file that `capstan node` shows when it starts"))?;
    let mode = file.metadata().map_err(|error| refused(error.to_string()))?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(refused("other users may read it".to_owned()).hint(format!("run `chmod 600 {}`", path.display())));
    }
    let mut text = String::new();
    file.take(LONGEST).read_to_string(&mut text).map_err(|error| refused(error.to_string()))?;
    Token::parse(&text).map_err(|error| refused(error.to_string()))
}

/// Reads the token, after making the file with a fresh one if it is missing.
///
/// # Errors
/// As [`read`], or the file cannot be made.
pub fn read_or_make(path: &Path) -> Result<Token, Failure> {
    match make(path) {
        Ok(()) => read(path),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => read(path),
        Err(error) => Err(Failure::bad_input(format!("the token file {} cannot be made: {error}", path.display()))),
    }
}

fn make(path: &Path) -> io::Result<()> {
    // Its mode is set when it is made, so that there is no moment at which others can open it.
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    let written = random::hex::<RANDOM_BYTES>()
        .map_err(io::Error::other)
        .and_then(|token| writeln!(file, "{token}"))
        .and_then(|()| file.sync_all());
    if written.is_err() {
        // A file without a token would be refused from now on.
        let _ = std::fs::remove_file(path);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, Permissions};

    #[test]
    fn a_fresh_token_is_its_owners_alone_and_stays_the_same() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        let first = read_or_make(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(read_or_make(&path).unwrap() == first);
        let other = read_or_make(&dir.path().join("other")).unwrap();
        assert!(other != first, "two tokens are the same");
    }

    #[test]
    fn a_file_that_others_may_read_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        read_or_make(&path).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        let failure = read(&path).unwrap_err();
        assert!(failure.sentence.ends_with("other users may read it"), "{failure:?}");
        assert!(read(&dir.path().join("gone")).is_err());
    }

    #[test]
    fn a_file_without_a_token_is_refused_without_being_quoted() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        make(&path).unwrap();
        fs::write(&path, "short secret").unwrap();
        let failure = read(&path).unwrap_err();
        assert!(failure.sentence.contains("16 to 256") && !failure.sentence.contains("secret"), "{failure:?}");
    }
}
