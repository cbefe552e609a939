//! What is there of a repository that was uploaded.

use super::{Stage, thread_of};
use capstan_tests::git::Repository;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

/// All that a work tree and its git say of themselves.
const LOOK: &str = "git status --porcelain=v1 --branch; git log --format='%H %s'; git diff --stat HEAD; git stash list; git tag; \
    git fsck --strict 2>&1; find . -path ./.git -prune -o -path './.[ac]*' -prune -o -print | LC_ALL=C sort; ls -l run.sh | cut -c1-10; readlink way; cat a.txt n.bin | od -c | head -3";

#[test]
fn the_work_tree_and_its_git_are_there_as_they_are_here_and_what_is_ignored_is_not() {
    let stage = Stage::running(LOOK, 1);
    stage.mine.git(&["tag", "v1"]);
    stage.write("b/c.txt", "two\nand a second commit\n");
    stage.mine.commit_all("second");
    stage.mine.git(&["checkout", "-q", "-b", "topic/x"]);
    stage.write("a.txt", "changed\n");
    stage.write("staged.txt", "staged\n");
    stage.mine.git(&["add", "staged.txt"]);
    stage.write("staged.txt", "staged, and changed after that\n");
    stage.write("run.sh", "#!/bin/sh\n");
    stage.write("n.bin", "\u{0}\u{1}new\n");
    stage.write("kept.o", "ignored, and tracked\n");
    stage.mine.git(&["add", "--force", "kept.o"]);
    stage.write("x.o", "ignored\n");
    stage.write("secret", "CANARY-ignored\n");
    fs::remove_file(stage.mine.dir().join("b/c.txt")).expect("a file can be removed");
    fs::set_permissions(stage.mine.dir().join("run.sh"), fs::Permissions::from_mode(0o755)).expect("a mode can be set");
    symlink("a.txt", stage.mine.dir().join("way")).expect("a link can be made");
    let run = stage.exec(&["--upload"]);
    run.assert_code(0);
    fs::remove_file(stage.mine.dir().join("x.o")).expect("a file can be removed");
    fs::remove_file(stage.mine.dir().join("secret")).expect("a file can be removed");
    let here = sh(&stage.mine, LOOK);
    assert_eq!(Stage::output(&run), here, "{run}");
    assert!(super::holding(&stage.there.path(), b"CANARY-ignored").is_empty());
}

fn sh(repository: &Repository, cmd: &str) -> String {
    let mut shell = capstan_tests::process::command("sh");
    let environment = [("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_CONFIG_NOSYSTEM", "1")];
    let output = shell.args(["-c", cmd]).current_dir(repository.dir()).envs(environment).output().expect("sh can be started");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_linked_work_tree_a_shallow_clone_and_a_repository_without_commits_are_uploaded_as_well() {
    let stage = Stage::running(
        "git status --porcelain=v1 --branch; git log --format=%s; git fsck 2>&1; cat new.txt; cat inner/in.txt",
        3,
    );
    stage.write("a.txt", "second\n");
    stage.mine.commit_all("second");
    let root = stage.person.root().to_owned();
    let (linked, shallow, young) = (root.join("linked"), root.join("shallow"), root.join("young"));
    stage.mine.git(&["worktree", "add", "-q", "-b", "side", linked.to_str().expect("UTF-8")]);
    let url = format!("file://{}", stage.mine.dir().display());
    stage.mine.git(&["clone", "-q", "--depth", "1", &url, shallow.to_str().expect("UTF-8")]);
    stage.mine.git(&["init", "-q", "--initial-branch=main", young.to_str().expect("UTF-8")]);
    for (dir, log) in [
        (&linked, "## side\n?? inner/\n?? new.txt\nsecond\nbegin\n"),
        (&shallow, "second\n"),
        (&young, "## No commits yet on main\n"),
    ] {
        fs::write(dir.join("new.txt"), "new\n").expect("a file can be written");
        // A repository within it, whose files come without it.
        let _ = Repository::with_files(&dir.join("inner"), &[("in.txt", "inner\n")]);
        let run = stage.exec(&["--upload", "-C", dir.to_str().expect("UTF-8")]);
        run.assert_code(0);
        let output = Stage::output(&run);
        assert!(
            output.contains(log) && output.contains("new\ninner\n") && !output.contains("missing"),
            "{}: {run}",
            dir.display()
        );
    }
}

#[test]
fn a_sub_directory_is_where_the_thread_works_and_the_second_upload_sends_only_what_changed() {
    let stage = Stage::running("pwd; cat ../a.txt", 1);
    let noise = |seed: u64| -> String {
        let next = |state: &mut u64| {
            *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            char::from(b'a' + u8::try_from((*state >> 33) % 26).expect("a letter"))
        };
        let mut state = seed;
        (0..20_000).map(|_| next(&mut state)).collect()
    };
    for number in 0..300_u64 {
        stage.write(&format!("many/{number}.txt"), &noise(number));
    }
    stage.mine.commit_all("many");
    let sent = |run: &capstan_tests::capstan::Run| bytes(&stage.there.path().join("blobs/packs"), run);
    let first = stage.exec(&["--upload", "-C", "b"]);
    first.assert_code(0);
    assert!(Stage::output(&first).ends_with("/b\none\n"), "{first}");
    let before = sent(&first);
    for number in [3, 77, 200] {
        stage.write(&format!("many/{number}.txt"), &noise(1000 + number));
    }
    let second = stage.exec(&["--upload", "-C", "b"]);
    second.assert_code(0);
    assert_ne!(thread_of(&first), thread_of(&second));
    let more = sent(&second) - before;
    println!("the first upload left {before} bytes, the second added {more}");
    assert!(before > 3_000_000, "{before}");
    // Three files of 20,000 letters each, and what names them.
    assert!((1..150_000).contains(&more), "the second upload sent {more} bytes, the first {before}");
}

/// What lies in the coordinator's store.
fn bytes(packs: &std::path::Path, run: &capstan_tests::capstan::Run) -> u64 {
    let lengths = fs::read_dir(packs).unwrap_or_else(|error| panic!("no packs: {error}: {run}"));
    lengths.flatten().map(|entry| entry.metadata().map_or(0, |found| found.len())).sum()
}
