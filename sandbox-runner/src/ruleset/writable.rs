//! The directories that may be written.

use super::Rules;
use super::readable::Hidden;
use capstan_types::launch::Refusal;
use capstan_types::path::AbsPath;
use landlock::PathFd;
use std::path::{Path, PathBuf};

/// What the kernel serves as files. Writing there changes the host, not data.
const KERNELS: [&str; 2] = ["/proc", "/sys"];

/// Grants each directory, with its symbolic links resolved.
pub(super) fn grant(rules: &mut Rules, roots: &[AbsPath], hidden: &Hidden) -> Result<(), Refusal> {
    for root in roots {
        let place = checked(root.as_path(), hidden).map_err(|reason| Refusal::Policy { reason })?;
        let place = PathFd::new(&place).map_err(|error| Refusal::Policy { reason: format!("cannot open the {error}") })?;
        rules.add(place, rules.rights.write)?;
    }
    Ok(())
}

fn checked(root: &Path, hidden: &Hidden) -> Result<PathBuf, String> {
    let shown = root.display();
    let real = root.canonicalize().map_err(|error| format!("the writable directory `{shown}` cannot be used: {error}"))?;
    if !real.is_dir() {
        return Err(format!("the writable path `{shown}` is not a directory; name the directory that holds it"));
    }
    if real == Path::new("/") {
        return Err(format!("the writable directory `{shown}` is `/`; choose danger-full-access if that is meant"));
    }
    if real == Path::new(super::devices::DIRECTORY) || KERNELS.iter().any(|kernel| real.starts_with(kernel)) {
        return Err(format!("the writable directory `{shown}` is the kernel's, not data; leave it out"));
    }
    if let Some(secret) = hidden.inside(&real) {
        let secret = secret.display();
        return Err(format!(
            "the writable directory `{shown}` holds `{secret}`, which must stay hidden (CAPSTAN_HOME is, with its keys); move one of \
             them, work in another directory, or choose read-only"
        ));
    }
    Ok(real)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn abs(path: &Path) -> AbsPath {
        AbsPath::new(path).unwrap()
    }

    #[test]
    fn only_a_directory_of_data_may_be_writable() {
        let dir = tempfile::tempdir().unwrap();
        let none = Hidden::resolve(&[]).unwrap();
        std::fs::write(dir.path().join("file"), "").unwrap();
        symlink("/", dir.path().join("root")).unwrap();
        symlink(dir.path(), dir.path().join("self")).unwrap();
        let said = |path: &Path| checked(path, &none).unwrap_err();
        assert!(said(&dir.path().join("missing")).contains("No such file"));
        assert!(said(&dir.path().join("file")).contains("not a directory"));
        assert!(said(&dir.path().join("root")).contains("is `/`"));
        assert!(said(Path::new("/proc/sys")).contains("the kernel's"));
        assert!(said(Path::new("/dev")).contains("the kernel's"));
        let real = dir.path().canonicalize().unwrap();
        assert_eq!(checked(&dir.path().join("self"), &none), Ok(real));
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
