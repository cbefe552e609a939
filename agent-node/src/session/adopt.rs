//! Finds out what became of a session of an earlier life of the node, and takes hold of its holder.
//!
//! What is believed: the journal, the kernel's word on who serves a socket in a directory that only this user can enter, and the record
//! of the end. Invariant: "nothing was started" is said only where a runner that still comes finds no directory to start in.

use crate::session::dir::SessionDir;
use crate::session::holder::Holder;
use crate::session::link::{self, LinkError};
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

/// How long a holder may take to say its first word before others are looked at.
const HELLO: Duration = Duration::from_secs(2);

/// How long a start that was cut off may take to come to something. A runner that has the document is done in milliseconds.
const COMES_TO_SOMETHING: Duration = Duration::from_secs(10);

/// The first wait before it is looked again, and the longest.
const AGAIN: [Duration; 2] = [Duration::from_millis(20), Duration::from_secs(1)];

/// What became of a session.
#[derive(Debug)]
pub(crate) enum Found {
    /// It has a holder that answers.
    Held(Holder),
    /// Its holder has gone. The directory is there.
    Left,
    /// Nothing was started, and nothing will be.
    Nothing,
    /// It is not known, and why.
    Lost(String),
    /// It has a holder that this node cannot speak to, and must leave alone.
    Strange(String),
}

/// What a look has shown.
enum Look {
    Found(Found),
    /// The holder is there, but does not answer.
    Silent,
    /// There are traces of a start.
    Begun,
}

/// Looks until it is known what became of the session in `dir`. `asked` is whether the journal knows of no start. A holder that does not
/// answer is waited for without end; each of `turns` is held for one look.
pub(crate) async fn find(dir: &SessionDir, asked: bool, turns: &Semaphore) -> Found {
    let (begun, mut wait) = (Instant::now(), AGAIN[0]);
    loop {
        let look = {
            // Closed never.
            let _turn = turns.acquire().await;
            look(dir, asked).await
        };
        match look {
            Look::Found(found) => return found,
            Look::Begun if begun.elapsed() > COMES_TO_SOMETHING => return Found::Left,
            Look::Begun | Look::Silent => {}
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(AGAIN[1]);
    }
}

async fn look(dir: &SessionDir, asked: bool) -> Look {
    if asked && nothing_comes(dir.path()).await {
        return Look::Found(Found::Nothing);
    }
    match holder(&dir.socket()).await {
        Ok(holder) => Look::Found(Found::Held(holder)),
        Err(Reach::Silent) => Look::Silent,
        Err(Reach::Newer(said)) => Look::Found(Found::Strange(said)),
        Err(Reach::Nobody) if dir.end().await.is_some() => Look::Found(Found::Left),
        Err(Reach::Nobody) if asked => Look::Begun,
        Err(Reach::Nobody) if tokio::fs::try_exists(dir.path()).await.unwrap_or(true) => Look::Found(Found::Left),
        Err(Reach::Nobody) => Look::Found(Found::Lost("its directory is gone".to_owned())),
    }
}

/// Whether nothing has begun in `dir`, and nothing can any more: an empty directory is taken away.
async fn nothing_comes(dir: &Path) -> bool {
    match tokio::fs::remove_dir(dir).await {
        Ok(()) => true,
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

/// Why a holder was not reached.
enum Reach {
    Nobody,
    Silent,
    Newer(String),
}

impl From<LinkError> for Reach {
    fn from(error: LinkError) -> Self {
        match error {
            LinkError::Newer(_) => Self::Newer(error.to_string()),
            LinkError::Deaf => Self::Silent,
            LinkError::Io(error) if error.kind() == io::ErrorKind::WouldBlock => Self::Silent,
            LinkError::Io(_) | LinkError::Frame(_) => Self::Nobody,
        }
    }
}

/// The process that serves `socket`, when it has said its first word.
async fn holder(socket: &Path) -> Result<Holder, Reach> {
    let (holder, mut reader) = process(socket).await?;
    match tokio::time::timeout(HELLO, reader.hello()).await {
        Ok(said) => said.map(|()| holder).map_err(Reach::from),
        Err(_) => Err(Reach::Silent),
    }
}

/// The process that serves `socket`. Connected to before and after a hold on it was taken: in between it had no other number.
async fn process(socket: &Path) -> Result<(Holder, link::Reader), Reach> {
    let (_, before) = link::connect_known(socket).await?;
    let pid = before.ok_or(Reach::Nobody)?;
    let holder = Holder::known(pid).map_err(|_| Reach::Nobody)?;
    let (reader, after) = link::connect_known(socket).await?;
    if after == Some(pid) { Ok((holder, reader)) } else { Err(Reach::Nobody) }
}

/// Ends whatever lives in `dir` and removes it; says whether that is done.
pub(crate) async fn end(dir: &Path) -> bool {
    match process(&crate::session::dir::socket_in(dir)).await {
        Ok((mut holder, _)) => {
            tracing::warn!(dir = %dir.display(), "a session that the node's journal does not know is ended");
            // One that somebody has stopped could not end its tree.
            holder.resume();
            holder.end().await;
        }
        Err(Reach::Nobody) => {}
        Err(Reach::Silent | Reach::Newer(_)) => return false,
    }
    match tokio::fs::remove_dir_all(dir).await {
        Ok(()) => true,
        Err(error) if error.kind() == io::ErrorKind::NotFound => true,
        Err(error) => {
            tracing::warn!(dir = %dir.display(), %error, "what a session left behind could not be removed");
            false
        }
    }
}
