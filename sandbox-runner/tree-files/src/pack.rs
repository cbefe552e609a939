//! Writes packs: files of many objects, so that a state of fifty thousand small files is a few large ones.

use crate::error::TreeError;
use crate::object::ObjectId;
use crate::pack_index::{self, MAGIC, Place};
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use zstd::bulk::Compressor;

/// A pack ends after the object that makes it this long, in bytes, so that one is moved in a reasonable time.
const FULL: u64 = 256 << 20;
/// The first level of compression: on a disk's or a network's way, more takes longer than it saves.
const LEVEL: i32 = 1;
/// Objects up to this size are stored as they are: a frame would be as long.
const TINY: usize = 64;
/// What is added to a name while its pack is written.
const UNFINISHED: &str = "unfinished.pack";

/// How a pack's file is called.
pub(crate) fn file_name(pack: ObjectId) -> String {
    format!("{pack}.pack")
}

/// Writes objects into packs of a directory. Dropped before [`Packer::finish`], the pack that is being written stays without its name, and is
/// written over by the next.
pub(crate) struct Packer {
    dir: PathBuf,
    compressor: Compressor<'static>,
    open: Option<Open>,
    done: Vec<ObjectId>,
    /// How many bytes objects had before compression.
    pub(crate) raw: u64,
    /// How many bytes packs have that are finished.
    pub(crate) stored: u64,
}

struct Open {
    file: BufWriter<File>,
    at: u64,
    lines: Vec<(ObjectId, Place)>,
}

impl Packer {
    pub(crate) fn new(dir: &Path) -> io::Result<Self> {
        let compressor = Compressor::new(LEVEL)?;
        Ok(Self { dir: dir.to_owned(), compressor, open: None, done: Vec::new(), raw: 0, stored: 0 })
    }

    /// Stores an object, which must not be longer than the largest.
    pub(crate) fn add(&mut self, id: ObjectId, bytes: &[u8]) -> io::Result<()> {
        let smaller = if bytes.len() > TINY { self.compressor.compress(bytes)? } else { Vec::new() };
        let stored = if (1..bytes.len()).contains(&smaller.len()) { smaller.as_slice() } else { bytes };
        let open = match &mut self.open {
            Some(open) => open,
            closed => closed.insert(Open::begin(&self.dir)?),
        };
        open.file.write_all(stored)?;
        let place = Place { offset: open.at, stored: length(stored)?, size: length(bytes)? };
        open.lines.push((id, place));
        open.at += stored.len() as u64;
        self.raw += bytes.len() as u64;
        if open.at >= FULL { self.close() } else { Ok(()) }
    }

    /// Ends the last pack, and gives the names of all. They are on the disk then.
    pub(crate) fn finish(mut self) -> Result<Vec<ObjectId>, TreeError> {
        self.close().map_err(TreeError::file(&self.dir, "written"))?;
        Ok(self.done)
    }

    fn close(&mut self) -> io::Result<()> {
        let Some(Open { mut file, lines, at }) = self.open.take() else { return Ok(()) };
        let index = pack_index::encode(&lines);
        file.write_all(&index)?;
        let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        // What is in a pack has hashes of its own; they name it as well as all of its bytes would.
        let name = ObjectId::of(&index);
        fs::rename(self.dir.join(UNFINISHED), self.dir.join(file_name(name)))?;
        File::open(&self.dir)?.sync_all()?;
        self.stored += at + index.len() as u64;
        self.done.push(name);
        Ok(())
    }
}

impl Open {
    fn begin(dir: &Path) -> io::Result<Self> {
        let mut file = BufWriter::with_capacity(1 << 20, File::create(dir.join(UNFINISHED))?);
        file.write_all(MAGIC)?;
        Ok(Self { file, at: MAGIC.len() as u64, lines: Vec::new() })
    }
}

fn length(bytes: &[u8]) -> io::Result<u32> {
    u32::try_from(bytes.len()).map_err(|_| io::ErrorKind::FileTooLarge.into())
}
