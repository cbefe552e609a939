//! What is written.

use super::asked::{ask_with, path};
use crate::hash::sha256_of;
use capstan_types::files::document::{Expect, FilesQuery, WriteQuery};
use capstan_types::files::report::{FilesReport, Why, Written};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

fn write(top: &Path, name: &str, expect: Expect, content: &[u8]) -> Result<Written, Why> {
    let query = WriteQuery { path: path(name), expect, mode: None, parents: false, length: content.len() as u64 };
    ask(top, query, content)
}

fn ask(top: &Path, query: WriteQuery, content: &[u8]) -> Result<Written, Why> {
    match ask_with(top, FilesQuery::Write(query), &[], content).reports.remove(0) {
        FilesReport::Written(written) => Ok(written),
        FilesReport::Refused(refusal) => Err(refusal.why),
        other => panic!("{other:?}"),
    }
}

fn hash(content: &[u8]) -> Expect {
    Expect::Hash(sha256_of(content))
}

/// Nothing else lies in the directory.
fn only(top: &Path, names: &[&str]) {
    let mut found: Vec<_> = fs::read_dir(top).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    found.sort();
    assert_eq!(found, names);
}

#[test]
fn nothing_is_written_over_that_nobody_has_seen() {
    let place = tempfile::tempdir().unwrap();
    let top = place.path();
    assert!(write(top, "a", Expect::Absent, b"one").unwrap().created);
    assert_eq!(write(top, "a", Expect::Absent, b"two"), Err(Why::Changed));
    assert_eq!(write(top, "a", hash(b"other"), b"two"), Err(Why::Changed));
    assert_eq!(fs::read(top.join("a")).unwrap(), b"one");
    assert!(!write(top, "a", hash(b"one"), b"two").unwrap().created);
    assert_eq!(write(top, "a", hash(b"one"), b"two").unwrap().facts.size, 3, "a request that is repeated has been done");
    assert_eq!(write(top, "b", hash(b"one"), b"two"), Err(Why::Missing));
    assert!(!write(top, "a", Expect::Anything, b"three").unwrap().created);
    assert_eq!(fs::read(top.join("a")).unwrap(), b"three");
    only(top, &["a"]);
}

#[test]
fn permissions_stay_and_are_given_and_directories_are_made_when_that_is_asked_for() {
    let place = tempfile::tempdir().unwrap();
    let top = place.path();
    fs::write(top.join("tool"), "old").unwrap();
    fs::set_permissions(top.join("tool"), fs::Permissions::from_mode(0o755)).unwrap();
    write(top, "tool", hash(b"old"), b"new").unwrap();
    assert_eq!(fs::metadata(top.join("tool")).unwrap().mode() & 0o7777, 0o755);
    let deep = |parents, mode| WriteQuery { path: path("x/y/z"), expect: Expect::Absent, mode, parents, length: 1 };
    assert_eq!(ask(top, deep(false, None), b"z"), Err(Why::Missing));
    // Bits that would give somebody else's rights are never set.
    assert_eq!(ask(top, deep(true, Some(0o6600)), b"z").unwrap().facts.mode, 0o600);
}

#[test]
fn only_regular_files_are_written_over() {
    let place = tempfile::tempdir().unwrap();
    let top = place.path();
    fs::create_dir(top.join("directory")).unwrap();
    fs::write(top.join("real"), "r").unwrap();
    symlink("real", top.join("link")).unwrap();
    symlink("/tmp", top.join("out")).unwrap();
    for name in ["directory", "link", "", "real/below"] {
        assert_eq!(write(top, name, Expect::Anything, b"x"), Err(Why::Kind), "{name}");
    }
    assert_eq!(write(top, "out/x", Expect::Anything, b"x"), Err(Why::Outside));
    let cut = WriteQuery { path: path("cut"), expect: Expect::Anything, mode: None, parents: false, length: u64::MAX };
    assert_eq!(ask(top, cut, b"x"), Err(Why::TooMuch));
    only(top, &["directory", "link", "out", "real"]);
}

#[test]
fn of_many_who_write_over_what_they_have_read_no_one_is_lost() {
    let place = tempfile::tempdir().unwrap();
    let top = place.path();
    fs::write(top.join("count"), "").unwrap();
    // Each adds a line to what it has read, until that was still there.
    std::thread::scope(|scope| {
        for who in 0..4 {
            scope.spawn(move || {
                for line in 0..25 {
                    loop {
                        let read = fs::read(top.join("count")).unwrap();
                        let more = [&read[..], format!("{who}-{line}\n").as_bytes()].concat();
                        match write(top, "count", hash(&read), &more) {
                            Ok(_) => break,
                            Err(Why::Changed) => {}
                            Err(other) => panic!("{other:?}"),
                        }
                    }
                }
            });
        }
    });
    let text = fs::read_to_string(top.join("count")).unwrap();
    let mut lines: Vec<_> = text.lines().collect();
    lines.sort_unstable();
    lines.dedup();
    assert_eq!(lines.len(), 100, "lines are lost");
    only(top, &["count"]);
}
