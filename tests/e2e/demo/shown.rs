//! What the demo shows.

use super::{GREEN, demo, temporary};
use capstan_tests::capstan::{Capstan, Home, binary};
use capstan_tests::git::Tree;
use std::fs;
use std::path::Path;

#[test]
fn the_demo_shows_a_red_test_a_diff_and_a_green_test_and_leaves_nothing_behind() {
    let home = Home::new();
    let run = demo(&home, |capstan| capstan);
    let places = [
        "3 of 5 checks failed",
        "exit 1",
        "diff --git a/words.c b/words.c",
        "+    int words = 0;",
        "done in",
        GREEN,
        "The test passes.",
    ];
    let mut from = 0;
    for place in places {
        let found = run.stdout[from..].find(place).unwrap_or_else(|| panic!("{place:?} is not shown, or not in order\n{run}"));
        from += found + place.len();
    }
    assert_eq!(run.stderr, "", "{run}");
    assert!(!home.path().join("capstan.db").exists(), "a demo is no thread to keep");
}

#[test]
fn the_demo_in_its_usual_place_is_removed_too() {
    let home = Home::new();
    let run = Capstan::new(&home).arg("demo").run();
    run.assert_code(0);
    let place = run.stdout.lines().find_map(|line| line.strip_prefix("workspace  ")).expect("the workspace is shown");
    let place = place.split(" on node ").next().expect("a line has a first part");
    assert!(place.starts_with("/tmp/capstan-demo-"), "{run}");
    assert!(!Path::new(place).exists(), "{place} is left");
    assert_eq!(capstan_tests::process::at(Path::new(place)), []);
}

#[test]
fn the_demo_in_json_is_one_turn_of_valid_lines() {
    let home = Home::new();
    let run = demo(&home, |capstan| capstan.arg("--json"));
    let kinds = run.kinds();
    assert_eq!(kinds.first().map(String::as_str), Some("thread.started"));
    assert_eq!(kinds.last().map(String::as_str), Some("turn.completed"));
    assert_eq!(kinds.iter().filter(|kind| *kind == "thread.started").count(), 1, "{run}");
    let codes: Vec<_> = run.items_of("command_execution").iter().map(|item| item["exit_code"].as_i64()).collect();
    assert_eq!((codes.first(), codes.last()), (Some(&Some(1)), Some(&Some(0))), "{run}");
    assert_eq!(run.items_of("file_change").len(), 1, "{run}");
    assert_eq!(run.items_of("todo_list").len(), 1, "{run}");
}

#[test]
fn a_kept_demo_is_a_repository_with_the_change() {
    let home = Home::new();
    let temporary = temporary(&home);
    fs::create_dir(&temporary).expect("a directory can be made");
    let run = Capstan::new(&home).args(["demo", "--keep"]).env("TMPDIR", &temporary.display().to_string()).run();
    run.assert_code(0);
    let place = run.stderr.trim_end().strip_prefix("the project is kept in ").unwrap_or_else(|| panic!("no place: {run}"));
    let tree = Tree::of(Path::new(place));
    assert!(tree.text("words.c").contains("int words = 0;"), "{run}");
    let mut git = capstan_tests::process::command("git");
    git.args(["-c", "safe.directory=*", "-C", place, "diff", "--name-only"]);
    assert_eq!(git.output().expect("git can be started").stdout, b"words.c\n");
}

#[test]
fn the_demo_works_without_the_runner_beside_it() {
    let home = Home::new();
    let alone = home.root().join("alone");
    fs::create_dir(&alone).expect("a directory can be made");
    fs::copy(binary("capstan"), alone.join("capstan")).expect("the program can be copied");
    let run = demo(&home, |capstan| capstan.program(&alone.join("capstan")));
    assert!(run.stdout.contains(GREEN), "{run}");
}

#[test]
fn the_demo_without_a_compiler_says_what_to_install() {
    let home = Home::new();
    let empty = home.root().join("empty");
    fs::create_dir(&empty).expect("a directory can be made");
    let run = Capstan::new(&home).arg("demo").env("PATH", &empty.display().to_string()).run();
    run.assert_code(2);
    let told = "error: the demo's project is written in C, and there is no `cc`\nhint: install a C compiler, such as gcc\n";
    assert_eq!((run.stderr.as_str(), run.stdout.as_str()), (told, ""));
}
