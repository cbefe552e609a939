//! The kept output of a session whose holder has gone, read from its files by the rule of [`capstan_types::spool`].

use crate::session::dir::record_in;
use bytes::Bytes;
use capstan_types::control::MAX_DATA;
use capstan_types::output::seal::Seal;
use capstan_types::output::{Piece, Seq};
use capstan_types::spool::{ALL, HEAD, Layout, MARK, Place, TAIL};
use std::fs::File;
use std::io;
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
    /// Each is made by what is first written to it.
    head: Option<Arc<File>>,
    tail: Option<Arc<File>>,
    /// What was kept whole, and how many bytes of it.
    all: Option<Arc<File>>,
    all_end: u64,
    seal: Option<Seal>,
}

impl Spooled {
    /// Opens what lies in `dir`; `None` where there is nothing that can be read. Blocks for a few file operations.
    pub(crate) fn open(dir: &Path) -> Option<Self> {
        let (head, tail) = (opened(&dir.join(HEAD))?, opened(&dir.join(TAIL))?);
        let end = record_in(dir);
        // Taken away, not empty: it was released, or what it lay in is gone.
        let written = end.as_ref().map_or(0, |end| end.output_bytes);
        if head.is_none() && (written > 0 || !dir.exists()) {
            return None;
        }
        let mut mark = [0; MARK];
        let layout = match tail.as_ref().map(|tail| tail.read_exact_at(&mut mark, 0)) {
            Some(Ok(())) => Layout::decode(&mark),
            Some(Err(_)) | None => None,
        };
        let length = || head.as_ref().map_or(Ok(0), |head| head.metadata().map(|found| found.len()));
        let layout = match layout {
            None => Layout::head_only(length().ok()?),
            // A holder that wrote the end down had written the mark before.
            Some(layout) if end.is_some() => layout,
            Some(layout) => layout.without_last_word(),
        };
        let all = opened(&dir.join(ALL)).flatten();
        let kept = end.as_ref().map(|end| end.kept.map_or(0, |kept| kept.bytes));
        // A holder that was killed has written each byte there before it was counted.
        let all_end =
            kept.or_else(|| all.as_ref().and_then(|all| all.metadata().ok()).map(|found| found.len())).unwrap_or_default();
        let seal = end.and_then(|end| end.seal());
        Some(Self { layout, head: head.map(Arc::new), tail: tail.map(Arc::new), all: all.map(Arc::new), all_end, seal })
    }

    /// What the holder said of what it kept, if it lived to say it.
    pub(crate) const fn seal(&self) -> Option<Seal> {
        self.seal
    }

    /// [`Spooled::open`] on a thread for blocking work.
    pub(crate) async fn open_soon(dir: PathBuf) -> Option<Self> {
        tokio::task::spawn_blocking(move || Self::open(&dir)).await.ok()?
    }

    /// The next piece from `from` on, also of what was kept `whole`; `None` at the end.
    pub(crate) async fn read(&self, from: Seq, whole: bool) -> Option<Piece> {
        let whole = Some(from.0).filter(|from| whole && *from < self.all_end);
        let (file, offset, available) = match (whole, self.layout.locate(from)) {
            (Some(offset), _) => (self.all.clone(), offset, self.all_end - offset),
            (None, Some(Place::Gap(bytes))) => return Some(Piece::Gap { seq: from, bytes }),
            (None, Some(Place::Head(offset, available))) => (self.head.clone(), offset, available),
            (None, Some(Place::Tail(offset, available))) => (self.tail.clone(), offset, available),
            (None, None) => return None,
        };
        let length = usize::try_from(available).unwrap_or(usize::MAX).min(MAX_DATA);
        let read = tokio::task::spawn_blocking(move || {
            let mut bytes = vec![0; length];
            let file = file.ok_or(io::ErrorKind::NotFound)?;
            file.read_exact_at(&mut bytes, offset).map(|()| Bytes::from(bytes))
        });
        Some(match read.await {
            Ok(Ok(bytes)) => Piece::Bytes { seq: from, bytes },
            // A disk that has lost what it took: the reader is told, and goes on behind it.
            _ => Piece::Gap { seq: from, bytes: length as u64 },
        })
    }
}

/// A file, if it is there; nothing where that cannot be told.
fn opened(path: &Path) -> Option<Option<File>> {
    match File::open(path) {
        Ok(file) => Some(Some(file)),
        Err(error) => (error.kind() == io::ErrorKind::NotFound).then_some(None),
    }
}
