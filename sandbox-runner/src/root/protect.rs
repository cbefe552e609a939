//! Places inside writable directories that are read-only because of their names: what runs code on the host when somebody works there
//! later, and what tells agents what they may do.
//!
//! What exists is mounted over itself, read-only. What does not exist at the top of a writable directory is made, empty and with a mark,
//! so that it can be: it is taken away after the last session that needed it. Below, a name that appears while the session runs is
//! protected from the next session on.

use crate::kernel::mounts::{HARMLESS, READ_ONLY};
use capstan_types::path::AbsPath;
use capstan_types::policy::PROTECTED;
use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// How many entries are looked at before what is left is given up.
const MOST_ENTRIES: usize = 400_000;
/// The permissions of a directory that was only made to be protected: nobody makes one like it by hand.
const MARK: u32 = 0o1555;
const GIT: &str = ".git";

/// What is protected in one session.
#[derive(Debug, Default)]
pub(crate) struct Protection {
    pins: Vec<(PathBuf, u64)>,
    /// Directories that were made for it; held so that the last session takes them away.
    made: Vec<(PathBuf, File)>,
    exhausted: bool,
}

impl Protection {
    /// Finds what is to be protected below `roots`. `found` names the places in their depth, or nothing does, and they are looked for.
    pub(crate) fn of(roots: &[PathBuf], extra: &[String], found: Option<&[AbsPath]>) -> Self {
        let names: Vec<&str> = PROTECTED.into_iter().chain(extra.iter().map(String::as_str)).collect();
        let mut protection = Self::default();
        for root in roots {
            protection.top(root, &names);
        }
        match found {
            Some(places) => places.iter().for_each(|place| protection.add(place.as_path())),
            None => {
                let (places, exhausted) = scan(roots, &names);
                places.iter().for_each(|place| protection.add(place));
                protection.exhausted = exhausted;
            }
        }
        protection.pins.sort();
        protection.pins.dedup();
        protection
    }

    /// The mounts to make, outer ones first.
    pub(crate) fn pins(&self) -> impl Iterator<Item = (&Path, u64)> {
        self.pins.iter().map(|(place, attributes)| (place.as_path(), *attributes))
    }

    /// What was not looked at, in words.
    pub(crate) fn gaps(&self) -> Option<String> {
        self.exhausted.then(|| format!("protected names were looked for among the first {MOST_ENTRIES} files only"))
    }

    fn add(&mut self, place: &Path) {
        // The directory of a repository stays writable, for commits, but where it is.
        let attributes = if place.ends_with(GIT) && place.is_dir() { HARMLESS } else { READ_ONLY };
        self.pins.push((place.to_owned(), attributes));
    }

    fn top(&mut self, root: &Path, names: &[&str]) {
        for name in names {
            let place = root.join(name);
            if fs::symlink_metadata(&place).is_err() {
                // Of `a/b` the first part that is missing.
                let missing = first_missing(root, Path::new(name));
                if missing.ends_with("config") {
                    continue;
                }
                if make(&missing).is_err() {
                    continue;
                }
                self.add_made(&missing);
            } else {
                self.add_made(&place);
            }
            if let Some(git) = Path::new(name).starts_with(GIT).then(|| root.join(GIT)).filter(|git| !is_ours(git)) {
                self.add(&git);
            }
        }
    }

    fn add_made(&mut self, place: &Path) {
        self.pins.push((place.to_owned(), READ_ONLY));
        if is_ours(place)
            && let Ok(held) = File::open(place)
            && held.lock_shared().is_ok()
        {
            self.made.push((place.to_owned(), held));
        }
    }

    /// Takes back what was made, unless another session needs it still.
    pub(crate) fn withdraw(self) {
        for (place, held) in self.made {
            if held.try_lock().is_ok() {
                let _ = fs::remove_dir(place);
            }
        }
    }
}

fn is_ours(place: &Path) -> bool {
    fs::symlink_metadata(place).is_ok_and(|found| found.is_dir() && found.mode() & 0o7777 == MARK)
}

fn first_missing(root: &Path, name: &Path) -> PathBuf {
    let mut place = root.to_owned();
    for part in name.components() {
        place.push(part);
        if fs::symlink_metadata(&place).is_err() {
            break;
        }
    }
    place
}

/// Makes the directory as its parent's owner would have.
fn make(place: &Path) -> io::Result<()> {
    fs::create_dir(place)?;
    if let Some(parent) = place.parent() {
        let above = fs::metadata(parent)?;
        std::os::unix::fs::chown(place, Some(above.uid()), Some(above.gid()))?;
    }
    fs::set_permissions(place, Permissions::from_mode(MARK))
}

/// The places below `roots` that have one of the names, at any depth, and whether all was looked at. Symbolic links are not followed.
pub(crate) fn scan(roots: &[PathBuf], names: &[&str]) -> (Vec<PathBuf>, bool) {
    let mut found = Vec::new();
    let mut directories = roots.to_vec();
    let mut seen = 0;
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(&directory).into_iter().flatten().flatten() {
            seen += 1;
            if seen > MOST_ENTRIES {
                return (found, true);
            }
            let name = entry.file_name();
            let matching = names.iter().filter(|wanted| Path::new(wanted).iter().next() == Some(&name));
            let places = matching.map(|wanted| directory.join(wanted)).filter(|place| fs::symlink_metadata(place).is_ok());
            found.extend(places);
            let is_directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
            match (name == GIT, is_directory) {
                (true, true) => {
                    found.push(entry.path());
                    directories.extend(Some(entry.path().join("modules")).filter(|modules| modules.is_dir()));
                }
                // It says where the repository is: another place would bring other hooks.
                (true, false) => found.push(entry.path()),
                (false, true) => {
                    found.extend(module(&entry.path(), &directory));
                    directories.push(entry.path());
                }
                (false, false) => {}
            }
        }
    }
    (found, false)
}

/// The hooks and config of a submodule's repository, which lies below `.git/modules` without a `.git` of its own.
fn module(place: &Path, above: &Path) -> Vec<PathBuf> {
    if !above.iter().any(|part| part == "modules") || !place.join("HEAD").exists() {
        return Vec::new();
    }
    ["hooks", "config"].map(|name| place.join(name)).into_iter().filter(|part| part.exists()).collect()
}
