//! Uploads: what the coordinator lacks of one, and bringing it there.

use super::Client;
use super::error::ClientError;
use bytes::BytesMut;
use capstan_proto::wire::client as wire;
use std::path::PathBuf;
use std::time::Duration;
use tokio::fs::File;
use tokio::io::AsyncReadExt;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

/// How many bytes are sent at once.
const PIECE: usize = 1 << 20;
/// How many pieces wait for a slow coordinator. Full: the file is not read on.
const AHEAD: usize = 4;
/// How long a piece may take to be taken.
const PATIENCE: Duration = Duration::from_secs(60);

impl Client {
    /// Which of these packs the coordinator lacks.
    ///
    /// # Errors
    /// It keeps none, or does not answer. It is asked once.
    pub async fn lacks_packs(&mut self, packs: Vec<String>) -> Result<Vec<String>, ClientError> {
        self.requests.lacks_packs(packs).await
    }

    /// Sends packs, which lie in these files. `sent` is told of bytes as they go out.
    ///
    /// # Errors
    /// A pack is refused, or the coordinator does not take it; packs before that one have arrived. The inner one is of a file.
    pub async fn give_packs(
        &mut self,
        packs: Vec<(String, PathBuf)>,
        mut sent: impl FnMut(u64),
    ) -> Result<std::io::Result<u64>, ClientError> {
        let (sender, pieces) = mpsc::channel(AHEAD);
        let mut requests = self.requests.clone();
        let giving = Box::pin(requests.give_packs(ReceiverStream::new(pieces)));
        let reading = async move {
            for (pack, path) in packs {
                match read(pack, path, &sender, &mut sent).await {
                    Ok(true) => {}
                    // Whoever takes them has said why in its answer.
                    Ok(false) => return Ok(()),
                    Err(error) => return Err(error),
                }
            }
            Ok(())
        };
        let (answer, read) = tokio::join!(giving, reading);
        match (answer, read) {
            (_, Err(error)) => Ok(Err(error)),
            (Ok(bytes), Ok(())) => Ok(Ok(bytes)),
            (Err(error), Ok(())) => Err(error),
        }
    }

    /// Has an upload count. It may be asked again.
    ///
    /// # Errors
    /// Packs are missing, or the coordinator does not answer.
    pub async fn finish_upload(&mut self, record: Vec<u8>) -> Result<(), ClientError> {
        self.requests.finish_upload(record).await
    }
}

/// Sends one pack. Says whether it was taken.
async fn read(
    pack: String,
    path: PathBuf,
    pieces: &mpsc::Sender<wire::GiveRequest>,
    sent: &mut impl FnMut(u64),
) -> std::io::Result<bool> {
    let mut file = File::open(&path).await?;
    let mut left = file.metadata().await?.len();
    let mut name = pack;
    loop {
        let mut data = BytesMut::with_capacity(PIECE);
        while data.len() < PIECE && file.read_buf(&mut data).await? > 0 {}
        let length = data.len() as u64;
        left = left.saturating_sub(length);
        let ends = left == 0 || data.is_empty();
        let piece = wire::GiveRequest { pack: std::mem::take(&mut name), data: data.freeze(), ends };
        match tokio::time::timeout(PATIENCE, pieces.send(piece)).await {
            Ok(Ok(())) => sent(length),
            Ok(Err(_)) | Err(_) => return Ok(false),
        }
        if ends {
            return Ok(true);
        }
    }
}
