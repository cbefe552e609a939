//! What is told of changes.

use super::asked::path;
use crate::verb::answer;
use capstan_types::files::document::{FilesDocument, FilesQuery, LeaveOut, WatchQuery};
use capstan_types::files::frame::Frame;
use capstan_types::files::report::{Change, Changes, FilesReport};
use capstan_types::path::AbsPath;
use std::fs;
use std::io::{PipeReader, PipeWriter, Read, pipe};
use std::os::fd::AsFd;
use std::path::Path;
use std::thread::JoinHandle;

/// A watch that runs beside.
struct Watched {
    arrived: Vec<u8>,
    out: PipeReader,
    /// Kept, so that it goes on.
    heard: Option<PipeWriter>,
    thread: Option<JoinHandle<()>>,
}

impl Watched {
    fn start(top: &Path, change: impl FnOnce(&mut WatchQuery)) -> Self {
        let ((out, mut told), (mut input, heard)) = (pipe().unwrap(), pipe().unwrap());
        let mut query = WatchQuery { path: path(""), leave: LeaveOut::Ignored, settle_ms: 50, directories: 1000 };
        change(&mut query);
        let document =
            FilesDocument { top: AbsPath::new(top).unwrap(), hidden: vec![path("hidden")], query: FilesQuery::Watch(query) };
        let thread = std::thread::spawn(move || {
            let fd = input.try_clone().unwrap();
            let _ = answer(&document, (&mut input, fd.as_fd()), &mut told);
        });
        Self { arrived: Vec::new(), out, heard: Some(heard), thread: Some(thread) }
    }

    fn next(&mut self) -> FilesReport {
        loop {
            match Frame::decode(&mut self.arrived).unwrap() {
                Some(Frame::Report(json)) => return serde_json::from_slice(&json).unwrap(),
                Some(Frame::Data(_)) => panic!("data"),
                None => {}
            }
            let mut more = [0; 4096];
            let count = self.out.read(&mut more).unwrap();
            assert!(count > 0, "the watch has ended");
            self.arrived.extend_from_slice(&more[..count]);
        }
    }

    /// Gathers what is told until a change of `last`.
    fn until(&mut self, last: &str) -> Vec<(String, Change)> {
        let mut all: Vec<(String, Change)> = Vec::new();
        while !all.iter().any(|(name, _)| name == last) {
            match self.next() {
                FilesReport::Changes(Changes { changes, overflow: false, .. }) => {
                    all.extend(changes.into_iter().map(|change| (change.path.to_string(), change.change)));
                }
                other => panic!("{other:?}"),
            }
        }
        all
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        drop(self.heard.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn named(changes: &[(String, Change)], name: &str) -> Option<Change> {
    changes.iter().rev().find(|(changed, _)| changed == name).map(|(_, change)| *change)
}

#[test]
fn changes_are_told_once_each_and_what_is_left_out_is_not() {
    let place = tempfile::tempdir().unwrap();
    let at = |name: &str| place.path().join(name);
    for directory in ["src", "target", "hidden", ".git"] {
        fs::create_dir(at(directory)).unwrap();
    }
    fs::write(at(".gitignore"), "target\n*.log\n").unwrap();
    fs::write(at("src/old"), "").unwrap();
    let mut watched = Watched::start(place.path(), |_| {});
    assert!(matches!(watched.next(), FilesReport::Watching(watching) if watching.directories == 2 && watching.unwatched == 0));
    for _ in 0..50 {
        fs::write(at("src/old"), "x").unwrap();
    }
    fs::write(at("target/x"), "").unwrap();
    fs::write(at("src/x.log"), "").unwrap();
    fs::write(at("hidden/x"), "").unwrap();
    fs::create_dir_all(at("src/new/deep")).unwrap();
    fs::write(at("src/new/deep/file"), "").unwrap();
    fs::rename(at("src/old"), at("src/renamed")).unwrap();
    fs::write(at("z-last"), "").unwrap();
    let told = watched.until("z-last");
    assert_eq!(named(&told, "src/old"), Some(Change::Removed));
    for made in ["src/new", "src/new/deep", "src/new/deep/file", "src/renamed"] {
        assert_eq!(named(&told, made), Some(Change::Made), "{made}: {told:?}");
    }
    assert!(
        !told.iter().any(|(name, _)| name.starts_with("target") || name.ends_with(".log") || name.starts_with("hidden")),
        "{told:?}"
    );
    // A directory that came to be is watched as well, and one that was moved is called by its new name.
    fs::rename(at("src/new"), at("moved")).unwrap();
    watched.until("moved");
    fs::write(at("moved/deep/again"), "").unwrap();
    assert_eq!(named(&watched.until("moved/deep/again"), "moved/deep/again"), Some(Change::Made));
}

#[test]
fn too_many_directories_are_counted_and_too_many_changes_are_told_as_a_loss() {
    let place = tempfile::tempdir().unwrap();
    for number in 0..20 {
        fs::create_dir(place.path().join(number.to_string())).unwrap();
    }
    let mut watched =
        Watched::start(place.path(), |query| (query.directories, query.settle_ms) = (11, WatchQuery::MOST_SETTLE_MS));
    assert!(matches!(watched.next(), FilesReport::Watching(watching) if watching.directories == 11 && watching.unwatched == 10));
    for number in 0..12_000 {
        fs::write(place.path().join(format!("f{number}")), "").unwrap();
    }
    assert!(matches!(watched.next(), FilesReport::Changes(changes) if changes.overflow));
}

#[test]
fn a_watch_ends_with_its_directory_and_with_whoever_asked() {
    let place = tempfile::tempdir().unwrap();
    fs::create_dir(place.path().join("d")).unwrap();
    let mut watched = Watched::start(place.path(), |query| query.path = path("d"));
    assert!(matches!(watched.next(), FilesReport::Watching(_)));
    fs::remove_dir(place.path().join("d")).unwrap();
    assert!(matches!(watched.next(), FilesReport::Done(_)));
    let mut watched = Watched::start(place.path(), |_| {});
    assert!(matches!(watched.next(), FilesReport::Watching(_)));
    // Joins its thread.
    drop(watched);
}
