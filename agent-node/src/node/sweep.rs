//! What an earlier life of the node left behind: directories of sessions, some of which may still run.
//!
//! One that the journal knows is taken over by its workspace. What is left here cannot be proved to be anybody's: a session without a
//! journal, or a program of the node's own. It is ended and removed; what resists is looked at again later. Scratch directories are always removed: they hold nothing that outlives a node.

use crate::session::adopt;
use futures::StreamExt;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

/// How many are ended at once.
const AT_ONCE: usize = 16;

/// The directories of sessions that an earlier life left.
pub(crate) async fn leftovers(sessions: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    if let Ok(mut entries) = tokio::fs::read_dir(sessions).await {
        while let Ok(Some(entry)) = entries.next_entry().await {
            found.push(entry.path());
        }
    }
    found
}

/// Ends and removes those, and gives the ones that resist.
pub(crate) async fn end_unproven(dirs: Vec<PathBuf>) -> Vec<PathBuf> {
    let ended = futures::stream::iter(dirs).map(|dir| async move { (adopt::end(&dir).await, dir) });
    let ended = ended.buffer_unordered(AT_ONCE).collect::<Vec<_>>().await;
    ended.into_iter().filter(|(done, _)| !done).map(|(_, dir)| dir).collect()
}

/// Empties the directory for scratch files, and says what resists: a program of an earlier life may still write there.
pub(crate) async fn clear_scratch(scratch: &Path) -> Vec<PathBuf> {
    let mut resist = Vec::new();
    take_down_below(scratch).await;
    for dir in leftovers(scratch).await {
        if tokio::fs::remove_dir_all(&dir).await.is_err() {
            resist.push(dir);
        }
    }
    resist
}

/// Unmounts what a killed life has left mounted: files would be removed through it, and its place could never be.
async fn take_down_below(scratch: &Path) {
    let (Ok(scratch), Ok(mounts)) = (tokio::fs::canonicalize(scratch).await, tokio::fs::read("/proc/self/mountinfo").await)
    else {
        return;
    };
    for place in mounted_below(&mounts, &scratch) {
        if let Err(error) = rustix::mount::unmount(&place, rustix::mount::UnmountFlags::DETACH) {
            tracing::warn!(place = %place.display(), %error, "what an earlier life had mounted cannot be unmounted");
        }
    }
}

/// What is mounted below a directory, what was mounted last first.
fn mounted_below(mounts: &[u8], dir: &Path) -> Vec<PathBuf> {
    let places = mounts.split(|byte| *byte == b'\n').filter_map(|line| line.split(|byte| *byte == b' ').nth(4)).map(unescaped);
    let mut below: Vec<_> = places.filter(|place| place != dir && place.starts_with(dir)).collect();
    below.reverse();
    below
}

/// A path as the kernel writes it there, with some bytes as a backslash and three octal digits.
fn unescaped(text: &[u8]) -> PathBuf {
    let (mut bytes, mut rest) = (Vec::with_capacity(text.len()), text);
    while let Some((first, behind)) = rest.split_first() {
        let digits = behind.get(..3).filter(|_| *first == b'\\').and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 8).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { behind.get(3..).unwrap_or_default() } else { behind };
    }
    PathBuf::from(std::ffi::OsString::from_vec(bytes))
}

/// Removes what resisted, when whoever wrote there has ended.
pub(crate) async fn remove(dirs: Vec<PathBuf>) {
    for dir in dirs {
        if let Err(error) = tokio::fs::remove_dir_all(&dir).await {
            tracing::warn!(dir = %dir.display(), %error, "old scratch files could not be removed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::dir::socket_in;
    use crate::workspace::checkout::overlay;

    #[test]
    fn what_is_mounted_below_a_directory_is_found_by_its_real_name() {
        let mounts = br"30 1 0:1 / / rw - ext4 x rw
31 30 0:2 / /s/a\040b/tree rw - overlay x rw
32 30 0:2 / /s/a\040b/tree/in rw - overlay x rw
33 30 0:2 / /s rw - tmpfs x rw
34 30 0:2 / /sx rw - tmpfs x rw";
        assert_eq!(mounted_below(mounts, Path::new("/s")), [Path::new("/s/a b/tree/in"), Path::new("/s/a b/tree")]);
    }

    #[tokio::test]
    async fn what_a_killed_life_left_mounted_is_taken_down_before_its_files_are_removed() {
        let dir = tempfile::tempdir().unwrap();
        let (base, place) = (dir.path().join("base"), dir.path().join("scratch/workspaces/one"));
        std::fs::create_dir_all(&base).unwrap();
        std::fs::create_dir_all(place.join("tree")).unwrap();
        overlay::lay_out(&place).unwrap();
        // Only root can mount it.
        let Ok(_) = overlay::mount(&base, &place) else { return };
        assert_eq!(clear_scratch(&dir.path().join("scratch")).await, Vec::<PathBuf>::new());
        assert!(!place.exists());
    }

    #[tokio::test]
    async fn what_nobody_serves_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        let [dead, stale] = ["dead", "stale"].map(|name| dir.path().join(name));
        for made in [&dead, &stale] {
            std::fs::create_dir(made).unwrap();
            std::fs::write(made.join("head"), "output").unwrap();
        }
        drop(tokio::net::UnixListener::bind(socket_in(&stale)).unwrap());
        assert_eq!(end_unproven(leftovers(dir.path()).await).await, Vec::<PathBuf>::new());
        assert!(!dead.exists() && !stale.exists());
    }
}
