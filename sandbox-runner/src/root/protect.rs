//! Places inside writable directories that are read-only because of their names: what runs code on the host when somebody works there
//! later, and what tells agents what they may do.
//!
//! What exists is mounted over itself, read-only. What does not exist at the top of a writable directory is made, empty and with a mark,
//! so that it can be: it is taken away after the last session that needed it, and not before whoever made it goes. What appears elsewhere
//! while a session runs is judged after it ([`super::sweep`]).

use super::placeholder::{MARK, is_placeholder};
use super::scan::{GIT, Identity, identity, is_repository, scan};
use crate::kernel::beneath::Held;
use crate::kernel::mounts::{HARMLESS, READ_ONLY};
use capstan_types::launch::Denial;
use capstan_types::path::AbsPath;
use capstan_types::policy::PROTECTED;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// How often it is tried to have a hold on a directory that others take away.
const ATTEMPTS: usize = 100;

/// What is protected in one session. When it is dropped, what was made for it is taken away, unless another session needs it still.
#[derive(Debug, Default)]
pub(crate) struct Protection {
    pins: Vec<(PathBuf, u64)>,
    made: Made,
    exhausted: bool,
    roots: Vec<PathBuf>,
    names: Vec<String>,
    /// What was there, by what it is: another thing at the same path is not the same thing.
    known: BTreeSet<Identity>,
}

/// Directories that were made for it; held so that the last session takes them away, one that was refused too.
#[derive(Debug, Default)]
struct Made(Vec<(Rc<Held>, OsString, File)>);

impl Drop for Made {
    fn drop(&mut self) {
        for (parent, name, lock) in self.0.drain(..) {
            if lock.try_lock().is_ok() {
                let _ = parent.remove_directory(&name);
            }
        }
    }
}

impl Protection {
    /// Finds what is to be protected below `roots`. `found` names the places in their depth, or nothing does, and they are looked for.
    pub(crate) fn of(roots: &[PathBuf], extra: &[String], found: Option<&[AbsPath]>) -> Self {
        let names: Vec<&str> = PROTECTED.into_iter().chain(extra.iter().map(String::as_str)).collect();
        let owned = names.iter().map(|name| (*name).to_owned()).collect();
        let mut protection = Self { roots: roots.to_vec(), names: owned, ..Self::default() };
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
        protection.known = protection.pins.iter().filter_map(|(place, _)| identity(place)).collect();
        protection
    }

    /// Keeps these places read-only as well, where they exist.
    pub(crate) fn keep(&mut self, places: impl Iterator<Item = PathBuf>) {
        self.pins.extend(places.map(|place| (place, READ_ONLY)));
        self.pins.sort();
    }

    /// The mounts to make, outer ones first.
    pub(crate) fn pins(&self) -> impl Iterator<Item = (&Path, u64)> {
        self.pins.iter().map(|(place, attributes)| (place.as_path(), *attributes))
    }

    /// What was not looked at, in words.
    pub(crate) fn gaps(&self) -> Option<String> {
        self.exhausted
            .then(|| format!("protected names were looked for among the first {} files only", super::scan::MOST_ENTRIES))
    }

    fn add(&mut self, place: &Path) {
        // The directory of a repository stays writable, for commits, but where it is.
        let attributes = if is_repository(place) { HARMLESS } else { READ_ONLY };
        self.pins.push((place.to_owned(), attributes));
    }

    fn top(&mut self, root: &Path, names: &[&str]) {
        let Ok(held) = Held::open(root).map(Rc::new) else { return };
        for name in names {
            // Again where another session's end took it away before we had a hold on it.
            let _ = (0..ATTEMPTS).any(|_| self.one(root, &held, Path::new(name)));
            let git = Path::new(name).starts_with(GIT) && held.look(Path::new(GIT)).is_ok_and(|found| !is_placeholder(&found));
            if git {
                self.add(&root.join(GIT));
            }
        }
    }

    /// Protects `name`, making it if need be. Whether what was protected is still there.
    fn one(&mut self, root: &Path, held: &Rc<Held>, name: &Path) -> bool {
        match standing(held, name) {
            Standing::There => self.note(root, held, name),
            Standing::Made(place) => self.note(root, held, &place),
            // An empty one would be read, unlike an empty directory.
            Standing::Missing(place) if place.ends_with("config") => true,
            Standing::Missing(place) => match held.make_directory(&place, MARK) {
                Ok(()) => self.note(root, held, &place),
                Err(error) => error.kind() != io::ErrorKind::AlreadyExists,
            },
            Standing::Elsewhere => true,
        }
    }

    fn note(&mut self, root: &Path, held: &Rc<Held>, place: &Path) -> bool {
        self.pins.push((root.join(place), READ_ONLY));
        let lock = match held.open_directory(place) {
            Ok(lock) => lock,
            Err(error) => return error.kind() != io::ErrorKind::NotFound,
        };
        if lock.metadata().is_ok_and(|found| is_placeholder(&found))
            && let Ok((parent, name)) = held.parent(place)
            && lock.lock_shared().is_ok()
        {
            // One that is gone must not be held: its name is another's by now, who would lose it at our end.
            let is_there = lock.metadata().is_ok_and(|found| found.nlink() > 0);
            self.made.0.extend(is_there.then_some((parent, name, lock)));
            return is_there;
        }
        true
    }

    /// Judges what has appeared since these places were found, and gives what was refused.
    pub(crate) fn sweep(&self) -> Vec<Denial> {
        super::sweep(&self.roots, &self.names, |place| identity(place).is_some_and(|found| !self.known.contains(&found)))
    }
}

/// How a name stands to a directory.
enum Standing {
    There,
    /// This part of it was made by another session, which alone would take it away, and could not if it held something of ours.
    Made(PathBuf),
    /// This part of it is missing.
    Missing(PathBuf),
    /// It leads through a symbolic link, and so out of our hands.
    Elsewhere,
}

fn standing(held: &Held, name: &Path) -> Standing {
    let mut place = PathBuf::new();
    for part in name.components() {
        let inside = place.as_os_str().is_empty() || held.look(&place).is_ok_and(|found| found.is_dir());
        place.push(part);
        match held.look(&place) {
            _ if !inside => return Standing::Elsewhere,
            Ok(found) if is_placeholder(&found) => return Standing::Made(place),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Standing::Missing(place),
            Err(_) => return Standing::Elsewhere,
        }
    }
    Standing::There
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_that_finds_what_another_made_keeps_it_and_the_last_takes_it_away() {
        let dir = tempfile::tempdir().unwrap();
        let roots = [dir.path().canonicalize().unwrap()];
        let protection = || Protection::of(&roots, &[], Some(&[]));
        let left = || std::fs::read_dir(dir.path()).unwrap().count();
        let (first, second) = (protection(), protection());
        assert!(first.pins().eq(second.pins()) && left() == 4);
        drop(first);
        assert_eq!(left(), 4);
        drop(second);
        assert_eq!(left(), 0);
    }

    #[test]
    fn what_is_protected_is_there_however_others_come_and_go() {
        // Whoever makes a directory changes that of the whole process for a moment.
        crate::kernel::process::set_umask(0);
        let dir = tempfile::tempdir().unwrap();
        let roots = [dir.path().canonicalize().unwrap()];
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..200 {
                        let protection = Protection::of(&roots, &["names".to_owned()], Some(&[]));
                        assert!(protection.pins().all(|(place, _)| place.is_dir()), "{protection:?}");
                        drop(protection);
                    }
                });
            }
        });
    }
}
