//! A file with another content: whole or not at all, and over nothing that nobody has seen.
//!
//! The content is written beside the file first. Where a certain content is expected, the two files are exchanged, and only then is it looked
//! at what was there: if that is not what was expected, they are exchanged back. So what somebody wrote a moment before is not lost. Those
//! who write by this program take turns, since nobody may take for the truth what is about to be exchanged back.

mod parents;
mod turn;

use crate::beneath::{Last, Place, Top, open_file};
use crate::facts::{self, Stamp};
use crate::hash::{sha256, sha256_of};
use crate::refusal::{Answer, refusal, refused};
use capstan_types::files::document::{Expect, MOST_HASHED, MOST_WRITTEN, WriteQuery};
use capstan_types::files::report::{FileFacts, FileKind, Why, Written};
use rustix::fs::{AtFlags, Mode, OFlags, RenameFlags, fchmod, openat, renameat_with, unlinkat};
use rustix::io::Errno;
use std::ffi::{CStr, CString};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;

/// How the files begin that are written beside others. One that is left over was left by a program that was killed.
const BESIDE: &str = ".capstan-writes-";

/// How often another name is tried beside a file.
const TRIES: u32 = 16;

/// Writes what `content` holds.
pub(crate) fn write(top: &Top, query: &WriteQuery, content: &mut dyn Read) -> Answer<Written> {
    let failed = |error: io::Error| refused(&query.path, "written", &error);
    let content = received(query, content)?;
    if query.path.is_top() {
        return Err(refusal(Why::Kind, "the workspace's top is a directory; name a file in it"));
    }
    if query.parents {
        parents::make(top, &query.path).map_err(failed)?;
    }
    let place = top.follow(&query.path, Last::Itself).map_err(failed)?;
    // Held to the end: of those who write by this program, one at a time sees what is there and puts something in its place.
    let _turn = turn::take(&place, &query.path)?;
    let before = Before::look(&place, query)?;
    if let Some(facts) = before.is_written(query, &content) {
        return Ok(Written { created: false, facts });
    }
    before.fits(query)?;
    let beside = Beside::write(&place, query, &before, &content).map_err(failed)?;
    beside.put(&place, query, &before)
}

fn received(query: &WriteQuery, content: &mut dyn Read) -> Answer<Vec<u8>> {
    if query.length > MOST_WRITTEN {
        return Err(refusal(Why::TooMuch, format!("at most {MOST_WRITTEN} bytes are written at once, not {}", query.length)));
    }
    let mut bytes = Vec::new();
    let read = content.take(query.length).read_to_end(&mut bytes);
    match read {
        Ok(count) if count as u64 == query.length => Ok(bytes),
        // The caller went away in the middle.
        Ok(_) => Err(refusal(Why::Question, "the content was cut off; nothing was written")),
        Err(error) => Err(refusal(Why::Host, format!("the content could not be read: {error}; nothing was written"))),
    }
}

/// What is there before.
enum Before {
    Nothing,
    File { facts: FileFacts, stamp: Stamp, hash: Option<String> },
}

impl Before {
    fn look(place: &Place, query: &WriteQuery) -> Answer<Self> {
        let failed = |error: io::Error| refused(&query.path, "written", &error);
        let facts = match facts::facts(&*place.directory, &place.name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::Nothing),
            facts => facts.map_err(failed)?,
        };
        if facts.kind != FileKind::File {
            let (path, kind) = (&query.path, crate::read::called(facts.kind));
            return Err(refusal(Why::Kind, format!("`{path}` is {kind}; only regular files are written over")));
        }
        if !matches!(query.expect, Expect::Hash(_)) {
            let stamp = facts::stamp_at(&*place.directory, &place.name).map_err(failed)?;
            return Ok(Self::File { facts, stamp, hash: None });
        }
        match open_file(&*place.directory, &place.name).map_err(failed)? {
            Ok(file) => {
                let file = File::from(file);
                let stamp = facts::stamp_of(&file).map_err(failed)?;
                let hash = if facts.size <= MOST_HASHED { sha256(&file, MOST_HASHED).map_err(failed)? } else { None };
                Ok(Self::File { facts, stamp, hash })
            }
            Err(_) => Err(refusal(Why::Changed, format!("`{}` is being replaced now; read it again", query.path))),
        }
    }

    /// What is there, if it is what is to be written over the file that was expected: then an earlier request has done it.
    fn is_written(&self, query: &WriteQuery, content: &[u8]) -> Option<FileFacts> {
        let (Self::File { facts, hash: Some(hash), .. }, Expect::Hash(_)) = (self, &query.expect) else { return None };
        let is_mode = query.mode.is_none_or(|mode| mode == facts.mode);
        (is_mode && *hash == sha256_of(content)).then(|| FileFacts { hash: Some(hash.clone()), ..facts.clone() })
    }

    fn fits(&self, query: &WriteQuery) -> Answer<()> {
        let path = &query.path;
        match (self, &query.expect) {
            (_, Expect::Anything) | (Self::Nothing, Expect::Absent) => Ok(()),
            (Self::File { .. }, Expect::Absent) => {
                Err(refusal(Why::Changed, format!("`{path}` is there already; read it, and write over what you have read")))
            }
            (Self::Nothing, Expect::Hash(_)) => Err(refusal(Why::Missing, format!("`{path}` is not there any more"))),
            (Self::File { hash, .. }, Expect::Hash(expected)) if hash.as_ref() == Some(expected) => Ok(()),
            (Self::File { .. }, Expect::Hash(_)) => Err(changed(query)),
        }
    }
}

