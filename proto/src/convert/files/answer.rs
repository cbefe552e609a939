//! What is answered in parts. A report that is no part of such an answer is an error.

use super::enums::{change, change_read, stopped, stopped_read};
use super::facts::facts;
use super::path;
use crate::convert::Malformed;
use crate::wire::files as wire;
use bytes::Bytes;
use capstan_types::files::path::FilePath;
use capstan_types::files::raw_text::RawText;
use capstan_types::files::report::{Changes, Done, FileEntry, FilesReport, PathChange, SearchHit, Watching};
use capstan_types::tree_document::Skipped;

fn other() -> Malformed {
    Malformed::new("part", "it answers another question")
}

fn bytes(path: &FilePath) -> Bytes {
    Bytes::copy_from_slice(path.as_bytes())
}

impl TryFrom<FilesReport> for wire::ListPart {
    type Error = Malformed;

    fn try_from(report: FilesReport) -> Result<Self, Malformed> {
        use wire::list_part::Part;
        let part = match report {
            FilesReport::Entries(entries) => {
                Part::Entries(wire::FileEntries { entries: entries.into_iter().map(Into::into).collect() })
            }
            FilesReport::Done(done) => Part::Done(done.into()),
            _ => return Err(other()),
        };
        Ok(Self { part: Some(part) })
    }
}

impl TryFrom<wire::ListPart> for FilesReport {
    type Error = Malformed;

    fn try_from(wire: wire::ListPart) -> Result<Self, Malformed> {
        use wire::list_part::Part;
        Ok(match wire.part.ok_or_else(|| Malformed::missing("part"))? {
            Part::Entries(list) => Self::Entries(list.entries.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?),
            Part::Done(done) => Self::Done(done.try_into()?),
        })
    }
}

impl TryFrom<FilesReport> for wire::SearchPart {
    type Error = Malformed;

    fn try_from(report: FilesReport) -> Result<Self, Malformed> {
        use wire::search_part::Part;
        let part = match report {
            FilesReport::Hits(hits) => Part::Hits(wire::SearchHits { hits: hits.into_iter().map(Into::into).collect() }),
            FilesReport::Done(done) => Part::Done(done.into()),
            _ => return Err(other()),
        };
        Ok(Self { part: Some(part) })
    }
}

impl TryFrom<wire::SearchPart> for FilesReport {
    type Error = Malformed;

    fn try_from(wire: wire::SearchPart) -> Result<Self, Malformed> {
        use wire::search_part::Part;
        Ok(match wire.part.ok_or_else(|| Malformed::missing("part"))? {
            Part::Hits(list) => Self::Hits(list.hits.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?),
            Part::Done(done) => Self::Done(done.try_into()?),
        })
    }
}

impl TryFrom<FilesReport> for wire::WatchPart {
    type Error = Malformed;

    fn try_from(report: FilesReport) -> Result<Self, Malformed> {
        use wire::watch_part::Part;
        let part = match report {
            FilesReport::Watching(Watching { directories, unwatched }) => {
                Part::Watching(wire::Watching { directories, unwatched })
            }
            FilesReport::Changes(Changes { changes, overflow, unwatched }) => {
                let named =
                    |PathChange { path, change: what }| wire::PathChange { path: bytes(&path), change: change(what).into() };
                Part::Changes(wire::Changes { changes: changes.into_iter().map(named).collect(), overflow, unwatched })
            }
            FilesReport::Done(done) => Part::Done(done.into()),
            _ => return Err(other()),
        };
        Ok(Self { part: Some(part) })
    }
}

impl TryFrom<wire::WatchPart> for FilesReport {
    type Error = Malformed;

    fn try_from(wire: wire::WatchPart) -> Result<Self, Malformed> {
        use wire::watch_part::Part;
        Ok(match wire.part.ok_or_else(|| Malformed::missing("part"))? {
            Part::Watching(wire::Watching { directories, unwatched }) => Self::Watching(Watching { directories, unwatched }),
            Part::Changes(wire::Changes { changes, overflow, unwatched }) => {
                let read = |wire: wire::PathChange| -> Result<PathChange, Malformed> {
                    Ok(PathChange { path: path("changes.path", &wire.path)?, change: change_read(wire.change)? })
                };
                Self::Changes(Changes { changes: changes.into_iter().map(read).collect::<Result<_, _>>()?, overflow, unwatched })
            }
            Part::Done(done) => Self::Done(done.try_into()?),
        })
    }
}

impl From<FileEntry> for wire::FileEntry {
    fn from(entry: FileEntry) -> Self {
        let target = entry.target.map(|target| Bytes::from(target.0)).unwrap_or_default();
        Self { path: bytes(&entry.path), facts: Some(entry.facts.into()), target }
    }
}

impl TryFrom<wire::FileEntry> for FileEntry {
    type Error = Malformed;

    fn try_from(wire: wire::FileEntry) -> Result<Self, Malformed> {
        let target = Some(wire.target).filter(|target| !target.is_empty()).map(|target| RawText(target.into()));
        Ok(Self { path: path("entries.path", &wire.path)?, facts: facts(wire.facts)?, target })
    }
}

impl From<SearchHit> for wire::SearchHit {
    fn from(hit: SearchHit) -> Self {
        let SearchHit { path, line, text, cut, around, count } = hit;
        Self { path: bytes(&path), line, text: text.0.into(), cut, around, count }
    }
}

impl TryFrom<wire::SearchHit> for SearchHit {
    type Error = Malformed;

    fn try_from(wire: wire::SearchHit) -> Result<Self, Malformed> {
        let wire::SearchHit { path: name, line, text, cut, around, count } = wire;
        Ok(Self { path: path("hits.path", &name)?, line, text: RawText(text.into()), cut, around, count })
    }
}

impl From<Done> for wire::Done {
    fn from(done: Done) -> Self {
        let Done { stopped: why, told, searched, passed_over, skipped } = done;
        let named = skipped.named.into_iter().map(|(path, reason)| wire::SkippedFile { path, reason });
        Self { stopped: stopped(why).into(), told, searched, passed_over, skipped: skipped.count, skipped_files: named.collect() }
    }
}

impl TryFrom<wire::Done> for Done {
    type Error = Malformed;

    fn try_from(wire: wire::Done) -> Result<Self, Malformed> {
        let named = wire.skipped_files.into_iter().map(|skipped| (skipped.path, skipped.reason)).collect();
        Ok(Self {
            stopped: stopped_read(wire.stopped)?,
            told: wire.told,
            searched: wire.searched,
            passed_over: wire.passed_over,
            skipped: Skipped { count: wire.skipped, named },
        })
    }
}
