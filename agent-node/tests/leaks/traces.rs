//! What can be seen on the host of the sessions of one test, whatever else runs there.

use crate::fixture::marker;
use std::fs;
use std::path::{Path, PathBuf};

/// The variable that every program of the sessions has.
const VARIABLE: &str = "CAPSTAN_TEST_TRACE";

/// Where control groups are.
const GROUPS: &str = "/sys/fs/cgroup";

/// What the sessions of one test are known by.
pub(crate) struct Traces {
    mark: String,
    groups: usize,
}

impl Traces {
    pub(crate) fn new() -> Self {
        Self { mark: marker(), groups: groups(Path::new(GROUPS)) }
    }

    /// For the environment of the sessions.
    pub(crate) fn variable(&self) -> Option<(String, String)> {
        Some((VARIABLE.to_owned(), self.mark.clone()))
    }

    /// Processes that bear the mark or work in a session's directory, and mounts below `dir`. No process, no namespace: nothing else
    /// holds one.
    pub(crate) fn left(&self, dir: &Path) -> Vec<String> {
        let sessions = dir.join("state/sessions");
        let mut left: Vec<_> = processes().into_iter().filter(|process| self.is_of(process, &sessions)).collect();
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
        let below = dir.to_str().unwrap();
        left.extend(mounts.lines().filter(|line| line.contains(below)).map(PathBuf::from));
        let mut left: Vec<_> = left.into_iter().map(|path| path.display().to_string()).collect();
        let groups = groups(Path::new(GROUPS));
        if left.is_empty() && groups > self.groups {
            left.push(format!("{} control groups without a holder more than before", groups - self.groups));
        }
        left
    }

    fn is_of(&self, process: &Path, sessions: &Path) -> bool {
        let environment = fs::read(process.join("environ")).unwrap_or_default();
        environment.windows(self.mark.len()).any(|part| part == self.mark.as_bytes())
            || fs::read_link(process.join("cwd")).is_ok_and(|cwd| cwd.starts_with(sessions))
    }
}

/// The descriptors of this process.
pub(crate) fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

fn processes() -> Vec<PathBuf> {
    let entries = fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
    entries.filter(|path| path.file_name().is_some_and(|name| name.as_encoded_bytes().iter().all(u8::is_ascii_digit))).collect()
}

/// The groups of sessions whose holder is dead, anywhere.
fn groups(dir: &Path) -> usize {
    let Ok(entries) = fs::read_dir(dir) else { return 0 };
    let dirs = entries.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    dirs.map(|entry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        let holder = name.strip_prefix("capstan-").and_then(|rest| rest.split('-').nth(1)).map(str::to_owned);
        usize::from(holder.is_some_and(|pid| !Path::new("/proc").join(pid).exists())) + groups(&entry.path())
    })
    .sum()
}
