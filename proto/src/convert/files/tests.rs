use super::*;
use crate::wire::files as wire;
use bytes::Bytes;
use capstan_types::files::document::{
    Case, Expect, LeaveOut, ListQuery, Order, ReadQuery, SearchQuery, Tell, WatchQuery, WriteQuery,
};
use capstan_types::files::raw_text::RawText;
use capstan_types::files::report::{
    Change, Changes, Done, FileEntry, FileFacts, FileKind, FilesReport, PathChange, SearchHit, Stopped, Watching, Written,
};
use capstan_types::tree_document::Skipped;

fn named(text: &[u8]) -> FilePath {
    FilePath::new(text).unwrap()
}

fn facts() -> FileFacts {
    FileFacts { kind: FileKind::Link, size: 9, allocated: 4096, mode: 0o755, modified_ms: -5, hash: Some("ab".into()) }
}

#[test]
fn what_is_asked_arrives_as_it_was_asked() {
    let read = ReadQuery { path: named(b"a/\xff"), offset: 3, length: 7, hash: true };
    assert_eq!(query::<_, ReadQuery>(Some(wire::ReadQuery::from(&read))).unwrap(), read);
    let list = ListQuery {
        path: named(b"a"),
        depth: 4,
        leave: LeaveOut::Nothing,
        order: Order::Sorted,
        limit: 12,
        after: Some(named(b"a/b")),
    };
    assert_eq!(query::<_, ListQuery>(Some(wire::ListQuery::from(&list))).unwrap(), list);
    let search = SearchQuery {
        path: named(b""),
        pattern: "x+".into(),
        fixed: true,
        case: Case::Smart,
        globs: vec!["*.rs".into()],
        leave: LeaveOut::Ignored,
        tell: Tell::Counts,
        before: 1,
        after: 2,
        limit: 3,
        file_bytes: 4,
        time_ms: 5,
    };
    assert_eq!(query::<_, SearchQuery>(Some(wire::SearchQuery::from(&search))).unwrap(), search);
    let watch = WatchQuery { path: named(b"src"), leave: LeaveOut::Nothing, settle_ms: 7, directories: 9 };
    assert_eq!(query::<_, WatchQuery>(Some(wire::WatchQuery::from(&watch))).unwrap(), watch);
    for expect in [Expect::Absent, Expect::Anything, Expect::Hash("0".repeat(64))] {
        let write = WriteQuery { path: named(b"a"), expect, mode: Some(0o600), parents: true, length: 2 };
        let data = Bytes::from_static(b"xy");
        assert_eq!(query::<_, (WriteQuery, Bytes)>(Some(wire::WriteQuery::from((&write, data.clone())))).unwrap(), (write, data));
    }
}

#[test]
fn what_is_not_said_is_the_usual_and_what_is_too_much_is_less() {
    let list: ListQuery = query(Some(wire::ListQuery::default())).unwrap();
    assert_eq!((list.depth, list.limit, list.order, list.leave), (1, 1000, Order::Sorted, LeaveOut::Ignored));
    let read: ReadQuery = query(Some(wire::ReadQuery { length: u64::MAX, ..Default::default() })).unwrap();
    assert_eq!(read.length, 4 << 20);
    let pattern = || "x".to_owned();
    let search: SearchQuery =
        query(Some(wire::SearchQuery { pattern: pattern(), time_ms: u64::MAX, ..Default::default() })).unwrap();
    assert_eq!((search.limit, search.file_bytes, search.time_ms), (1000, 64 << 20, 120_000));
}

#[test]
fn what_makes_no_sense_is_said() {
    let said = |error: Malformed| error.to_string();
    let up = query::<_, ReadQuery>(Some(wire::ReadQuery { path: "../x".into(), ..Default::default() })).unwrap_err();
    assert!(said(up).contains("`..`"));
    assert!(query::<_, ReadQuery>(None::<wire::ReadQuery>).is_err());
    assert!(query::<_, SearchQuery>(Some(wire::SearchQuery::default())).is_err(), "no pattern");
    let unsorted = wire::ListQuery { order: wire::Order::AsFound.into(), after: "a".into(), ..Default::default() };
    assert!(query::<_, ListQuery>(Some(unsorted)).is_err());
    assert!(query::<_, ListQuery>(Some(wire::ListQuery { order: 77, ..Default::default() })).is_err());
    for expect in [None, Some(wire::write_query::Expect::Hash("short".into())), Some(wire::write_query::Expect::Absent(false))] {
        let write = wire::WriteQuery { path: "a".into(), expect, ..Default::default() };
        assert!(query::<_, (WriteQuery, Bytes)>(Some(write)).is_err());
    }
}

#[test]
fn what_is_answered_arrives_as_it_was_answered() {
    let done = Done {
        stopped: Some(Stopped::Bytes),
        told: 1,
        searched: 2,
        passed_over: 3,
        skipped: Skipped { count: 4, named: vec![("a".into(), "why".into())] },
    };
    let entry = FileEntry { path: named(b"\xfe"), facts: facts(), target: Some(RawText(b"t".to_vec())) };
    for report in [FilesReport::Entries(vec![entry]), FilesReport::Done(done.clone())] {
        assert_eq!(FilesReport::try_from(wire::ListPart::try_from(report.clone()).unwrap()).unwrap(), report);
    }
    let hit = SearchHit { path: named(b"a"), line: 3, text: RawText(b"x".to_vec()), cut: 1, around: true, count: 7 };
    for report in [FilesReport::Hits(vec![hit]), FilesReport::Done(done.clone())] {
        assert_eq!(FilesReport::try_from(wire::SearchPart::try_from(report.clone()).unwrap()).unwrap(), report);
    }
    let changes =
        Changes { changes: vec![PathChange { path: named(b"a"), change: Change::Altered }], overflow: true, unwatched: 2 };
    let watching = Watching { directories: 3, unwatched: 4 };
    for report in [FilesReport::Watching(watching), FilesReport::Changes(changes), FilesReport::Done(done)] {
        assert_eq!(FilesReport::try_from(wire::WatchPart::try_from(report.clone()).unwrap()).unwrap(), report);
    }
    let written = Written { created: true, facts: facts() };
    assert_eq!(Written::try_from(wire::WriteAnswer::from(written.clone())).unwrap(), written);
    assert!(wire::ListPart::try_from(FilesReport::Hits(Vec::new())).is_err(), "another question's answer");
}
