//! The line of a coordinator: the beginning of its name and of the names of those whose threads it inherits.
//!
//! Where several coordinators share a store, each home has a line of its own, so that nobody takes a living one's threads for a dead one's.

use crate::failure::Failure;
use crate::home::Home;
use capstan_identity::random;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;

/// The line of a coordinator that has its store for itself.
pub const ALONE: &str = "coordinator/";

/// Random bytes in a home's own part of the line.
const RANDOM_BYTES: usize = 8;

/// The line of a coordinator among others: of this home, over all of its lives.
///
/// # Errors
/// The file with the home's part cannot be read or made.
pub fn among_others(home: &Home) -> Result<String, Failure> {
    let path = home.coordinator_id();
    let failed = |error: io::Error| Failure::bad_input(format!("the file {} cannot be used: {error}", path.display()));
    let id = match fs::read_to_string(&path) {
        Ok(id) => id.trim().to_owned(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let id = random::hex::<RANDOM_BYTES>().map_err(io::Error::other).map_err(failed)?;
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).map_err(failed)?;
            file.write_all(id.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
            id
        }
        Err(error) => return Err(failed(error)),
    };
    let whole = id.len() == 2 * RANDOM_BYTES && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !whole {
        let sentence = format!("the file {} does not hold a coordinator's id", path.display());
        return Err(
            Failure::bad_input(sentence).hint("remove it; threads of this home are then taken over when they are resumed")
        );
    }
    Ok(format!("{ALONE}{id}/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::surroundings::Surroundings;
    use capstan_types::path::AbsPath;

    fn home(dir: &tempfile::TempDir) -> Home {
        let variables = [("CAPSTAN_HOME".to_owned(), dir.path().to_str().unwrap().to_owned())].into();
        Home::open(&Surroundings::new(variables, AbsPath::new("/").unwrap())).unwrap()
    }

    #[test]
    fn a_home_keeps_its_line_and_no_other_has_it() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let line = among_others(&home(&one)).unwrap();
        assert!(line.starts_with(ALONE) && line.ends_with('/'), "{line}");
        assert_eq!(among_others(&home(&one)), Ok(line.clone()));
        assert_ne!(among_others(&home(&other)), Ok(line));
        fs::write(one.path().join("coordinator.id"), "x").unwrap();
        assert!(among_others(&home(&one)).unwrap_err().sentence.ends_with("does not hold a coordinator's id"));
    }
}
