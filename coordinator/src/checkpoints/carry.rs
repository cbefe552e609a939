//! Carries checkpoints between nodes and the coordinator's store. Only what is lacking travels.
//!
//! A node that has the same store as the coordinator has written the record there itself, and nothing is carried.

use super::shelf::{Shelf, ShelfError};
use crate::nodes::host::NodeHost;
use crate::nodes::host::saved::{Piece, Taken};
use capstan_types::saved::record::CheckpointRecord;
use futures::{Stream, StreamExt};
use tonic::{Code, Status};

/// How many bytes are brought to a node at once: what nodes take.
const PIECE: usize = 1 << 20;

/// Why a checkpoint was not carried.
#[derive(Debug, thiserror::Error)]
pub enum CarryError {
    /// The coordinator's side.
    #[error(transparent)]
    Shelf(#[from] ShelfError),
    /// The node's side.
    #[error("node {node}: {}", .status.message())]
    Node {
        /// Which.
        node: String,
        /// What it said.
        status: Box<Status>,
    },
}

/// For the user.
impl From<CarryError> for Status {
    fn from(error: CarryError) -> Self {
        let said = format!("the checkpoint could not be carried to the node: {error}");
        match error {
            CarryError::Node { status, .. } if matches!(status.code(), Code::Unavailable | Code::DeadlineExceeded) => {
                Self::unavailable(said)
            }
            CarryError::Shelf(ShelfError::Record(_)) => Self::failed_precondition(said),
            CarryError::Node { .. } | CarryError::Shelf(_) => Self::aborted(said),
        }
    }
}

impl Shelf {
    /// Fetches a checkpoint of the thread from the node that has just taken it, unless it is here.
    ///
    /// # Errors
    /// See [`CarryError`]. The record is not here then.
    pub async fn fetch(&self, host: &NodeHost, record: &CheckpointRecord) -> Result<(), CarryError> {
        let Ok(_carrier) = self.carriers.acquire().await else { return Ok(()) };
        if self.record(record.thread, &record.name).await?.is_some() {
            return Ok(());
        }
        let lacking = self.lacking(&record.packs).await.map_err(ShelfError::from)?;
        if !lacking.is_empty() {
            let taken = host.take_packs(&record.name, lacking).await.map_err(|status| at(host, status))?;
            self.take_in(host, taken).await?;
        }
        Ok(self.put(record).await?)
    }

    async fn take_in(&self, host: &NodeHost, mut taken: Taken) -> Result<(), CarryError> {
        let mut open = None;
        while let Some(Piece { pack, data, ends, .. }) = taken.next().await.map_err(|status| at(host, status))? {
            let mut incoming = match (open.take(), pack.is_empty()) {
                (Some(incoming), true) => incoming,
                (None, false) => self.begin(&pack)?,
                _ => return Err(ShelfError::Pack("its pieces make no sense".to_owned()).into()),
            };
            incoming.add(&data).await?;
            match ends {
                true => self.end(incoming).await?,
                false => open = Some(incoming),
            }
        }
        Ok(())
    }

    /// Has a node know a checkpoint that is here, and have all of its packs.
    ///
    /// # Errors
    /// See [`CarryError`].
    pub async fn hand(&self, host: &NodeHost, record: &CheckpointRecord) -> Result<(), CarryError> {
        let Ok(_carrier) = self.carriers.acquire().await else { return Ok(()) };
        let lacking = host.lacks_packs(record).await.map_err(|status| at(host, status))?;
        // Looked at before anything is sent, so that what is gone is said as that.
        if let Some(pack) = self.lacking(&lacking).await.map_err(ShelfError::from)?.first() {
            return Err(ShelfError::Record(format!("its pack {pack} is gone from the coordinator's store")).into());
        }
        let given = host.give_packs(self.clone().pieces(lacking, record)).await;
        given.map_err(|status| at(host, status))
    }

    /// The pieces of packs, and last the record. What cannot be read is cut off, which its receiver sees.
    fn pieces(self, packs: Vec<String>, record: &CheckpointRecord) -> impl Stream<Item = Piece> + Send + 'static {
        let last = Piece { record: record.text().into(), ..Piece::default() };
        let each = futures::stream::iter(packs).then(move |pack| {
            let shelf = self.clone();
            async move {
                match shelf.pack(&pack).await {
                    Ok(bytes) => in_pieces(pack, bytes).boxed(),
                    Err(error) => {
                        tracing::warn!(%pack, %error, "a pack could not be read while it was carried");
                        futures::stream::empty().boxed()
                    }
                }
            }
        });
        each.flatten().chain(futures::stream::once(async move { last }))
    }
}

/// One pack in pieces, the last of which ends it.
fn in_pieces<E: std::fmt::Display + Send>(
    pack: String,
    bytes: impl Stream<Item = Result<bytes::Bytes, E>> + Send,
) -> impl Stream<Item = Piece> + Send {
    let begins = Piece { pack, ..Piece::default() };
    let whole = bytes.map(Some).chain(futures::stream::once(async { None }));
    // After an error nothing more is sent of it, its end least of all.
    let pieces = whole.scan(false, move |broken, next| {
        let out: Vec<Piece> = match next {
            _ if *broken => Vec::new(),
            Some(Ok(mut data)) => {
                let mut out = Vec::new();
                while !data.is_empty() {
                    let piece = data.split_to(data.len().min(PIECE));
                    out.push(Piece { data: piece, ..Piece::default() });
                }
                out
            }
            Some(Err(error)) => {
                tracing::warn!(%error, "a pack broke off while it was carried");
                *broken = true;
                Vec::new()
            }
            None => vec![Piece { ends: true, ..Piece::default() }],
        };
        futures::future::ready(Some(futures::stream::iter(out)))
    });
    futures::stream::once(async move { begins }).chain(pieces.flatten())
}

fn at(host: &NodeHost, status: Status) -> CarryError {
    use capstan_tools::host::ExecHost as _;
    CarryError::Node { node: host.node().to_string(), status: Box::new(status) }
}
