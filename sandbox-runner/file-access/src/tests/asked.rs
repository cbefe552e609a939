//! Asking the verb, in this process.

use crate::verb::answer;
use capstan_types::files::document::{FilesDocument, FilesQuery, LeaveOut, ListQuery, Order, ReadQuery};
use capstan_types::files::frame::Frame;
use capstan_types::files::path::FilePath;
use capstan_types::files::report::{Done, FileEntry, FileFacts, FilesRefusal, FilesReport};
use capstan_types::path::AbsPath;
use std::fs::File;
use std::io::{Cursor, Read};
use std::os::fd::AsFd;
use std::path::Path;

/// All of an answer.
#[derive(Debug, Default)]
pub(super) struct Answered {
    pub(super) reports: Vec<FilesReport>,
    pub(super) data: Vec<u8>,
}

pub(super) fn path(text: impl AsRef<[u8]>) -> FilePath {
    FilePath::new(text.as_ref()).unwrap()
}

/// Asks, with a reader that takes everything at once.
pub(super) fn ask(top: &Path, query: FilesQuery) -> Answered {
    ask_with(top, query, &[], b"")
}

/// Asks where some paths are hidden, with some content behind the document.
pub(super) fn ask_with(top: &Path, query: FilesQuery, hidden: &[&str], content: &[u8]) -> Answered {
    let hidden = hidden.iter().map(path).collect();
    let document = FilesDocument { top: AbsPath::new(top).unwrap(), hidden, query };
    let mut input = Cursor::new(content.to_vec()).chain(std::io::repeat(b'+'));
    let nobody = File::open("/dev/null").unwrap();
    let mut output = Vec::new();
    answer(&document, (&mut input, nobody.as_fd()), &mut output).unwrap();
    told(output)
}

/// What the bytes of an answer say.
pub(super) fn told(mut output: Vec<u8>) -> Answered {
    let mut answered = Answered::default();
    while let Some(frame) = Frame::decode(&mut output).unwrap() {
        match frame {
            Frame::Report(json) => answered.reports.push(serde_json::from_slice(&json).unwrap()),
            Frame::Data(bytes) => answered.data.extend(bytes),
        }
    }
    assert!(output.is_empty(), "half a frame");
    answered
}

impl Answered {
    pub(super) fn entries(&self) -> Vec<FileEntry> {
        let lists =
            self.reports.iter().filter_map(|report| if let FilesReport::Entries(list) = report { Some(list) } else { None });
        lists.flatten().cloned().collect()
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.entries().iter().map(|entry| entry.path.to_string()).collect()
    }

    pub(super) fn done(&self) -> Done {
        match self.reports.last() {
            Some(FilesReport::Done(done)) => done.clone(),
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn refused(&self) -> FilesRefusal {
        match &self.reports[..] {
            [FilesReport::Refused(refusal)] => refusal.clone(),
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn facts(&self) -> FileFacts {
        match self.reports.first() {
            Some(FilesReport::File(facts)) => facts.clone(),
            other => panic!("{other:?}"),
        }
    }
}

pub(super) fn read_of(text: impl AsRef<[u8]>) -> FilesQuery {
    FilesQuery::Read(ReadQuery { path: path(text), offset: 0, length: 1 << 20, hash: false })
}

pub(super) fn list_of(text: &str) -> ListQuery {
    ListQuery { path: path(text), depth: 100, leave: LeaveOut::Nothing, order: Order::Sorted, limit: 1_000_000, after: None }
}
