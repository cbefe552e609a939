//! What may be read: everything but the hidden paths.
//!
//! A rule covers all below its directory, so a directory above a hidden path is replaced by its other entries, level by level.
//! Entries that appear there later are not covered: the list errs on the side of hiding. Names stay visible everywhere, since listing
//! is granted from the top (without it, `ls /` would fail in every session that hides anything); what a hidden file holds does not.
//!
//! Paths are resolved first, so that only real places are compared; a symbolic link is never granted, for its target is covered,
//! or hidden, where it lies. A second hard link to a hidden file, or a second mount of its directory, is not found.

use super::{Rules, add_rule, devices, not_added};
use capstan_types::launch::Refusal;
use capstan_types::path::AbsPath;
use landlock::AccessFs;
use std::fs::{File, FileType};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The most entries that all directories above hidden paths may have together: each costs three system calls at a launch for which nothing was made ahead.
const MOST_ENTRIES: usize = 20_000;

/// The hidden paths, resolved.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Hidden(Vec<PathBuf>);

impl Hidden {
    /// Resolves the symbolic links in `paths`; what does not exist is hidden where it would come to be.
    pub(super) fn resolve(paths: &[AbsPath]) -> Result<Self, Refusal> {
        let real: Vec<_> = paths.iter().map(|path| resolved(path.as_path())).collect();
        if real.iter().any(|path| path == Path::new("/")) {
            let reason = "it hides `/`, which leaves no program to run; name the directories to hide".to_owned();
            return Err(Refusal::Policy { reason });
        }
        Ok(Self(real))
    }

    /// A hidden path that is `root`, or lies in it.
    pub(super) fn inside(&self, root: &Path) -> Option<&Path> {
        self.0.iter().map(PathBuf::as_path).find(|hidden| hidden.starts_with(root))
    }

    fn standing(&self, path: &Path) -> Standing {
        let devices = Path::new(devices::DIRECTORY);
        if path == devices || self.0.iter().any(|hidden| path == hidden) {
            Standing::Hidden
        } else if devices.starts_with(path) || self.inside(path).is_some() {
            Standing::Above
        } else {
            Standing::Clear
        }
    }
}

/// How a path lies to the hidden ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Hidden,
    Above,
    Clear,
}

fn resolved(path: &Path) -> PathBuf {
    match (path.canonicalize(), path.parent(), path.file_name()) {
        (Ok(real), ..) => real,
        (Err(_), Some(parent), Some(name)) => resolved(parent).join(name),
        (Err(_), ..) => path.to_owned(),
    }
}

/// The directories whose entries were granted one by one, each as it was before that.
#[derive(Debug, Default)]
pub(super) struct Listed(Vec<(PathBuf, Option<Stamp>)>);

/// Changes whenever an entry of a directory comes, goes or is renamed: device, inode, and the time of the last change.
type Stamp = (u64, u64, i64, i64);

impl Listed {
    /// Whether each still has the entries that it had, and bears its name.
    pub(super) fn is_as_it_was(&self) -> bool {
        self.0.iter().all(|(directory, then)| then.is_some() && stamp(directory) == *then)
    }
}

fn stamp(directory: &Path) -> Option<Stamp> {
    let found = directory.symlink_metadata().ok()?;
    Some((found.dev(), found.ino(), found.ctime(), found.ctime_nsec()))
}

/// Grants reading of everything that is not hidden.
pub(super) fn grant(rules: &Rules, hidden: &Hidden) -> Result<Listed, Refusal> {
    let top = PathBuf::from("/");
    rules.add(
        open(&top).map_err(|error| Refusal::Host { step: "open `/`".into(), reason: error.to_string() })?,
        AccessFs::ReadDir.into(),
    )?;
    let mut above = vec![top];
    let (mut seen, mut listed) = (0, Listed::default());
    while let Some(directory) = above.pop() {
        listed.0.push((directory.clone(), stamp(&directory)));
        // A directory that we may not list is one in which the program, with less power, may at most guess: it gets nothing there.
        for entry in std::fs::read_dir(&directory).into_iter().flatten().flatten() {
            seen += 1;
            if seen > MOST_ENTRIES {
                return Err(crowded(&directory));
            }
            let path = entry.path();
            match hidden.standing(&path) {
                Standing::Hidden => {}
                Standing::Above => above.push(path),
                Standing::Clear => grant_entry(rules, &path, entry.file_type())?,
            }
        }
    }
    Ok(listed)
}

fn crowded(directory: &Path) -> Refusal {
    let directory = directory.display();
    Refusal::Policy {
        reason: format!(
            "hiding a path below `{directory}` needs a rule for each of more than {MOST_ENTRIES} entries; hide a directory higher up"
        ),
    }
}

/// `kind` is what the entry was when it was listed. One that has become something else since is given what the kernel lets it have of that.
fn grant_entry(rules: &Rules, path: &Path, kind: io::Result<FileType>) -> Result<(), Refusal> {
    let Some(kind) = kind.ok().filter(|kind| !kind.is_symlink()) else { return Ok(()) };
    // What has vanished since it was listed, or cannot be opened even for its name, is left out.
    let Ok(place) = open(path) else { return Ok(()) };
    let access = if kind.is_dir() { rules.rights.read } else { rules.rights.read & rules.rights.file };
    match add_rule(rules.fd.as_fd(), place.as_fd(), access) {
        // A directory that has become a file.
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
        added => added.map_err(not_added),
    }
}

fn open(path: &Path) -> io::Result<File> {
    File::options().read(true).custom_flags(libc::O_PATH | libc::O_NOFOLLOW | libc::O_CLOEXEC).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn hidden(paths: &[&Path]) -> Hidden {
        Hidden::resolve(&paths.iter().map(|path| AbsPath::new(path).unwrap()).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn a_path_is_hidden_by_whichever_name_it_is_called() {
        let dir = tempfile::tempdir().unwrap();
        let real = dir.path().canonicalize().unwrap();
        std::fs::create_dir(real.join("secret")).unwrap();
        symlink(real.join("secret"), real.join("alias")).unwrap();
        symlink(&real, real.join("loop")).unwrap();
        for name in ["secret", "alias", "loop/secret"] {
            assert_eq!(hidden(&[&real.join(name)]).standing(&real.join("secret")), Standing::Hidden, "{name}");
        }
    }

    #[test]
    fn a_path_that_does_not_exist_yet_is_hidden_where_it_would_be() {
        let dir = tempfile::tempdir().unwrap();
        let real = dir.path().canonicalize().unwrap();
        let later = hidden(&[&real.join("a/b")]);
        assert_eq!(later.standing(&real), Standing::Above);
        assert_eq!(later.standing(&real.join("a")), Standing::Above);
        assert_eq!(later.standing(&real.join("a/b")), Standing::Hidden);
        assert_eq!(later.standing(&real.join("b")), Standing::Clear);
    }

    #[test]
    fn devices_are_always_hidden_and_the_top_never_can_be() {
        let none = hidden(&[]);
        assert_eq!(none.standing(Path::new("/dev")), Standing::Hidden);
        assert_eq!(none.standing(Path::new("/usr")), Standing::Clear);
        assert!(Hidden::resolve(&[AbsPath::new("/").unwrap()]).is_err());
    }
}
