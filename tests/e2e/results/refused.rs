//! Patches that do not fit, or are none.

use super::Desk;
use capstan_tests::capstan::Capstan;
use capstan_tests::git::Tree;
use std::fs;

#[test]
fn a_conflict_changes_nothing_and_names_each_file_and_marks_are_left_when_asked_for() {
    let desk = Desk::after("sed -i s/two/theirs/ text.txt; echo new > new.txt; printf y > picture.bin; rm gone.txt");
    desk.write("text.txt", "one\nmine\nthree\n");
    desk.write("gone.txt", "changed here\n");
    let before = Tree::of(desk.mine.dir());
    for args in [&["apply", &desk.thread][..], &["apply", "--check", &desk.thread], &["apply", "--check", "--3way", &desk.thread]]
    {
        let run = desk.capstan(args);
        run.assert_code(1);
        let sentence = "error: nothing was changed: the patch does not fit 2 files: gone.txt (it was changed here), \
            text.txt (the same lines were changed here)\n";
        assert!(run.stderr.starts_with(sentence), "{run}");
        Tree::of(desk.mine.dir()).assert_is(&before);
    }
    let run = desk.capstan(&["apply", "--3way", &desk.thread]);
    run.assert_code(1);
    assert_eq!(desk.read("text.txt"), "one\n<<<<<<< here\nmine\n=======\ntheirs\n>>>>>>> patch\nthree\n");
    assert_eq!((desk.read("gone.txt").as_str(), desk.read("new.txt").as_str()), ("changed here\n", "new\n"));
    assert_eq!(desk.read("picture.bin"), "y");
    assert!(run.stderr.starts_with("error: 2 files could not be merged: gone.txt ("), "{run}");
    assert!(run.stdout.contains("  U text.txt\n"), "{run}");
}

#[test]
fn a_file_that_is_in_the_way_or_not_there_is_named() {
    let desk = Desk::after("echo theirs > new.txt; echo more >> text.txt; printf 'other' >> picture.bin");
    desk.write("new.txt", "mine\n");
    fs::remove_file(desk.mine.dir().join("text.txt")).expect("a file can be removed");
    desk.write("picture.bin", "mine");
    let before = Tree::of(desk.mine.dir());
    let run = desk.capstan(&["apply", &desk.thread]);
    run.assert_code(1);
    for part in ["new.txt (", "text.txt (", "picture.bin ("] {
        assert!(run.stderr.contains(part), "{part} is not in {run}");
    }
    Tree::of(desk.mine.dir()).assert_is(&before);
}

#[test]
fn a_file_or_a_directory_in_the_way_leaves_all_as_it_is() {
    let desk = Desk::after("mkdir way; echo x > way/x; echo y > a-first; echo z > place");
    let before = |desk: &Desk| Tree::of(desk.mine.dir());
    desk.write("way", "a file\n");
    fs::create_dir(desk.mine.dir().join("place")).expect("a directory can be made");
    desk.write("place/mine", "mine\n");
    let here = before(&desk);
    let run = desk.capstan(&["apply", &desk.thread]);
    run.assert_code(1);
    let told = "does not fit 2 files: place (a directory is in its place), way/x (a file is in the place of its directory)\n";
    assert!(run.stderr.contains(told), "{run}");
    before(&desk).assert_is(&here);
}

#[test]
fn a_patch_that_leads_out_of_the_repository_or_into_git_is_refused() {
    let desk = Desk::after("echo more >> text.txt");
    let before = Tree::of(desk.home.root());
    let out = desk.home.root().join("out");
    fs::create_dir(&out).expect("a directory can be made");
    std::os::unix::fs::symlink(&out, desk.mine.dir().join("way")).expect("a link can be made");
    let add = |name: &str| {
        format!("diff --git a/{name} b/{name}\nnew file mode 100644\n--- /dev/null\n+++ b/{name}\n@@ -0,0 +1 @@\n+x\n")
    };
    let link = "diff --git a/l b/l\nnew file mode 120000\n--- /dev/null\n+++ b/l\n@@ -0,0 +1 @@\n+../out\n\\ No newline at end of file\n";
    let patches = [
        (add("../out/x"), 2),
        (add(".git/hooks/post-checkout"), 2),
        (add("way/x"), 1),
        (format!("{link}{}", add("l/x")), 1),
        ("this is no patch\n".to_owned(), 2),
        (add("x").replace("+1 @@", "+1,9 @@"), 2),
    ];
    for (patch, code) in patches {
        let run = Capstan::new(&desk.home).args(["apply", "-"]).in_dir(desk.mine.dir()).stdin(patch.clone()).run();
        assert_eq!(run.status.code(), Some(code), "{patch}\n{run}");
        assert!(run.stderr.starts_with("error: "), "{run}");
    }
    assert_eq!(fs::read_dir(&out).expect("it is there").count(), 0);
    fs::remove_file(desk.mine.dir().join("way")).expect("a link can be removed");
    fs::remove_dir(&out).expect("a directory can be removed");
    Tree::of(desk.mine.dir()).assert_is(&Tree::of(desk.mine.dir()));
    assert!(before.differences(&Tree::of(desk.home.root())).iter().all(|line| !line.starts_with("mine/")), "nothing was made");
}

#[test]
fn bad_input_is_said_in_a_sentence() {
    let desk = Desk::after("echo x > new.txt");
    let cases: [(&[&str], &str); 7] = [
        (&["apply", "-C", "/", &desk.thread], "error: / is in no work tree of a git repository\n"),
        (&["apply", "no-such-thread"], "error: "),
        (&["apply"], "error: "),
        (&["apply", "--last", &desk.thread], "error: "),
        (&["apply", "--turn", "x", &desk.thread], "error: "),
        (&["threads", "commit", &desk.thread, "-b", "a..b", "-m", "x"], "error: `a..b` cannot be the name of a branch\n"),
        (&["threads", "commit", &desk.thread, "-b", "b", "-m", " "], "error: the message is empty"),
    ];
    for (args, sentence) in cases {
        let run = desk.capstan(args);
        run.assert_code(2);
        assert!(run.stderr.starts_with(sentence), "{run}");
    }
}
