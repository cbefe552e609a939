//! What an earlier life of the node left behind: directories of sessions, some of which may still run.
//!
//! One that the journal knows is taken over by its workspace. What is left here cannot be proved to be anybody's: a session without a
//! journal, or a program of the node's own. It is ended and removed; what resists is looked at again later. Scratch directories are always removed: they hold nothing that outlives a node.

use crate::session::adopt;
use futures::StreamExt;
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
    for dir in leftovers(scratch).await {
        if tokio::fs::remove_dir_all(&dir).await.is_err() {
            resist.push(dir);
        }
    }
    resist
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
