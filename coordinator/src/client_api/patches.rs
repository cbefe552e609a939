//! What a turn or a thread changed as a patch: carried from the node to the client piece by piece, and kept nowhere.

use super::{create_status, thread_id};
use crate::nodes::host::checkpoints::{Pieces, UNDO_DEADLINE};
use crate::thread::at_rest::{AtRest, Purpose};
use crate::thread::message::ThreadMsg;
use crate::thread::open::Threads;
use capstan_proto::convert::workspace::turn_or_last;
use capstan_proto::wire::client as wire;
use capstan_runtime::actors::ask::{AskError, ask};
use capstan_types::checkpoint::PatchPart;
use futures::Stream;
use futures::stream::{self, StreamExt as _};
use std::pin::Pin;
use std::time::Duration;
use tonic::{Response, Status};

/// A patch as tonic serves it.
pub(super) type PatchStream = Pin<Box<dyn Stream<Item = Result<wire::PatchResponse, Status>> + Send>>;

/// The longest that a node may take for the next piece.
const PIECE_DEADLINE: Duration = Duration::from_secs(30);

/// Sends what a turn changed, or the whole thread. A thread that does not run here is left where it is.
pub(super) async fn patch(threads: &Threads, request: wire::PatchRequest) -> Result<Response<PatchStream>, Status> {
    let (turn, thread) = (turn_or_last(&request.turn_id)?, thread_id(&request.thread_id)?);
    let pieces = match threads.find(thread).await.map_err(unanswered)? {
        Some(actor) => ask(&actor, UNDO_DEADLINE, |reply| ThreadMsg::Patch(turn, reply)).await.map_err(unanswered)??,
        None => {
            let AtRest { host, policy, .. } = &threads.at_rest(thread, Purpose::Look).await.map_err(create_status)?;
            host.patch(policy, turn).await?
        }
    };
    Ok(Response::new(carried(pieces)))
}

fn carried(pieces: Pieces) -> PatchStream {
    let pieces = stream::try_unfold(pieces, |mut pieces| async move {
        let next = tokio::time::timeout(PIECE_DEADLINE, pieces.message()).await;
        let late = |_| Status::deadline_exceeded("the node stopped sending the patch; ask again");
        let Some(piece) = next.map_err(late)?? else { return Ok(None) };
        let part = PatchPart::try_from(piece).map_err(|error| Status::internal(error.to_string()))?;
        Ok(Some((part.into(), pieces)))
    });
    pieces.boxed()
}

fn unanswered(error: AskError) -> Status {
    Status::unavailable(error.to_string())
}
