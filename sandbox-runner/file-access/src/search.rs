//! Lines that match a pattern, found by ripgrep's libraries.
//!
//! What is no text is passed over, and so is what is too long. Where there is more than may be told, it is said why.

mod findings;
mod pattern;

use crate::beneath::{self, Last, Top};
use crate::out::Out;
use crate::refusal::{Answer, refused};
use crate::walk::{Walk, Way, is_hidden};
use capstan_types::files::document::{MOST_AROUND, MOST_DEPTH, MOST_HITS, MOST_SEARCHING_MS, Order, SearchQuery};
use capstan_types::files::path::FilePath;
use capstan_types::files::report::{Done, FileKind, FilesReport};
use findings::{Findings, InFile};
use grep_regex::RegexMatcher;
use grep_searcher::{BinaryDetection, Searcher, SearcherBuilder};
use ignore::overrides::Override;
use rustix::io::Errno;
use std::ffi::{CStr, OsStr};
use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::{Duration, Instant};

/// The longest line that is searched, in bytes. A file with a longer one is not searched to its end.
const LONGEST_LINE: usize = 16 << 20;

/// Searches, and tells what it finds.
pub(crate) fn search(top: &Top, query: &SearchQuery, hidden: &[FilePath], out: &mut Out<'_>) -> io::Result<()> {
    match Search::of(query) {
        Ok(search) => search.run(top, query, hidden, out),
        Err(refusal) => out.tell(&FilesReport::Refused(refusal)),
    }
}

struct Search {
    matcher: RegexMatcher,
    globs: Override,
    searcher: Searcher,
    findings: Findings,
}

impl Search {
    fn of(query: &SearchQuery) -> Answer<Self> {
        let searcher = SearcherBuilder::new()
            .line_number(true)
            .binary_detection(BinaryDetection::quit(0))
            .heap_limit(Some(LONGEST_LINE))
            .before_context(query.before.min(MOST_AROUND).into())
            .after_context(query.after.min(MOST_AROUND).into())
            .build();
        let until = Instant::now() + Duration::from_millis(query.time_ms.min(MOST_SEARCHING_MS));
        Ok(Self {
            matcher: pattern::matcher(query)?,
            globs: pattern::globs(&query.globs)?,
            searcher,
            findings: Findings::new(query.tell, query.limit.min(MOST_HITS), until),
        })
    }

    fn run(mut self, top: &Top, query: &SearchQuery, hidden: &[FilePath], out: &mut Out<'_>) -> io::Result<()> {
        let way = Way { leave: query.leave, hidden, order: Order::Sorted, depth: MOST_DEPTH, after: None };
        let mut skipped = match self.single(top, query, hidden, out)? {
            Single::Refused(refusal) => return out.tell(&FilesReport::Refused(refusal)),
            Single::Searched => capstan_types::tree_document::Skipped::default(),
            Single::Directory => {
                let mut walk = match Walk::below(top, &query.path, way) {
                    Ok(walk) => walk,
                    Err(refusal) => return out.tell(&FilesReport::Refused(refusal)),
                };
                while let Some(found) = walk.next() {
                    if self.findings.are_over() {
                        break;
                    }
                    if found.facts.kind != FileKind::File || !self.is_wanted(&found.path) {
                        continue;
                    }
                    if found.facts.size > query.file_bytes {
                        self.findings.pass_over();
                        continue;
                    }
                    let searched = match walk.directory() {
                        Some(directory) => self.file(directory, &found.name, &found.path, out),
                        None => Ok(()),
                    };
                    match searched {
                        Err(Failed::Out(error)) => return Err(error),
                        Err(Failed::File(reason)) => walk.skipped.note(found.path.to_string(), reason),
                        Ok(()) => {}
                    }
                }
                walk.skipped
            }
        };
        skipped.named.truncate(20);
        self.findings.flush(out)?;
        out.tell(&FilesReport::Done(Done { skipped, ..self.findings.done() }))
    }

    /// Searches the one file that was named. It is searched although it is ignored, and whatever the globs say.
    fn single(&mut self, top: &Top, query: &SearchQuery, hidden: &[FilePath], out: &mut Out<'_>) -> io::Result<Single> {
        let path = &query.path;
        let failed = |error: io::Error| Single::Refused(refused(path, "searched", &error));
        if is_hidden(hidden, path) {
            return Ok(failed(Errno::NOENT.into()));
        }
        let place = match top.follow(path, Last::Followed) {
            Ok(place) => place,
            Err(error) => return Ok(failed(error)),
        };
        match beneath::open_file(&*place.directory, &place.name) {
            Ok(Err(FileKind::Directory)) => return Ok(Single::Directory),
            Err(error) => return Ok(failed(error)),
            Ok(_) => {}
        }
        match self.file(&*place.directory, &place.name, path, out) {
            Err(Failed::Out(error)) => Err(error),
            Err(Failed::File(reason)) => Ok(failed(io::Error::other(reason))),
            Ok(()) => Ok(Single::Searched),
        }
    }

    fn is_wanted(&self, path: &FilePath) -> bool {
        !self.globs.matched(Path::new(OsStr::from_bytes(path.as_bytes())), false).is_ignore()
    }

    fn file(&mut self, directory: impl AsFd, name: &CStr, path: &FilePath, out: &mut Out<'_>) -> Result<(), Failed> {
        let file = match beneath::open_file(directory, name) {
            Ok(Ok(file)) => File::from(file),
            // Something else took its place, or it went away.
            Ok(Err(_)) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(Failed::File(error.to_string())),
        };
        let mut sink = InFile::new(&mut self.findings, path, out);
        let searched = self.searcher.search_file(&self.matcher, &file, &mut sink);
        let unheard = sink.finish()?;
        match (searched, unheard) {
            (_, Some(error)) => Err(Failed::Out(error)),
            (Err(error), None) => Err(Failed::File(error.to_string())),
            (Ok(()), None) => Ok(()),
        }
    }
}

/// What became of the path that was named.
enum Single {
    Refused(capstan_types::files::report::FilesRefusal),
    Searched,
    Directory,
}

/// Why a file was not searched to its end.
enum Failed {
    /// Nobody hears what is found.
    Out(io::Error),
    /// The file could not be read.
    File(String),
}

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Self {
        Self::Out(error)
    }
}
