//! A part of a file.

use crate::beneath::{self, Last, Top};
use crate::facts;
use crate::hash::sha256;
use crate::out::Out;
use crate::refusal::{Answer, refusal, refused};
use capstan_types::files::document::{MOST_HASHED, MOST_READ, ReadQuery};
use capstan_types::files::path::FilePath;
use capstan_types::files::report::{Done, FileFacts, FileKind, FilesReport, Why};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// Reads what is asked for, and tells it.
pub(crate) fn read(top: &Top, query: &ReadQuery, out: &mut Out<'_>) -> io::Result<()> {
    match part(top, query) {
        Ok((facts, bytes)) => {
            out.tell(&FilesReport::File(facts))?;
            out.data(&bytes)?;
            out.tell(&FilesReport::Done(Done::default()))
        }
        Err(refusal) => out.tell(&FilesReport::Refused(refusal)),
    }
}

fn part(top: &Top, query: &ReadQuery) -> Answer<(FileFacts, Vec<u8>)> {
    let file = open(top, &query.path)?;
    let failed = |error: io::Error| refused(&query.path, "read", &error);
    let mut facts = facts::facts_of(&file).map_err(failed)?;
    if query.hash {
        // By its length, so that a file with a hole of a tebibyte is not read to find out.
        let hash = if facts.size <= MOST_HASHED { sha256(&file, MOST_HASHED).map_err(failed)? } else { None };
        facts.hash = Some(hash.ok_or_else(|| too_large(&query.path))?);
    }
    let bytes = bytes(&file, query.offset, query.length.min(MOST_READ)).map_err(failed)?;
    Ok((facts, bytes))
}

fn too_large(path: &FilePath) -> capstan_types::files::report::FilesRefusal {
    refusal(Why::TooMuch, format!("`{path}` is larger than {MOST_HASHED} bytes, of which no hash is told; read it without one"))
}

/// Opens a regular file. Anything else is refused by what it is.
pub(crate) fn open(top: &Top, path: &FilePath) -> Answer<File> {
    let failed = |error: io::Error| refused(path, "read", &error);
    let place = top.follow(path, Last::Followed).map_err(failed)?;
    match beneath::open_file(&*place.directory, &place.name).map_err(failed)? {
        Ok(file) => Ok(file.into()),
        Err(kind) => Err(refusal(Why::Kind, format!("`{path}` is {}; only regular files are read", called(kind)))),
    }
}

/// What people call it.
pub(crate) const fn called(kind: FileKind) -> &'static str {
    match kind {
        FileKind::File => "a file",
        FileKind::Directory => "a directory",
        FileKind::Link => "a symbolic link",
        FileKind::Pipe => "a named pipe",
        FileKind::Socket => "a socket",
        FileKind::Device => "a device",
    }
}

fn bytes(file: &File, offset: u64, length: u64) -> io::Result<Vec<u8>> {
    let length = usize::try_from(length).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
    let (mut bytes, mut filled) = (vec![0; length], 0);
    while filled < length {
        let Some(at) = offset.checked_add(filled as u64).filter(|at| i64::try_from(*at).is_ok()) else { break };
        match file.read_at(&mut bytes[filled..], at) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}
