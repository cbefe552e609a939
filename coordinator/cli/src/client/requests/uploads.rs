//! What is asked about uploads.

use super::{ASK_DEADLINE, CREATE_DEADLINE, Requests, within};
use crate::client::error::ClientError;
use capstan_proto::wire::client as wire;
use std::time::Duration;
use tokio_stream::wrappers::ReceiverStream;

/// The longest that all of an upload may take. Each of its pieces has less.
const UPLOAD_DEADLINE: Duration = Duration::from_secs(4 * 3600);

impl Requests {
    pub(in crate::client) async fn lacks_packs(&mut self, packs: Vec<String>) -> Result<Vec<String>, ClientError> {
        let request = wire::LacksRequest { packs };
        within("look for what was uploaded", CREATE_DEADLINE, self.uploads.lacks(request)).await.map(|answer| answer.packs)
    }

    pub(in crate::client) async fn give_packs(&mut self, pieces: ReceiverStream<wire::GiveRequest>) -> Result<u64, ClientError> {
        within("take the upload", UPLOAD_DEADLINE, self.uploads.give(pieces)).await.map(|answer| answer.bytes)
    }

    pub(in crate::client) async fn finish_upload(&mut self, record: Vec<u8>) -> Result<(), ClientError> {
        let request = wire::FinishRequest { record: record.into() };
        within("keep the upload", ASK_DEADLINE, self.uploads.finish(request)).await.map(drop)
    }
}
