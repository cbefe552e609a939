//! The directories that may be written, where Landlock alone must hold them.

use super::Rules;
use super::readable::Hidden;
use crate::roots;
use capstan_types::launch::Refusal;
use capstan_types::path::AbsPath;
use landlock::PathFd;
use std::path::{Path, PathBuf};

/// Grants each directory, with its symbolic links resolved.
pub(super) fn grant(rules: &Rules, roots: &[AbsPath], hidden: &Hidden) -> Result<(), Refusal> {
    for root in roots {
        let place = checked(root.as_path(), hidden).map_err(|reason| Refusal::Policy { reason })?;
        let place = PathFd::new(&place).map_err(|error| Refusal::Policy { reason: format!("cannot open the {error}") })?;
        rules.add(place, rules.rights.write)?;
    }
    Ok(())
}

fn checked(root: &Path, hidden: &Hidden) -> Result<PathBuf, String> {
    let real = roots::writable(root)?;
    if let Some(secret) = hidden.inside(&real) {
        let (shown, secret) = (root.display(), secret.display());
        return Err(format!(
            "the writable directory `{shown}` holds `{secret}`, which must stay hidden (CAPSTAN_HOME is, with its keys), and this host \
             has no mounts of its own for a session to hide it by; move one of them, work in another directory, or choose read-only"
        ));
    }
    Ok(real)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn abs(path: &Path) -> AbsPath {
        AbsPath::new(path).unwrap()
    }

    #[test]
    fn a_writable_directory_cannot_hold_a_hidden_one_but_may_lie_in_it() {
        let dir = tempfile::tempdir().unwrap();
        let (outer, inner) = (dir.path().join("outer"), dir.path().join("outer/inner"));
        std::fs::create_dir_all(&inner).unwrap();
        let hidden = Hidden::resolve(&[abs(&outer)]).unwrap();
        assert!(checked(dir.path(), &hidden).unwrap_err().contains("must stay hidden"));
        assert!(checked(&outer, &hidden).unwrap_err().contains("must stay hidden"));
        assert!(checked(&inner, &hidden).is_ok());
    }
}
