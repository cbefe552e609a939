//! What is listed.

use super::asked::{ask, ask_with, list_of, path, read_of};
use capstan_types::files::document::{FilesQuery, LeaveOut, ListQuery, Order};
use capstan_types::files::report::{FileKind, Stopped};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::Path;

fn names(top: &Path, query: ListQuery) -> Vec<String> {
    ask(top, FilesQuery::List(query)).names()
}

fn tree(files: &[&str]) -> tempfile::TempDir {
    let top = tempfile::tempdir().unwrap();
    for file in files {
        let at = top.path().join(file);
        fs::create_dir_all(at.parent().unwrap()).unwrap();
        fs::write(at, file).unwrap();
    }
    top
}

#[test]
fn a_directory_comes_before_what_is_in_it_and_no_link_is_gone_into() {
    let top = tree(&["b/x", "b-/y", "a"]);
    symlink("b", top.path().join("c")).unwrap();
    symlink(".", top.path().join("b/loop")).unwrap();
    assert_eq!(names(top.path(), list_of("")), ["a", "b", "b/loop", "b/x", "b-", "b-/y", "c"]);
    let answered = ask(top.path(), FilesQuery::List(ListQuery { depth: 1, ..list_of("b") }));
    let entries = answered.entries();
    assert_eq!((entries[0].facts.kind, entries[0].target.clone().unwrap().0), (FileKind::Link, b".".to_vec()));
    assert_eq!(answered.done().stopped, None);
    let shallow = ask(top.path(), FilesQuery::List(ListQuery { depth: 1, ..list_of("") }));
    assert_eq!(shallow.names(), ["a", "b", "b-", "c"]);
}

#[test]
fn what_git_ignores_is_left_out_unless_it_is_asked_for() {
    let top = tree(&[
        ".gitignore",
        ".git/config",
        "target/debug/x",
        "src/a.rs",
        "src/a.log",
        "src/deep/.gitignore",
        "src/deep/made",
        "keep",
    ]);
    fs::write(top.path().join(".gitignore"), "target/\n*.log\n").unwrap();
    fs::write(top.path().join("src/deep/.gitignore"), "made\n").unwrap();
    let query = |text| ListQuery { leave: LeaveOut::Ignored, ..list_of(text) };
    assert_eq!(names(top.path(), query("")), [".gitignore", "keep", "src", "src/a.rs", "src/deep", "src/deep/.gitignore"]);
    assert_eq!(
        names(top.path(), query("src")),
        ["src/a.rs", "src/deep", "src/deep/.gitignore"],
        "patterns of directories above count"
    );
    assert!(names(top.path(), list_of("")).contains(&"target/debug/x".to_owned()));
}

#[test]
fn what_is_hidden_is_not_listed() {
    let top = tree(&["secrets/key", "a/.env", "a/.env.example"]);
    let answered = ask_with(top.path(), FilesQuery::List(list_of("")), &["secrets", "a/.env"], b"");
    assert_eq!(answered.names(), ["a", "a/.env.example"]);
}

#[test]
fn a_list_that_was_cut_off_goes_on_behind_its_last_name() {
    let top = tree(&["a/1", "a/2", "a/b/3", "c/4", "d"]);
    let whole = names(top.path(), list_of(""));
    for limit in 1..=whole.len() as u64 {
        let (mut told, mut after) = (Vec::new(), None);
        loop {
            let page = ask(top.path(), FilesQuery::List(ListQuery { limit, after: after.clone(), ..list_of("") }));
            after = page.entries().last().map(|entry| entry.path.clone());
            told.extend(page.names());
            if page.done().stopped.is_none() {
                break;
            }
            assert_eq!(page.done().stopped, Some(Stopped::Limit));
        }
        assert_eq!(told, whole, "{limit}");
    }
    let gone = ListQuery { after: Some(path("a/b/0-was-here")), ..list_of("") };
    assert_eq!(names(top.path(), gone), ["a/b/3", "c", "c/4", "d"]);
}

#[test]
fn a_directory_with_two_hundred_thousand_names_is_listed_whole_and_answers_are_bounded() {
    let top = tempfile::tempdir().unwrap();
    let huge = top.path().join("huge");
    fs::create_dir(&huge).unwrap();
    let first = File::create(huge.join("0")).unwrap();
    for number in 1..200_000 {
        // Links to one file cost less than files. A file has at most 65,000 names on some file systems.
        if number % 30_000 == 0
            || fs::hard_link(huge.join((number / 30_000 * 30_000).to_string()), huge.join(number.to_string())).is_err()
        {
            File::create(huge.join(number.to_string())).unwrap();
        }
    }
    drop(first);
    let sorted = ask(top.path(), FilesQuery::List(list_of("huge")));
    let entries = sorted.entries();
    assert_eq!(entries.len(), 200_000);
    assert!(entries.is_sorted_by(|before, after| before.path < after.path));
    let found = ask(top.path(), FilesQuery::List(ListQuery { order: Order::AsFound, ..list_of("huge") }));
    assert_eq!(found.done().told, 200_000);
    let few = ask(top.path(), FilesQuery::List(ListQuery { limit: 3, ..list_of("huge") }));
    assert_eq!(
        (few.names(), few.done().stopped),
        (vec!["huge/0".into(), "huge/1".into(), "huge/10".into()], Some(Stopped::Limit))
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn listing_and_reading_give_what_the_system_gives(
        files in prop::collection::btree_map("([a-c\u{e9}\n ]{1,3}/){0,3}[a-c ]{1,3}", prop::collection::vec(any::<u8>(), 0..200), 0..14),
        order in prop_oneof![Just(Order::Sorted), Just(Order::AsFound)],
    ) {
        let top = tempfile::tempdir().unwrap();
        for (name, content) in &files {
            let at = top.path().join(name);
            // A name may be a directory of another one.
            if fs::create_dir_all(at.parent().unwrap()).is_ok() {
                let _ = fs::write(at, content);
            }
        }
        let mut wanted = BTreeMap::new();
        walk(top.path(), top.path(), &mut wanted);
        let answered = ask(top.path(), FilesQuery::List(ListQuery { order, ..list_of("") }));
        let mut told = BTreeMap::new();
        for entry in answered.entries() {
            let content = (entry.facts.kind == FileKind::File).then(|| ask(top.path(), read_of(entry.path.as_bytes())).data);
            prop_assert!(told.insert(entry.path.to_string(), content).is_none(), "told twice");
        }
        prop_assert_eq!(told, wanted);
    }
}

fn walk(top: &Path, at: &Path, found: &mut BTreeMap<String, Option<Vec<u8>>>) {
    for entry in fs::read_dir(at).unwrap() {
        let entry = entry.unwrap();
        let name = entry.path().strip_prefix(top).unwrap().to_str().unwrap().to_owned();
        if entry.file_type().unwrap().is_dir() {
            found.insert(name, None);
            walk(top, &entry.path(), found);
        } else {
            found.insert(name, Some(fs::read(entry.path()).unwrap()));
        }
    }
}
