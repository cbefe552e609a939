//! Which directories can be given to a session at all, in words for whoever named them.

use std::path::{Path, PathBuf};

/// What the kernel serves as files. Writing there changes the host, not data; reading there shows the host.
const KERNELS: [&str; 3] = ["/proc", "/sys", "/dev"];
/// Scratch space for programs that lies there by tradition.
const SHARED_MEMORY: &str = "/dev/shm";

/// The directory that `root` names, with its symbolic links resolved, if it may be written.
pub(crate) fn writable(root: &Path) -> Result<PathBuf, String> {
    let shown = root.display();
    let real = root.canonicalize().map_err(|error| format!("the writable directory `{shown}` cannot be used: {error}"))?;
    if !real.is_dir() {
        return Err(format!("the writable path `{shown}` is not a directory; name the directory that holds it"));
    }
    if real == Path::new("/") {
        return Err(format!("the writable directory `{shown}` is `/`; choose danger-full-access if that is meant"));
    }
    if is_kernels(&real) {
        return Err(format!("the writable directory `{shown}` is the kernel's, not data; leave it out"));
    }
    Ok(real)
}

/// The file or directory that `place` names, with its symbolic links resolved, if it may be shown.
pub(crate) fn readable(place: &Path) -> Result<PathBuf, String> {
    let shown = place.display();
    let real = place.canonicalize().map_err(|error| format!("the readable path `{shown}` cannot be used: {error}"))?;
    if real == Path::new("/") {
        return Err(format!("the readable path `{shown}` is `/`; name the directories that are needed"));
    }
    if is_kernels(&real) {
        return Err(format!("the readable path `{shown}` is the kernel's, not data; leave it out"));
    }
    Ok(real)
}

fn is_kernels(real: &Path) -> bool {
    KERNELS.iter().any(|kernel| real.starts_with(kernel)) && !real.starts_with(SHARED_MEMORY)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn only_a_directory_of_data_may_be_writable() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("file"), "").unwrap();
        symlink("/", dir.path().join("root")).unwrap();
        symlink(dir.path(), dir.path().join("self")).unwrap();
        let said = |path: &Path| writable(path).unwrap_err();
        assert!(said(&dir.path().join("missing")).contains("No such file"));
        assert!(said(&dir.path().join("file")).contains("not a directory"));
        assert!(said(&dir.path().join("root")).contains("is `/`"));
        assert!(said(Path::new("/proc/sys")).contains("the kernel's"));
        assert!(said(Path::new("/dev")).contains("the kernel's"));
        let real = dir.path().canonicalize().unwrap();
        assert_eq!(writable(&dir.path().join("self")), Ok(real));
    }

    #[test]
    fn what_is_readable_exists_and_is_neither_everything_nor_the_kernels() {
        assert!(readable(Path::new("/missing")).unwrap_err().contains("No such file"));
        assert!(readable(Path::new("/")).unwrap_err().contains("name the directories"));
        assert!(readable(Path::new("/proc/1")).unwrap_err().contains("the kernel's"));
        assert_eq!(readable(Path::new("/etc/passwd")), Ok("/etc/passwd".into()));
    }
}
