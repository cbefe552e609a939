use super::Exchange;
use crate::local_git::fixture::Scene;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

#[test]
fn what_was_done_before_a_failure_is_taken_back() {
    let scene = Scene::made();
    scene.write("m.txt", "mine\n");
    scene.write("own/only.txt", "mine as well\n");
    scene.write("there", "not to be written over\n");
    scene.write("hollow/.keep", "");
    fs::remove_file(scene.top().join("hollow/.keep")).unwrap();
    fs::set_permissions(scene.top().join("own"), Permissions::from_mode(0o700)).unwrap();
    let mut exchange = Exchange::begin(&scene.repository()).unwrap();
    for name in ["m.txt", "a/b/new", "hollow", "there"] {
        let path = exchange.new_files().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "new").unwrap();
    }
    exchange.remove(Path::new("own/only.txt")).unwrap();
    exchange.tidy(Path::new("own/only.txt"));
    exchange.replace(Path::new("m.txt")).unwrap();
    exchange.place(Path::new("a/b/new")).unwrap();
    exchange.place(Path::new("hollow")).unwrap();
    assert_eq!(
        (scene.read("m.txt"), scene.read("hollow"), scene.top().join("own").exists()),
        ("new".into(), "new".into(), false)
    );
    exchange.place(Path::new("there")).expect_err("something is there");
    exchange.replace(Path::new("gone")).expect_err("nothing is there");
    let left = exchange.back().expect_err("that file is gone, whoever took it");
    assert!(left.starts_with(scene.top().join(".git")), "{}", left.display());
    assert_eq!((scene.read("m.txt"), scene.read("own/only.txt")), ("mine\n".into(), "mine as well\n".into()));
    assert_eq!(scene.read("there"), "not to be written over\n");
    assert!(scene.top().join("hollow").is_dir() && !scene.top().join("a").exists());
    assert_eq!(fs::metadata(scene.top().join("own")).unwrap().permissions().mode() & 0o777, 0o700);
}

#[test]
fn a_file_is_not_put_beyond_a_link() {
    let scene = Scene::made();
    std::os::unix::fs::symlink(scene.dir.path(), scene.top().join("way")).unwrap();
    let mut exchange = Exchange::begin(&scene.repository()).unwrap();
    fs::create_dir(exchange.new_files().join("way")).unwrap();
    fs::write(exchange.new_files().join("way/x"), "new").unwrap();
    exchange.place(Path::new("way/x")).expect_err("it leads out");
    assert_eq!(exchange.back(), Ok(()));
    assert!(!scene.dir.path().join("x").exists());
}
