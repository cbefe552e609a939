//! Commits on a branch.

use super::{Desk, EVERYTHING};
use capstan_tests::git::Tree;

const AUTHOR: &str = "A Person <person@example.org>";

#[test]
fn a_commit_holds_what_the_thread_changed_and_touches_neither_files_nor_index() {
    let desk = Desk::after(EVERYTHING);
    desk.write("mine.txt", "not committed\n");
    desk.mine.git(&["add", "mine.txt"]);
    let (before, status) = (Tree::of(desk.mine.dir()), desk.mine.git(&["status", "--porcelain"]));
    let commit = |more: &[&str]| {
        let args = ["threads", "commit", &desk.thread, "--branch", "agents/it", "-m", "What it did", "--author", AUTHOR];
        desk.capstan(&[&args[..], more].concat())
    };
    let run = commit(&[]);
    run.assert_code(0);
    Tree::of(desk.mine.dir()).assert_is(&before);
    assert_eq!(desk.mine.git(&["status", "--porcelain"]), status);
    let facts = desk.mine.git(&["log", "-1", "--format=%an <%ae>%n%s%n%P", "agents/it"]);
    assert_eq!(facts, format!("{AUTHOR}\nWhat it did\n{}", desk.mine.git(&["rev-parse", "main"])));
    desk.mine.git(&["fsck", "--strict"]);
    let again = commit(&[]);
    again.assert_code(2);
    assert!(again.stderr.starts_with("error: the branch agents/it exists already\n"), "{again}");
    commit(&["--force"]).assert_code(0);
    let to_main = desk.capstan(&["threads", "commit", &desk.thread, "-b", "main", "-m", "x", "--author", AUTHOR, "--force"]);
    to_main.assert_code(2);
    assert!(to_main.stderr.contains("is checked out"), "{to_main}");
    // What is on the branch is what the thread left.
    desk.mine.git(&["stash", "--quiet"]);
    desk.mine.git(&["checkout", "--quiet", "agents/it"]);
    Tree::of(desk.mine.dir()).assert_is(&Tree::of(&desk.work));
}

#[test]
fn a_commit_that_cannot_be_made_leaves_no_branch() {
    let desk = Desk::after("sed -i s/two/theirs/ text.txt");
    desk.write("text.txt", "one\nmine\nthree\n");
    desk.mine.commit_all("mine");
    let commit = |more: &[&str]| {
        let args = ["threads", "commit", &desk.thread, "-b", "it", "-m", "x"];
        desk.capstan(&[&args[..], more].concat())
    };
    let nobody = commit(&[]);
    nobody.assert_code(2);
    assert!(nobody.stderr.starts_with("error: git does not know who you are\n"), "{nobody}");
    let conflict = commit(&["--author", AUTHOR, "--base", "main"]);
    conflict.assert_code(1);
    assert!(conflict.stderr.contains("the patch does not fit 1 file of main: text.txt (the same lines"), "{conflict}");
    let absent = commit(&["--author", AUTHOR, "--base", "0123456789"]);
    absent.assert_code(2);
    assert_eq!(desk.mine.git(&["branch", "--list", "it"]), "");
    // On the commit that the thread began with it fits.
    commit(&["--author", AUTHOR]).assert_code(0);
    assert_eq!(desk.mine.git(&["show", "it:text.txt"]), "one\ntheirs\nthree\n");
}
