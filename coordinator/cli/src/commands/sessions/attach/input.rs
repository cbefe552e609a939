//! What is typed, on its way to the session, in order and beside everything else: a program that does not read must not keep a person from
//! leaving.

use crate::client::{ClientError, Session};
use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// Pieces that may wait. Full: what is typed further is not taken, and the terminal rings its bell.
const WAITING: usize = 256;

/// Sends what is typed. Dropping it sends nothing more.
#[derive(Debug)]
pub(super) struct Typist {
    pieces: Option<mpsc::Sender<Vec<u8>>>,
    task: JoinSet<Result<(), ClientError>>,
}

impl Typist {
    pub(super) fn new(session: Session) -> Self {
        let (pieces, waiting) = mpsc::channel(WAITING);
        let mut task = JoinSet::new();
        task.spawn(send(session, waiting));
        Self { pieces: Some(pieces), task }
    }

    /// One that sends nothing.
    pub(super) fn idle() -> Self {
        Self { pieces: None, task: JoinSet::new() }
    }

    /// Takes a piece in; `false` when there is no room for it.
    pub(super) fn type_in(&self, piece: Vec<u8>) -> bool {
        self.pieces.as_ref().is_none_or(|pieces| piece.is_empty() || pieces.try_send(piece).is_ok())
    }

    /// Where pieces are taken in; `None` for one that sends nothing.
    pub(super) fn door(&self) -> Option<mpsc::Sender<Vec<u8>>> {
        self.pieces.clone()
    }

    /// Nothing more is typed: the session's input is closed behind what waits.
    pub(super) fn close(&mut self) {
        self.pieces = None;
    }

    /// Waits until nothing is sent any more, because that failed or the input is closed. Dropping the future loses nothing.
    pub(super) async fn over(&mut self) -> Result<(), ClientError> {
        match self.task.join_next().await {
            Some(Ok(done)) => done,
            Some(Err(_)) => Ok(()),
            None => std::future::pending().await,
        }
    }
}

async fn send(mut session: Session, mut waiting: mpsc::Receiver<Vec<u8>>) -> Result<(), ClientError> {
    while let Some(piece) = waiting.recv().await {
        session.write(Bytes::from(piece), false).await?;
    }
    session.write(Bytes::new(), true).await
}
