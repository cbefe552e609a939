//! Workspaces that lead elsewhere.

use super::asked::{ask, list_of, path, read_of};
use capstan_types::files::document::{Expect, FilesQuery, WriteQuery};
use capstan_types::files::report::{FilesReport, Why};
use rustix::fs::{CWD, RenameFlags, renameat_with};
use std::fs;
use std::os::unix::fs::symlink;
use std::sync::atomic::{AtomicBool, Ordering};

#[test]
fn a_link_is_followed_as_far_as_it_stays_in_the_workspace() {
    let place = tempfile::tempdir().unwrap();
    let top = place.path().join("top");
    fs::create_dir_all(top.join("a/b")).unwrap();
    fs::write(place.path().join("secret"), "outside").unwrap();
    fs::write(top.join("a/inside"), "inside").unwrap();
    let links = [
        ("near", "a/inside"),
        ("a/b/up", "../../a/inside"),
        ("out", "../secret"),
        ("deep-out", "a/../../secret"),
        ("whole", "/etc/passwd"),
        ("loop", "loop"),
        ("magic", "/proc/self/root/etc/passwd"),
        ("a/around", "../../top/a/inside"),
    ];
    for (link, target) in links {
        symlink(target, top.join(link)).unwrap();
    }
    symlink(place.path(), top.join("directory")).unwrap();
    for inside in ["near", "a/b/up"] {
        assert_eq!(ask(&top, read_of(inside)).data, b"inside", "{inside}");
    }
    for outside in ["out", "deep-out", "whole", "loop", "magic", "directory/secret", "a/around"] {
        let answered = ask(&top, read_of(outside));
        assert_eq!(answered.refused().why, Why::Outside, "{outside}");
    }
    let listed = ask(&top, FilesQuery::List(list_of("")));
    assert!(!listed.names().iter().any(|name| name.contains("secret")), "{listed:?}");
    assert_eq!(ask(&top, FilesQuery::List(list_of("directory"))).refused().why, Why::Outside);
}

struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn whoever_swaps_directories_and_links_all_the_time_leads_nobody_out() {
    let place = tempfile::tempdir().unwrap();
    let (top, outside) = (place.path().join("top"), place.path().join("outside"));
    fs::create_dir_all(top.join("d")).unwrap();
    fs::create_dir_all(&outside).unwrap();
    fs::write(top.join("d/f"), "inside").unwrap();
    fs::write(outside.join("f"), "secret").unwrap();
    fs::write(outside.join("marker"), "").unwrap();
    symlink(&outside, top.join("l")).unwrap();
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                renameat_with(CWD, top.join("d"), CWD, top.join("l"), RenameFlags::EXCHANGE).unwrap();
            }
        });
        // Also when an assertion fails: else the test would wait for the thread.
        let _over = Over(&over);
        let (mut inside, mut refused) = (0, 0);
        for round in 0.. {
            let answered = ask(&top, read_of("d/f"));
            match answered.reports.first() {
                Some(FilesReport::File(_)) => {
                    assert_eq!(answered.data, b"inside");
                    inside += 1;
                }
                Some(FilesReport::Refused(_)) => refused += 1,
                other => panic!("{other:?}"),
            }
            let listed = ask(&top, FilesQuery::List(list_of("")));
            assert!(!listed.names().iter().any(|name| name.ends_with("marker")), "{listed:?}");
            let write = WriteQuery { path: path("d/new"), expect: Expect::Anything, mode: None, parents: true, length: 1 };
            super::asked::ask_with(&top, FilesQuery::Write(write), &[], b"x");
            assert!(!outside.join("new").exists(), "something was written outside");
            if round > 300 && inside > 20 && refused > 20 || round > 20_000 {
                break;
            }
        }
        assert!(inside > 0 && refused > 0, "{inside} {refused}: nothing was swapped in the middle");
    });
}
