use crate::local_git::fixture::Scene;
use crate::patches::{Direction, How, apply};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

const HOW: How = How { direction: Direction::Forward, marks: false, only_check: false };

/// The patch of what `change` does to the work tree, which is put back.
fn patch(scene: &Scene, change: impl FnOnce(&Scene)) -> PathBuf {
    change(scene);
    scene.run(&["add", "--all"]);
    let text = scene.run(&["diff", "--cached", "--binary", "HEAD"]);
    scene.run(&["reset", "-q", "--hard", "HEAD"]);
    let path = scene.dir.path().join("it.patch");
    fs::write(&path, text).unwrap();
    path
}

fn mode(scene: &Scene, name: &str) -> u32 {
    fs::metadata(scene.top().join(name)).unwrap().permissions().mode() & 0o777
}

#[test]
fn what_is_not_committed_stays_where_git_is_ended_while_it_writes() {
    let scene = Scene::made();
    scene.write("m.txt", "1\n2\n3\n4\n5\n6\n7\n8\n9\n");
    scene.commit("begin");
    let patch = patch(&scene, |scene| {
        scene.write("m.txt", "one\n2\n3\n4\n5\n6\n7\n8\n9\n");
        scene.write("large", vec![b'x'; 4 << 20]);
    });
    scene.write("m.txt", "1\n2\n3\n4\n5\n6\n7\n8\nnot committed\n");
    // A git that may not write large files: the system ends it when it begins one, as a full disk or a signal does.
    let tools = scene.dir.path().join("tools");
    fs::create_dir(&tools).unwrap();
    let path = std::env::var("PATH").unwrap();
    fs::write(tools.join("git"), format!("#!/bin/sh\nPATH='{path}'\nulimit -c 0\nulimit -f 1000\nexec git \"$@\"\n")).unwrap();
    fs::set_permissions(tools.join("git"), Permissions::from_mode(0o755)).unwrap();
    let limited = Scene::git_on(&format!("{}:{path}", tools.display()));
    let failure = apply(&limited, &scene.repository(), &patch, HOW).expect_err("the file is too large");
    assert_eq!(scene.read("m.txt"), "1\n2\n3\n4\n5\n6\n7\n8\nnot committed\n", "{}", failure.sentence);
    assert!(failure.sentence.starts_with("nothing was changed: "), "{}", failure.sentence);
    assert_eq!(scene.run(&["status", "--porcelain"]), " M m.txt\n");
    apply(&scene.git, &scene.repository(), &patch, HOW).expect("there is room");
    assert_eq!(scene.read("m.txt"), "one\n2\n3\n4\n5\n6\n7\n8\nnot committed\n");
    assert_eq!(scene.read("large").len(), 4 << 20);
    let left = fs::read_dir(scene.top().join(".git")).unwrap().flatten().map(|entry| entry.file_name());
    assert!(left.into_iter().all(|name| !name.to_string_lossy().starts_with(".capstan")), "nothing is left beside it");
}

#[test]
fn a_file_keeps_who_may_read_it() {
    let scene = Scene::made();
    for name in ["private", "tool", "script"] {
        scene.write(name, "1\n");
    }
    let rights = |scene: &Scene, all: [(&str, u32); 3]| {
        for (name, mode) in all {
            fs::set_permissions(scene.top().join(name), Permissions::from_mode(mode)).unwrap();
        }
    };
    rights(&scene, [("private", 0o600), ("tool", 0o700), ("script", 0o640)]);
    scene.commit("begin");
    let patch = patch(&scene, |scene| {
        ["private", "tool", "script"].iter().for_each(|name| scene.write(name, "2\n"));
        rights(scene, [("private", 0o644), ("tool", 0o644), ("script", 0o755)]);
    });
    rights(&scene, [("private", 0o600), ("tool", 0o700), ("script", 0o640)]);
    apply(&scene.git, &scene.repository(), &patch, HOW).expect("it fits");
    assert_eq!(["private", "tool", "script"].map(|name| scene.read(name)), ["2\n"; 3]);
    assert_eq!(["private", "tool", "script"].map(|name| mode(&scene, name)), [0o600, 0o600, 0o750]);
}

#[test]
fn a_directory_becomes_a_file_and_a_file_a_directory() {
    let scene = Scene::made();
    scene.write("dir/a/b", "1\n");
    scene.write("file", "1\n");
    scene.commit("begin");
    let patch = patch(&scene, |scene| {
        fs::remove_dir_all(scene.top().join("dir")).unwrap();
        fs::remove_file(scene.top().join("file")).unwrap();
        scene.write("dir", "2\n");
        scene.write("file/a/b", "2\n");
    });
    apply(&scene.git, &scene.repository(), &patch, HOW).expect("it fits");
    assert_eq!([scene.read("dir"), scene.read("file/a/b")], ["2\n", "2\n"]);
    apply(&scene.git, &scene.repository(), &patch, How { direction: Direction::Reverse, ..HOW }).expect("it fits back");
    assert_eq!([scene.read("dir/a/b"), scene.read("file")], ["1\n", "1\n"]);
    assert_eq!(scene.run(&["status", "--porcelain"]), "");
}
