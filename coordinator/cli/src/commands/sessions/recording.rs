//! The recording that `--cast` asks for, if it does.

use super::table;
use crate::cast::Cast;
use crate::failure::Failure;
use crate::render::amount;
use capstan_types::launch::{Stdio, TermSize};
use capstan_types::operator::Seen;
use capstan_types::output::Piece;
use std::fs::File;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// A recording, or none.
#[derive(Debug, Default)]
pub(super) struct Recording(Option<Open>);

#[derive(Debug)]
struct Open {
    path: PathBuf,
    cast: Cast<BufWriter<File>>,
    began: Instant,
}

impl Recording {
    /// Begins it where it was asked for.
    pub(super) fn begin(path: Option<&Path>, seen: &Seen, size: Option<TermSize>) -> Result<Self, Failure> {
        let Some(path) = path else { return Ok(Self(None)) };
        let size = match seen.listed.stdio {
            Stdio::Terminal(own) => size.unwrap_or(own),
            Stdio::Pipes | Stdio::PipesNoInput => size.unwrap_or_default(),
        };
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let cast = File::create(path)
            .and_then(|file| Cast::begin(BufWriter::new(file), size, since, &table::command(&seen.listed.argv)));
        let cast = cast.map_err(|error| Failure::bad_input(unwritten(path, &error)))?;
        Ok(Self(Some(Open { path: path.to_owned(), cast, began: Instant::now() })))
    }

    /// Takes a piece of output in.
    pub(super) fn piece(&mut self, piece: &Piece) -> Result<(), Failure> {
        self.write(|open| match piece {
            Piece::Bytes { bytes, .. } => open.cast.output(open.began.elapsed(), bytes),
            Piece::Gap { bytes, .. } => open.cast.mark(open.began.elapsed(), &gap(piece, *bytes)),
        })
    }

    /// Takes a new size in.
    pub(super) fn resized(&mut self, size: TermSize) -> Result<(), Failure> {
        self.write(|open| open.cast.resized(open.began.elapsed(), size))
    }

    /// Ends it.
    pub(super) fn end(self) -> Result<(), Failure> {
        match self.0 {
            None => Ok(()),
            Some(Open { path, cast, began }) => {
                cast.end(began.elapsed()).map_err(|error| Failure::failed(unwritten(&path, &error)))
            }
        }
    }

    fn write(&mut self, write: impl FnOnce(&mut Open) -> io::Result<()>) -> Result<(), Failure> {
        match &mut self.0 {
            None => Ok(()),
            Some(open) => write(open).map_err(|error| Failure::failed(unwritten(&open.path, &error))),
        }
    }
}

fn unwritten(path: &Path, error: &io::Error) -> String {
    format!("the recording {} cannot be written: {error}", path.display())
}

/// What is said of bytes that are not there.
pub(super) fn gap(piece: &Piece, bytes: u64) -> String {
    format!("{} bytes were not kept: from {} up to {}", amount::count(bytes), piece.seq(), piece.end())
}
