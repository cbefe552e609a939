//! The kept output of a session whose holder has gone, read from its files by the rule of [`capstan_types::spool`].

use crate::session::dir::end_in;
use bytes::Bytes;
use capstan_types::control::MAX_DATA;
use capstan_types::output::{Piece, Seq};
use capstan_types::spool::{HEAD, Layout, MARK, Place, TAIL};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How many bytes a session wrote in all, as far as its files tell. Blocks for a few file operations.
pub(crate) fn total(dir: &Path) -> Option<u64> {
    Some(Spooled::open(dir)?.layout.total)
}

/// The files, and what lies where in them. They change no more.
#[derive(Debug, Clone)]
pub(crate) struct Spooled {
    layout: Layout,
    head: Arc<File>,
    tail: Arc<File>,
}

impl Spooled {
    /// Opens what lies in `dir`; `None` where there is nothing that can be read. Blocks for a few file operations.
    pub(crate) fn open(dir: &Path) -> Option<Self> {
        let (head, tail) = (File::open(dir.join(HEAD)).ok()?, File::open(dir.join(TAIL)).ok()?);
        let mut mark = [0; MARK];
        let layout = match tail.read_exact_at(&mut mark, 0) {
            Ok(()) => Layout::decode(&mark),
            Err(_) => None,
        };
        let layout = match layout {
            None => Layout::head_only(head.metadata().ok()?.len()),
            // A holder that wrote the end down had written the mark before.
            Some(layout) if end_in(dir).is_some() => layout,
            Some(layout) => layout.without_last_word(),
        };
        Some(Self { layout, head: Arc::new(head), tail: Arc::new(tail) })
    }

    /// [`Spooled::open`] on a thread for blocking work.
    pub(crate) async fn open_soon(dir: PathBuf) -> Option<Self> {
        tokio::task::spawn_blocking(move || Self::open(&dir)).await.ok()?
    }

    /// The next piece from `from` on; `None` at the end.
    pub(crate) async fn read(&self, from: Seq) -> Option<Piece> {
        let (file, offset, available) = match self.layout.locate(from)? {
            Place::Gap(bytes) => return Some(Piece::Gap { seq: from, bytes }),
            Place::Head(offset, available) => (Arc::clone(&self.head), offset, available),
            Place::Tail(offset, available) => (Arc::clone(&self.tail), offset, available),
        };
        let length = usize::try_from(available).unwrap_or(usize::MAX).min(MAX_DATA);
        let read = tokio::task::spawn_blocking(move || {
            let mut bytes = vec![0; length];
            file.read_exact_at(&mut bytes, offset).map(|()| Bytes::from(bytes))
        });
        Some(match read.await {
            Ok(Ok(bytes)) => Piece::Bytes { seq: from, bytes },
            // A disk that has lost what it took: the reader is told, and goes on behind it.
            _ => Piece::Gap { seq: from, bytes: length as u64 },
        })
    }
}
