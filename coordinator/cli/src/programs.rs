//! Programs that are found by PATH.

use crate::surroundings::Surroundings;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Where the program of that name is.
#[must_use]
pub fn find(name: &str, surroundings: &Surroundings) -> Option<PathBuf> {
    let path = surroundings.variable("PATH")?;
    std::env::split_paths(path).map(|directory| directory.join(name)).find(|path| runs(path))
}

/// Whether a file can be executed, by its mode.
#[must_use]
pub fn runs(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use capstan_types::path::AbsPath;

    #[test]
    fn a_program_is_found_where_path_says() {
        let with = |path: &str| Surroundings::new([("PATH".to_owned(), path.to_owned())].into(), AbsPath::new("/").unwrap());
        assert_eq!(find("sh", &with("/no/such:/bin")), Some("/bin/sh".into()));
        assert_eq!(find("sh", &with("/no/such")), None);
        assert_eq!(find("passwd", &with("/etc")), None, "a file that cannot be executed is no program");
    }
}
