//! The journal's file: opened or begun, added to, and written anew when it is mostly dead.
//!
//! Room is taken ahead in segments of zeros, so that what brings a frame to the disk writes no metadata. A frame that could not be written
//! whole is written over by the next. The last of the room is for what ends something: it must be written down on a full disk as well. After a failed sync nothing is known of what the disk has, so the file is written anew.

use super::entry::Entry;
use super::frame::{self, Distrust};
use super::tables::Tables;
use crate::config::JournalSync;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// How much room is taken at once, in bytes.
const SEGMENT: u64 = 256 << 10;

/// How much of the room nothing that begins may use, in bytes: some thousand ends.
const SPARE: u64 = 192 << 10;

/// How long the file may get before it is looked at whether most of it is dead, in bytes.
const WORTH_COMPACTING: u64 = 1 << 20;

/// The longest file that is read, in bytes.
const LONGEST: u64 = 1 << 30;

/// A journal that can be added to.
#[derive(Debug)]
pub(super) struct JournalFile {
    path: PathBuf,
    file: File,
    sync: JournalSync,
    /// Where the next frame goes.
    end: u64,
    /// How far room is taken.
    room: u64,
    /// The end at which it is written anew.
    compact_at: u64,
    /// Whether what the disk has is unknown.
    doubtful: bool,
}

/// Which room a frame may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// What lies before the spare part.
    Ordinary,
    /// All of it.
    Spare,
}

/// What was found at the path.
#[derive(Debug)]
pub(super) enum Found {
    /// No file.
    Nothing,
    /// A file that cannot be trusted.
    Untrusted(String),
    /// A journal, and how many bytes of a torn frame were cut off.
    Whole(Box<Tables>, usize),
}

/// Reads the journal at `path`.
pub(super) fn look(path: &Path) -> Found {
    match fs::metadata(path).map(|meta| meta.len()) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Found::Nothing,
        Ok(length) if length > LONGEST => return Found::Untrusted(format!("it is {length} bytes long")),
        _ => {}
    }
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) => return Found::Untrusted(error.to_string()),
    };
    match frame::read(&bytes) {
        Err(distrust @ (Distrust::Head | Distrust::Version(_) | Distrust::Damaged(_))) => Found::Untrusted(distrust.to_string()),
        Ok(read) => {
            let mut tables = Tables::default();
            read.entries.into_iter().for_each(|entry| tables.apply(entry));
            Found::Whole(Box::new(tables), read.torn)
        }
    }
}

impl JournalFile {
    /// A file at `path` that holds `entries`, in the place of whatever was there.
    pub(super) fn begin(path: PathBuf, sync: JournalSync, entries: &[Entry]) -> io::Result<Self> {
        let aside = path.with_extension("new");
        // A part of a file would only take the room that is missing.
        Self::begin_aside(path, &aside, sync, entries).inspect_err(|_| drop(fs::remove_file(&aside)))
    }

    fn begin_aside(path: PathBuf, aside: &Path, sync: JournalSync, entries: &[Entry]) -> io::Result<Self> {
        let file = File::options().read(true).write(true).create(true).truncate(true).mode(0o600).open(aside)?;
        let bytes = frame::file(entries)?;
        let end = bytes.len() as u64;
        let room = room_for(end + SPARE);
        file.write_all_at(&bytes, 0)?;
        fill(&file, end, room)?;
        if sync == JournalSync::On {
            file.sync_all()?;
        }
        fs::rename(aside, &path)?;
        if sync == JournalSync::On
            && let Some(dir) = path.parent()
        {
            File::open(dir)?.sync_all()?;
        }
        let compact_at = WORTH_COMPACTING.max(end * 4);
        Ok(Self { path, file, sync, end, room, compact_at, doubtful: false })
    }

    /// Adds a frame, and returns when it is as safe as was asked for. After an error it counts as not added. `before` tells all that the
    /// file should hold already.
    pub(super) fn add(&mut self, entries: &[Entry], which: Use, before: impl FnOnce() -> Vec<Entry>) -> io::Result<()> {
        if self.doubtful || self.end > self.compact_at {
            self.write_anew(&before())?;
        }
        let frame = frame::encode(entries)?;
        let end = self.end + frame.len() as u64;
        self.take_room(end, which)?;
        if let Err(error) = self.file.write_all_at(&frame, self.end) {
            // What a part of it may have left must not stand behind a shorter frame.
            self.doubtful = true;
            return Err(error);
        }
        if self.sync == JournalSync::On
            && entries.iter().any(Entry::outlives_the_host)
            && let Err(error) = self.file.sync_data()
        {
            self.doubtful = true;
            return Err(error);
        }
        self.end = end;
        Ok(())
    }

    fn write_anew(&mut self, entries: &[Entry]) -> io::Result<()> {
        match Self::begin(self.path.clone(), self.sync, entries) {
            Ok(file) => *self = file,
            // A disk without room for it: what there is goes on, and is looked at again later.
            Err(error) if !self.doubtful && is_full(&error) => self.compact_at = self.end + SEGMENT,
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn take_room(&mut self, end: u64, which: Use) -> io::Result<()> {
        let wanted = match which {
            Use::Ordinary => end + SPARE,
            Use::Spare => end,
        };
        // One byte more, so that a frame always has zeros behind it.
        if wanted < self.room {
            return Ok(());
        }
        let room = room_for(wanted);
        fill(&self.file, self.room, room)?;
        if self.sync == JournalSync::On {
            self.file.sync_all()?;
        }
        self.room = room;
        Ok(())
    }
}

/// How far room is taken for a file that must have some up to `end`.
const fn room_for(end: u64) -> u64 {
    (end / SEGMENT + 1) * SEGMENT
}

/// Whether the disk, or the user's share of it, is full.
pub(super) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// Writes zeros: room that is only promised would be metadata to write later.
fn fill(file: &File, from: u64, to: u64) -> io::Result<()> {
    let zeros = vec![0; usize::try_from(to - from).unwrap_or_default()];
    file.write_all_at(&zeros, from)
}
