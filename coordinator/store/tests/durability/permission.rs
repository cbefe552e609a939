//! Directories and files that the user may not write.

use crate::fixtures::thread;
use crate::role;
use capstan_store::{Store, sqlite};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;

/// The user `nobody`, whom every Linux has by this number.
const NOBODY: u32 = 65_534;

#[tokio::test]
async fn what_may_not_be_written_is_refused_with_what_to_do() {
    if let Some(dir) = role::path_given() {
        return refused(&dir).await;
    }
    let dir = tempfile::tempdir().unwrap();
    let store = sqlite::open(&dir.path().join("capstan.db")).await.unwrap();
    store.create_thread(&thread(1)).await.unwrap();
    store.close().await;
    fs::set_permissions(dir.path().join("capstan.db"), Permissions::from_mode(0o444)).unwrap();
    // A copy of this binary, since `nobody` may not be able to reach the one in the build directory.
    let this = dir.path().join("test");
    fs::copy(std::env::current_exe().unwrap(), &this).unwrap();
    fs::set_permissions(dir.path(), Permissions::from_mode(0o555)).unwrap();

    let mut command = role::under(&this, &[], "permission::what_may_not_be_written_is_refused_with_what_to_do", dir.path());
    if role::is_root() {
        // Root may write anything, so the second role must not be root.
        command.uid(NOBODY).gid(NOBODY).current_dir("/");
    }
    role::run(command);
    fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).unwrap();
}

async fn refused(dir: &Path) {
    for path in [dir.join("new.db"), dir.join("below/new.db"), dir.join("capstan.db")] {
        let said = sqlite::open(&path).await.unwrap_err().to_string();
        assert!(said.starts_with(&format!("cannot open the store `{}`: ", path.display())), "{said}");
        assert!(said.contains("writable for this user, or choose another CAPSTAN_HOME"), "{said}");
    }
}
