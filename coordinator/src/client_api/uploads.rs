//! Uploads of clients.

use crate::checkpoints::shelf::{Incoming, ShelfError};
use crate::uploads::{NotKept, Uploads};
use capstan_proto::wire::client as wire;
use capstan_proto::wire::client::uploads_server::Uploads as Service;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tonic::{Request, Response, Status, Streaming};

/// How long the next piece may take to come.
const PATIENCE: Duration = Duration::from_secs(60);
/// The most bytes of one piece.
const PIECE: usize = 1 << 20;
/// The most bytes of one stream of packs.
const MOST: u64 = 64 << 30;
/// The most bytes of a record.
const MOST_RECORD: usize = 4 << 20;
/// How many clients bring packs at once. Full: the next one is refused.
const AT_ONCE: usize = 16;

/// Serves uploads.
#[derive(Debug, Clone)]
pub struct UploadsService {
    uploads: Uploads,
    givers: Arc<Semaphore>,
}

impl UploadsService {
    /// That keeps them there.
    #[must_use]
    pub fn new(uploads: Uploads) -> Self {
        Self { uploads, givers: Arc::new(Semaphore::new(AT_ONCE)) }
    }
}

#[tonic::async_trait]
impl Service for UploadsService {
    async fn lacks(&self, request: Request<wire::LacksRequest>) -> Result<Response<wire::LacksResponse>, Status> {
        let packs = self.uploads.lacks(&request.into_inner().packs).await?;
        Ok(Response::new(wire::LacksResponse { packs }))
    }

    async fn give(&self, request: Request<Streaming<wire::GiveRequest>>) -> Result<Response<wire::GiveResponse>, Status> {
        let busy = || Status::resource_exhausted("too many uploads come at once; try again in a minute");
        let _giver = self.givers.try_acquire().map_err(|_| busy())?;
        let bytes = self.take_in(request.into_inner()).await?;
        Ok(Response::new(wire::GiveResponse { bytes }))
    }

    async fn finish(&self, request: Request<wire::FinishRequest>) -> Result<Response<wire::FinishResponse>, Status> {
        let record = request.into_inner().record;
        if record.len() > MOST_RECORD {
            return Err(Status::invalid_argument(format!("a record has at most {MOST_RECORD} bytes")));
        }
        self.uploads.finish(&record).await?;
        Ok(Response::new(wire::FinishResponse {}))
    }
}

impl UploadsService {
    async fn take_in(&self, mut pieces: Streaming<wire::GiveRequest>) -> Result<u64, Status> {
        let (mut open, mut bytes): (Option<Incoming>, u64) = (None, 0);
        while let Some(wire::GiveRequest { pack, data, ends }) = next(&mut pieces).await? {
            if data.len() > PIECE {
                return Err(Status::invalid_argument(format!("a piece has {} bytes; at most {PIECE} are taken", data.len())));
            }
            let mut incoming = match (open.take(), pack.is_empty()) {
                (Some(incoming), true) => incoming,
                (None, false) => self.uploads.begin(&pack)?,
                (Some(_), false) => return Err(Status::invalid_argument("a pack begins before the one before it ends")),
                (None, true) => return Err(Status::invalid_argument("a piece belongs to no pack")),
            };
            bytes += data.len() as u64;
            if bytes > MOST {
                return Err(Status::resource_exhausted(format!("an upload has at most {MOST} bytes that are new")));
            }
            incoming.add(&data).await.map_err(NotKept::from)?;
            match ends {
                true => self.uploads.end(incoming).await?,
                false => open = Some(incoming),
            }
        }
        match open {
            None => Ok(bytes),
            Some(_) => Err(Status::invalid_argument("the last pack has no end")),
        }
    }
}

async fn next(pieces: &mut Streaming<wire::GiveRequest>) -> Result<Option<wire::GiveRequest>, Status> {
    match tokio::time::timeout(PATIENCE, pieces.message()).await {
        Ok(next) => next,
        Err(_) => Err(Status::deadline_exceeded(format!("nothing came for {} s", PATIENCE.as_secs()))),
    }
}

impl From<NotKept> for Status {
    fn from(error: NotKept) -> Self {
        let said = error.to_string();
        match error {
            NotKept::NoStore | NotKept::Lacks(_) => Self::failed_precondition(said),
            NotKept::Malformed(_) => Self::invalid_argument(said),
            NotKept::Another => Self::already_exists(said),
            NotKept::Shelf(ShelfError::Pack(_) | ShelfError::Record(_)) => Self::data_loss(said),
            NotKept::Shelf(ShelfError::Scratch(_)) => Self::resource_exhausted(said),
            NotKept::Shelf(ShelfError::Blobs(_)) => Self::unavailable(said),
        }
    }
}
