//! The demo for somebody who is not root.

use super::{GREEN, demo};
use crate::bad_input::{as_ordinary_user, programs_for_all};
use capstan_tests::capstan::Home;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

#[test]
fn the_demo_works_for_an_ordinary_user() {
    let home = Home::new();
    fs::set_permissions(home.root(), Permissions::from_mode(0o755)).expect("the directory is ours");
    let program = programs_for_all(home.root());
    // Their own home, with ~/.capstan still to be made in it, and their own temporary files.
    for place in ["theirs", "tmp"] {
        fs::create_dir(home.root().join(place)).expect("a directory can be made");
        fs::set_permissions(home.root().join(place), Permissions::from_mode(0o777)).expect("the directory is ours");
    }
    let theirs = home.root().join("theirs").display().to_string();
    let run = demo(&home, |capstan| {
        let capstan = capstan.program(&program).env("HOME", &theirs).env("CAPSTAN_HOME", "").in_dir(&home.root().join("theirs"));
        let words = as_ordinary_user();
        if words.is_empty() { capstan } else { capstan.through(words) }
    });
    assert!(run.stdout.contains(GREEN), "{run}");
    let mode = fs::metadata(home.root().join("theirs/.capstan")).expect("a home was made").permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}