fn changed(query: &WriteQuery) -> capstan_types::files::report::FilesRefusal {
    refusal(Why::Changed, format!("`{}` is not as it was read; read it again, and write over that", query.path))
}

/// The new file, beside the place where it belongs. What is not put there is removed.
struct Beside<'a> {
    directory: &'a OwnedFd,
    name: CString,
    file: File,
}

impl<'a> Beside<'a> {
    fn write(place: &'a Place, query: &WriteQuery, before: &Before, content: &[u8]) -> io::Result<Self> {
        let beside = Self::make(&place.directory)?;
        let mode = match (query.mode, before) {
            (Some(mode), _) => Some(mode & 0o777),
            (None, Before::File { facts, .. }) => Some(facts.mode & 0o777),
            (None, Before::Nothing) => None,
        };
        (&beside.file).write_all(content)?;
        if let Some(mode) = mode {
            fchmod(&beside.file, Mode::from_raw_mode(mode.into()))?;
        }
        beside.file.sync_data()?;
        Ok(beside)
    }

    fn make(directory: &'a OwnedFd) -> io::Result<Self> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        for _ in 0..TRIES {
            let name = CString::new(format!("{BESIDE}{:016x}", fastrand::u64(..)))?;
            match openat(directory, &name, flags, Mode::from_raw_mode(0o666)) {
                Ok(file) => return Ok(Self { directory, name, file: file.into() }),
                Err(Errno::EXIST) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Errno::EXIST.into())
    }

    fn put(self, place: &Place, query: &WriteQuery, before: &Before) -> Answer<Written> {
        let name = &place.name;
        match (&query.expect, before) {
            (Expect::Hash(_), Before::File { stamp, .. }) => self.exchange(name, query, *stamp)?,
            (Expect::Absent, _) => self.rename(name, RenameFlags::NOREPLACE, query)?,
            (Expect::Anything | Expect::Hash(_), _) => self.rename(name, RenameFlags::empty(), query)?,
        }
        let facts = facts::facts_of(&self.file).map_err(|error| refused(&query.path, "looked at", &error))?;
        Ok(Written { created: matches!(before, Before::Nothing), facts })
    }

    fn rename(&self, name: &CStr, flags: RenameFlags, query: &WriteQuery) -> Answer<()> {
        match renameat_with(self.directory, &self.name, self.directory, name, flags) {
            Err(Errno::EXIST) => Err(changed(query)),
            done => done.map_err(|error| refused(&query.path, "written", &error.into())),
        }
    }

    /// Puts it where the file is that was seen, or leaves everything as it is.
    fn exchange(&self, name: &CStr, query: &WriteQuery, seen: Stamp) -> Answer<()> {
        let swap = || renameat_with(self.directory, &self.name, self.directory, name, RenameFlags::EXCHANGE);
        match swap() {
            Ok(()) => {}
            Err(Errno::NOENT) => return Err(changed(query)),
            // The file system cannot exchange: then it is looked at shortly before.
            Err(Errno::INVAL | Errno::NOSYS) => {
                let now = facts::stamp_at(self.directory, name).ok();
                return if now == Some(seen) { self.rename(name, RenameFlags::empty(), query) } else { Err(changed(query)) };
            }
            Err(error) => return Err(refused(&query.path, "written", &error.into())),
        }
        // What was there is beside now, and goes when this is dropped.
        if facts::stamp_at(self.directory, &self.name).ok() == Some(seen) {
            return Ok(());
        }
        swap().map_err(|error| refused(&query.path, "put back", &error.into()))?;
        Err(changed(query))
    }
}

impl Drop for Beside<'_> {
    fn drop(&mut self) {
        let _ = unlinkat(self.directory, &self.name, AtFlags::empty());
    }
}
