//! What must not travel, and what must not be taken.

use super::{Stage, holding};
use std::fs;
use std::os::unix::fs::symlink;

#[test]
fn nothing_of_the_configuration_hooks_or_credentials_leaves_this_host() {
    let stage = Stage::running("git config --list --local; ls -A .git .git/hooks 2>&1; true", 1);
    let canary = "CANARY-9f31";
    let git = stage.mine.dir().join(".git");
    stage.mine.git(&["remote", "add", "origin", &format!("https://user:{canary}@h.example/r.git")]);
    stage.mine.git(&["config", "http.extraHeader", &format!("Authorization: {canary}")]);
    stage.mine.git(&["config", "credential.helper", &format!("store --file={canary}")]);
    for (name, text) in
        [("hooks/post-checkout", "#!/bin/sh\n"), ("FETCH_HEAD", ""), ("description", ""), ("logs/x", ""), ("COMMIT_EDITMSG", "")]
    {
        let path = git.join(name);
        fs::create_dir_all(path.parent().expect("it is below .git")).expect("a directory can be made");
        fs::write(path, format!("{text}{canary}\n")).expect("a file can be written");
    }
    // A stash is of the person's too.
    stage.write("a.txt", canary);
    stage.mine.git(&["stash", "--quiet"]);
    let run = stage.exec(&["--on", "*"]);
    run.assert_code(0);
    assert!(!run.stdout.contains(canary), "{run}");
    assert_eq!(holding(&stage.there.root().join(""), canary.as_bytes()), Vec::<std::path::PathBuf>::new());
    assert_eq!(holding(&stage.person.path().join("uploads"), canary.as_bytes()), Vec::<std::path::PathBuf>::new());
}

#[test]
fn a_git_file_that_points_elsewhere_and_links_that_lead_out_bring_nothing_along() {
    let stage = Stage::running("ls -la; cat inner/.git inner/file link/* 2>&1; true", 1);
    let outside = stage.person.root().join("outside");
    fs::create_dir(&outside).expect("a directory can be made");
    fs::write(outside.join("key"), "CANARY-outside\n").expect("a file can be written");
    symlink(&outside, stage.mine.dir().join("link")).expect("a link can be made");
    stage.write("inner/file", "inner\n");
    stage.write("inner/.git", &format!("gitdir: {}\n", outside.display()));
    let run = stage.exec(&["--upload"]);
    // Git itself does not take it for a repository; whatever it says, nothing from outside has come along.
    assert!(matches!(run.status.code(), Some(0 | 1)), "{run}");
    assert!(holding(stage.there.root(), b"CANARY-outside").is_empty(), "{run}");
}
