//! What an earlier life of the node left behind: directories of sessions, some of which may still run.
//!
//! One that nobody serves is removed. One that is served is left alone, since its session ends by its own ownerless time; it is looked
//! at again later. Scratch directories are always removed: they hold nothing that outlives a node.

use crate::session::dir::socket_in;
use crate::session::link;
use std::path::{Path, PathBuf};

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

/// Removes those that nobody serves, and gives the rest.
pub(crate) async fn remove_dead(dirs: Vec<PathBuf>) -> Vec<PathBuf> {
    let mut alive = Vec::new();
    for dir in dirs {
        if link::connect(&socket_in(&dir)).await.is_ok() {
            alive.push(dir);
        } else if let Err(error) = tokio::fs::remove_dir_all(&dir).await {
            tracing::warn!(dir = %dir.display(), %error, "what a session left behind could not be removed");
        }
    }
    alive
}

/// Empties the directory for scratch files.
pub(crate) async fn clear_scratch(scratch: &Path) {
    for dir in leftovers(scratch).await {
        if let Err(error) = tokio::fs::remove_dir_all(&dir).await {
            tracing::warn!(dir = %dir.display(), %error, "old scratch files could not be removed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_nobody_serves_is_removed_and_what_is_served_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let [dead, stale, alive] = ["dead", "stale", "alive"].map(|name| dir.path().join(name));
        for made in [&dead, &stale, &alive] {
            std::fs::create_dir(made).unwrap();
            std::fs::write(made.join("head"), "output").unwrap();
        }
        drop(tokio::net::UnixListener::bind(socket_in(&stale)).unwrap());
        let holder = tokio::net::UnixListener::bind(socket_in(&alive)).unwrap();
        let left = remove_dead(leftovers(dir.path()).await).await;
        assert_eq!(left, std::slice::from_ref(&alive));
        assert!(!dead.exists() && !stale.exists() && alive.exists());
        drop(holder);
        assert_eq!(remove_dead(left).await, Vec::<PathBuf>::new());
        assert!(!alive.exists());
    }
}
