//! Packs on their way to and from this node, as messages of a stream.

use crate::workspace::saved::SavedStates;
use crate::workspace::saved::incoming::{Incoming, NotTaken};
use bytes::BytesMut;
use capstan_proto::wire::node as wire;
use futures::{Stream, StreamExt};
use std::path::PathBuf;
use std::pin::Pin;
use std::time::Duration;
use tokio::fs::File;
use tokio::io::AsyncReadExt;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::task::JoinSet;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming};

/// How long the next piece may take to come.
const PATIENCE: Duration = Duration::from_secs(60);

/// How many bytes are sent at once, and taken at most.
const PIECE: usize = 1 << 20;

/// How many pieces wait for a slow reader. Full: the file is not read on.
const AHEAD: usize = 2;

/// Packs as they go out.
pub(crate) type Pieces = Pin<Box<dyn Stream<Item = Result<wire::TakePacksResponse, Status>> + Send>>;

/// Takes packs to their end, and gives how many bytes they had. `first` is the first message, whose authority was looked at.
pub(crate) async fn take_in(
    states: &SavedStates,
    first: wire::GivePacksRequest,
    mut pieces: Streaming<wire::GivePacksRequest>,
) -> Result<u64, Status> {
    let _carrier = states.carrier()?;
    let (mut open, mut bytes, mut next): (Option<Incoming>, u64, _) = (None, 0, Some(first));
    while let Some(wire::GivePacksRequest { pack, data, ends, record, .. }) = next {
        if data.len() > PIECE {
            return Err(Status::invalid_argument(format!("a piece has {} bytes; at most {PIECE} are taken", data.len())));
        }
        let incoming = match (open.take(), pack.is_empty()) {
            (Some(incoming), true) => Some(incoming),
            (None, false) => Some(Incoming::begin(states, pack).await?),
            (Some(_), false) => return Err(Status::invalid_argument("a pack begins before the one before it ends")),
            (None, true) if data.is_empty() && !record.is_empty() => None,
            (None, true) => return Err(Status::invalid_argument("a piece belongs to no pack")),
        };
        if let Some(mut incoming) = incoming {
            incoming.add(&data).await?;
            bytes += data.len() as u64;
            match ends {
                true => incoming.end().await?,
                false => open = Some(incoming),
            }
        }
        if !record.is_empty() {
            states.note(&capstan_proto::convert::saved::record("record", &record)?).await?;
        }
        next = match tokio::time::timeout(PATIENCE, pieces.message()).await {
            Ok(next) => next?,
            Err(_) => return Err(Status::deadline_exceeded(format!("nothing came for {} s", PATIENCE.as_secs()))),
        };
    }
    match open {
        None => Ok(bytes),
        Some(_) => Err(Status::invalid_argument("the last pack has no end")),
    }
}

/// The packs of these names, in pieces. The task that reads them ends with whoever holds the stream.
pub(crate) fn give_out(packs: Vec<(String, PathBuf)>, carrier: OwnedSemaphorePermit) -> Pieces {
    let (sender, pieces) = mpsc::channel(AHEAD);
    let mut reading = JoinSet::new();
    reading.spawn(async move {
        let _carrier = carrier;
        for (pack, path) in packs {
            if let Err(status) = give_one(pack, path, &sender).await {
                let _ = sender.send(Err(status)).await;
                return;
            }
        }
    });
    Box::pin(ReceiverStream::new(pieces).map(move |piece| {
        let _owned = &reading;
        piece
    }))
}

async fn give_one(
    pack: String,
    path: PathBuf,
    pieces: &mpsc::Sender<Result<wire::TakePacksResponse, Status>>,
) -> Result<(), Status> {
    let gone = |error: std::io::Error| Status::not_found(format!("the pack {} cannot be read: {error}", path.display()));
    let mut file = File::open(&path).await.map_err(gone)?;
    let mut left = file.metadata().await.map_err(gone)?.len();
    let mut name = pack;
    loop {
        let mut data = BytesMut::with_capacity(PIECE);
        while data.len() < PIECE && file.read_buf(&mut data).await.map_err(gone)? > 0 {}
        left = left.saturating_sub(data.len() as u64);
        let ends = left == 0 || data.is_empty();
        let piece = wire::TakePacksResponse { pack: std::mem::take(&mut name), data: data.freeze(), ends };
        match tokio::time::timeout(PATIENCE, pieces.send(Ok(piece))).await {
            Ok(Ok(())) if ends => return Ok(()),
            Ok(Ok(())) => {}
            Ok(Err(_)) => return Err(Status::cancelled("nobody reads any more")),
            Err(_) => return Err(Status::deadline_exceeded(format!("nothing was read for {} s", PATIENCE.as_secs()))),
        }
    }
}

impl From<NotTaken> for Status {
    fn from(error: NotTaken) -> Self {
        let said = error.to_string();
        match error {
            NotTaken::NoName(_) => Self::invalid_argument(said),
            NotTaken::TooLong => Self::resource_exhausted(said),
            NotTaken::Damaged(_) => Self::data_loss(said),
            NotTaken::Unwritable(_) => Self::aborted(said),
        }
    }
}
