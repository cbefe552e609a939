//! Patches that fit.

use super::{Desk, EVERYTHING};
use capstan_tests::git::Tree;
use std::fs;

#[test]
fn every_kind_of_change_is_brought_over_byte_for_byte_and_taken_back() {
    let desk = Desk::after(EVERYTHING);
    let before = Tree::of(desk.mine.dir());
    let index = desk.mine.git(&["ls-files", "-s"]);
    let run = desk.capstan(&["apply", &desk.thread]);
    run.assert_code(0);
    Tree::of(desk.mine.dir()).assert_is(&Tree::of(&desk.work));
    assert!(run.stdout.starts_with("changed 12 files:\n"), "{run}");
    for line in [
        "  M text.txt\n",
        "  D gone.txt\n",
        "  A new näme.txt\n",
        "  M picture.bin\n",
        "  M script.sh\n",
        "  T was-a-file\n",
        "  A empty\n",
    ] {
        assert!(run.stdout.contains(line), "{line} is not in {run}");
    }
    assert_eq!(desk.mine.git(&["ls-files", "-s"]), index, "the index is the person's");
    let again = desk.capstan(&["a", "--last"]);
    again.assert_code(0);
    assert_eq!(again.stdout, "nothing to apply: all of it is here already\n", "{again}");
    desk.capstan(&["apply", "--reverse", &desk.thread]).assert_code(0);
    Tree::of(desk.mine.dir()).assert_is(&before);
}

#[test]
fn a_patch_is_a_file_that_git_takes_and_that_is_applied_from_a_file_and_from_a_pipe() {
    let desk = Desk::after(EVERYTHING);
    let before = Tree::of(desk.mine.dir());
    let file = desk.home.root().join("it.patch");
    let path = file.to_str().expect("a path is UTF-8");
    desk.capstan(&["threads", "patch", &desk.thread, "-o", path]).assert_code(0);
    let patch = fs::read(&file).expect("the patch is there");
    assert!(patch.windows(16).any(|part| part == b"GIT binary patch"), "binary files are in it");
    let shown = desk.capstan(&["threads", "patch", &desk.thread]);
    assert!(shown.stdout.contains("rename to new"), "{shown}");
    desk.mine.git(&["apply", "--check", path]);
    let checked = desk.capstan(&["apply", "--check", path]);
    checked.assert_code(0);
    assert!(checked.stdout.starts_with("the patch would change 12 files:\n"), "{checked}");
    Tree::of(desk.mine.dir()).assert_is(&before);
    // From below the top, the whole of it.
    let run =
        capstan_tests::capstan::Capstan::new(&desk.home).args(["apply", "-"]).in_dir(&desk.mine.dir().join("old")).stdin(patch);
    run.run().assert_code(0);
    Tree::of(desk.mine.dir()).assert_is(&Tree::of(&desk.work));
}

#[test]
fn what_is_not_committed_stays_and_is_merged_where_the_patch_meets_it() {
    let desk = Desk::after("sed -i s/three/THREE/ text.txt; echo new > new.txt");
    desk.write("text.txt", "zero\none\ntwo\nthree\n");
    desk.write("mine.txt", "not committed\n");
    desk.mine.git(&["add", "mine.txt"]);
    let run = desk.capstan(&["apply", &desk.thread]);
    run.assert_code(0);
    assert_eq!(desk.read("text.txt"), "zero\none\ntwo\nTHREE\n");
    assert_eq!((desk.read("mine.txt").as_str(), desk.read("new.txt").as_str()), ("not committed\n", "new\n"));
    assert_eq!(desk.mine.git(&["status", "--porcelain"]), "A  mine.txt\n M text.txt\n?? new.txt\n");
}

#[test]
fn what_a_repository_configures_is_not_run_and_attributes_change_no_byte() {
    let desk = Desk::after("printf 'a\\r\\nB\\r\\nc\\r\\n' > crlf.txt; echo x >> text.txt");
    let trap = desk.home.root().join("ran");
    let filter = format!("touch {}; cat", trap.display());
    for (key, value) in [("filter.trap.clean", &filter), ("filter.trap.smudge", &filter), ("core.fsmonitor", &filter)] {
        desk.mine.git(&["config", key, value]);
    }
    desk.write(".gitattributes", "* filter=trap text eol=lf\n");
    desk.capstan(&["apply", &desk.thread]).assert_code(0);
    assert_eq!(desk.read("crlf.txt"), "a\r\nB\r\nc\r\n");
    assert!(!trap.exists(), "a program that the repository names was run");
}
