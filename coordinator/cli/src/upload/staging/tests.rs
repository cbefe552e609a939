use super::stage;
use crate::home::Home;
use crate::local_git::Input;
use crate::local_git::fixture::Scene;
use crate::surroundings::Surroundings;
use crate::upload::Place;
use capstan_types::path::AbsPath;
use std::fs;
use std::path::PathBuf;

/// Stages the repository, and gives the staging directory.
fn staged(scene: &Scene) -> PathBuf {
    let root = scene.dir.path().join("home").to_str().unwrap().to_owned();
    let surroundings = Surroundings::new([("CAPSTAN_HOME".to_owned(), root)].into(), AbsPath::new("/").unwrap());
    let place = Place::of(&Home::open(&surroundings).unwrap(), &scene.repository()).unwrap();
    stage(&scene.git, &scene.repository(), &place).unwrap();
    place.path("git").unwrap().as_path().to_owned()
}

/// Every object in it, in clear, after git's own check that nothing is missing.
fn holds(scene: &Scene, dir: &std::path::Path, canary: &str) -> bool {
    let git = scene.git.within(&scene.top()).with("GIT_DIR", dir);
    git.ask(["fsck", "--full", "--strict"], Input::Nothing).unwrap();
    let all = git.ask(["cat-file", "--batch-all-objects", "--batch"], Input::Nothing).unwrap();
    String::from_utf8_lossy(&all).contains(canary)
}

#[test]
fn what_was_staged_once_is_not_there_any_more() {
    let scene = Scene::made();
    scene.write("a.txt", "1\n");
    scene.commit("begin");
    scene.write("key", "CANARY\n");
    scene.run(&["add", "key"]);
    let dir = staged(&scene);
    assert!(holds(&scene, &dir, "CANARY"), "what is staged is there");
    scene.run(&["reset", "-q", "--", "key"]);
    assert!(!holds(&scene, &staged(&scene), "CANARY"));
}

#[test]
fn what_a_commit_held_that_was_amended_is_not_there_any_more_and_what_is_before_it_stays() {
    let scene = Scene::made();
    scene.write("a.txt", "1\n");
    scene.commit("begin");
    let packs = |dir: &PathBuf| -> Vec<_> {
        let mut all: Vec<_> = fs::read_dir(dir.join("objects/pack")).unwrap().flatten().map(|entry| entry.file_name()).collect();
        all.sort();
        all
    };
    let first = packs(&staged(&scene));
    scene.write("key", "CANARY\n");
    scene.commit("secret");
    assert!(holds(&scene, &staged(&scene), "CANARY"));
    fs::remove_file(scene.top().join("key")).unwrap();
    scene.run(&["add", "--all"]);
    scene.run(&["commit", "-q", "--amend", "--allow-empty", "-m", "clean"]);
    let dir = staged(&scene);
    assert!(!holds(&scene, &dir, "CANARY"));
    assert!(first.iter().all(|name| packs(&dir).contains(name)), "the first pack is not sent again");
}

#[test]
fn a_repository_that_was_made_anew_in_the_same_place_brings_nothing_of_the_old_one() {
    let scene = Scene::made();
    scene.write("key", "CANARY\n");
    scene.commit("begin");
    let seen = staged(&scene).parent().unwrap().join("packs/seen-before.pack");
    fs::write(&seen, "CANARY").unwrap();
    fs::remove_dir_all(scene.top()).unwrap();
    scene.init();
    assert!(!holds(&scene, &staged(&scene), "CANARY"), "without a commit");
    scene.write("a.txt", "1\n");
    scene.commit("begin");
    assert!(!holds(&scene, &staged(&scene), "CANARY"));
    assert!(!seen.exists(), "what was packed of it is gone as well");
}

#[test]
fn many_uploads_leave_a_repository_that_is_whole_with_what_is_staged() {
    let scene = Scene::made();
    let mut most = 0;
    for number in 0..60 {
        scene.write("a.txt", format!("{number}\n"));
        scene.commit("more");
        scene.write("b.txt", format!("staged {number}\n"));
        scene.run(&["add", "b.txt"]);
        let dir = staged(&scene);
        most = most.max(fs::read_dir(dir.join("objects/pack")).unwrap().count());
        if number % 10 == 9 || (46..52).contains(&number) {
            assert!(holds(&scene, &dir, &format!("staged {number}\n")), "upload {number}");
        }
    }
    // Each with its index and the like.
    assert!(most <= 4 * 50, "{most}");
}
