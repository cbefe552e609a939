//! Finding what is to be protected below writable directories.

use crate::kernel::beneath::Held;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// How many entries are looked at before what is left is given up.
pub(crate) const MOST_ENTRIES: usize = 400_000;
/// Where git keeps a repository, or says where it is.
pub(super) const GIT: &str = ".git";
/// Files that make git read its settings, or run programs, from elsewhere. Rarely there; when they are, they are as they are.
const POINTERS: [&str; 2] = [".git/commondir", ".git/config.worktree"];

/// What a file is, whatever it is called: its device and its number there.
pub(crate) type Identity = (u64, u64);

/// What is at `place` now.
pub(crate) fn identity(place: &Path) -> Option<Identity> {
    fs::symlink_metadata(place).ok().map(|found| (found.dev(), found.ino()))
}

/// Whether git would take the directory for a repository, by what lies in it.
pub(super) fn is_repository(place: &Path) -> bool {
    fs::symlink_metadata(place).is_ok_and(|found| found.is_dir()) && (place.ends_with(GIT) || place.join("HEAD").exists())
}

/// The places below `roots` that have one of the names, at any depth, with repositories and what in them runs code; and whether not all was
/// looked at. Symbolic links are not followed.
pub(crate) fn scan(roots: &[PathBuf], names: &[&str]) -> (Vec<PathBuf>, bool) {
    let mut walk = Walk { names: names.iter().copied().chain(POINTERS).collect(), found: Vec::new(), seen: 0 };
    for root in roots {
        let Ok(held) = Held::open(root) else { continue };
        let mut directories = vec![PathBuf::new()];
        while let Some(directory) = directories.pop() {
            directories.extend(walk.visit(root, &held, &directory));
            if walk.seen > MOST_ENTRIES {
                return (walk.found, true);
            }
        }
    }
    (walk.found, false)
}

struct Walk<'a> {
    names: Vec<&'a str>,
    found: Vec<PathBuf>,
    seen: usize,
}

impl Walk<'_> {
    /// Notes what is to be noted of one directory, and gives those below it that are still to be visited.
    fn visit(&mut self, root: &Path, held: &Held, directory: &Path) -> Vec<PathBuf> {
        let entries = held.list(directory).unwrap_or_default();
        self.seen += entries.len() + 1;
        let has = |name: &str| entries.iter().any(|entry| entry.file_name() == name);
        if has("HEAD") && has("objects") && has("refs") {
            self.note_repository(root, held, directory);
        }
        let mut below = Vec::new();
        for entry in &entries {
            let name = entry.file_name();
            self.note_named(root, held, directory, &name);
            let place = directory.join(&name);
            match (name == GIT, entry.file_type().is_ok_and(|kind| kind.is_dir())) {
                (true, true) => {
                    self.found.push(root.join(&place));
                    self.note_submodules(root, held, &place);
                }
                // It says where the repository is: another place would bring other hooks.
                (true, false) => self.found.push(root.join(&place)),
                (false, true) => below.push(place),
                (false, false) => {}
            }
        }
        below
    }

    fn note_named(&mut self, root: &Path, held: &Held, directory: &Path, first: &OsStr) {
        for name in &self.names {
            let mut parts = Path::new(name).iter();
            // In capitals as well: some file systems take them for the same.
            if parts.next().is_some_and(|part| part.eq_ignore_ascii_case(first)) {
                let place = directory.join(first).join(parts.as_path());
                let place = if parts.as_path().as_os_str().is_empty() { directory.join(first) } else { place };
                self.found.extend(held.look(&place).is_ok().then(|| root.join(place)));
            }
        }
    }

    /// A repository that is no `.git`: a bare one, or that of a submodule.
    fn note_repository(&mut self, root: &Path, held: &Held, place: &Path) {
        let parts = ["hooks", "config", "config.worktree", "commondir"].map(|part| place.join(part));
        let there = parts.into_iter().filter(|part| held.look(part).is_ok());
        self.found.extend([place.to_owned()].into_iter().chain(there).map(|part| root.join(part)));
    }

    /// The repositories of submodules, which lie in the one that they belong to.
    fn note_submodules(&mut self, root: &Path, held: &Held, git: &Path) {
        let mut directories = vec![git.join("modules")];
        while let Some(directory) = directories.pop().filter(|_| self.seen <= MOST_ENTRIES) {
            for entry in held.list(&directory).unwrap_or_default() {
                self.seen += 1;
                let place = directory.join(entry.file_name());
                if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                    continue;
                }
                if held.look(&place.join("HEAD")).is_ok() {
                    self.note_repository(root, held, &place);
                    directories.push(place.join("modules"));
                } else {
                    directories.push(place);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_at_any_depth_and_links_are_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        for place in [
            "a/b/.codex",
            "a/.git/hooks",
            "v/.git/modules/m/hooks",
            "v/.git/modules/group/n/hooks",
            "bare/objects",
            "bare/refs",
            "other/.codex-not",
        ] {
            fs::create_dir_all(root.join(place)).unwrap();
        }
        for file in [
            "a/.git/config",
            "v/.git/modules/m/HEAD",
            "v/.git/modules/group/n/HEAD",
            "v/.git/modules/file",
            "bare/HEAD",
            "bare/config",
            "w.git",
        ] {
            fs::write(root.join(file), "").unwrap();
        }
        fs::create_dir(root.join("w")).unwrap();
        fs::write(root.join("w/.git"), "gitdir: /x").unwrap();
        std::os::unix::fs::symlink(&root, root.join("loop")).unwrap();
        let (mut found, exhausted) = scan(std::slice::from_ref(&root), &[".git/hooks", ".git/config", ".codex"]);
        found.sort();
        let expected = [
            "a/.git",
            "a/.git/config",
            "a/.git/hooks",
            "a/b/.codex",
            "bare",
            "bare/config",
            "v/.git",
            "v/.git/modules/group/n",
            "v/.git/modules/group/n/hooks",
            "v/.git/modules/m",
            "v/.git/modules/m/hooks",
            "w/.git",
        ];
        assert_eq!(found, expected.map(|place| root.join(place)));
        assert!(!exhausted);
    }
}
