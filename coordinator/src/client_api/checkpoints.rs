//! What a turn changed, and undoing it.

use super::{create_status, thread_id};
use crate::nodes::host::checkpoints::UNDO_DEADLINE;
use crate::thread::at_rest::{AtRest, Purpose};
use crate::thread::inherit::Woken;
use crate::thread::message::ThreadMsg;
use crate::thread::open::Threads;
use crate::thread::workspace::MOST_DIFF;
use capstan_proto::convert::workspace::turn_or_last;
use capstan_proto::wire::client as wire;
use capstan_runtime::actors::ask::{AskError, ask};
use capstan_types::id::TurnId;
use std::time::Duration;
use tonic::{Response, Status};

/// What the actor may add to the node's time.
const ROOM: Duration = Duration::from_secs(5);

/// Says what a turn changed. A thread that does not run here is left where it is.
pub(super) async fn diff(threads: &Threads, request: wire::DiffRequest) -> Result<Response<wire::DiffResponse>, Status> {
    let (turn, thread) = (turn_or_last(&request.turn_id)?, thread_id(&request.thread_id)?);
    let most = if request.max_bytes == 0 { MOST_DIFF } else { request.max_bytes.min(MOST_DIFF) };
    if let Some(actor) = threads.find(thread).await.map_err(unanswered)? {
        let asked = ask(&actor, UNDO_DEADLINE + ROOM, |reply| ThreadMsg::Diff(turn, most, reply));
        return Ok(Response::new(asked.await.map_err(unanswered)??.into()));
    }
    let AtRest { host, policy, .. } = &threads.at_rest(thread, Purpose::Look).await.map_err(create_status)?;
    Ok(Response::new(host.diff(policy, turn, most, false).await?.into()))
}

/// Undoes a turn. A thread of another owner's is this coordinator's from then on.
pub(super) async fn undo(threads: &Threads, request: wire::UndoRequest) -> Result<Response<wire::UndoResponse>, Status> {
    let (turn, thread) = (turn_or_last(&request.turn_id)?, thread_id(&request.thread_id)?);
    // A turn that nobody has begun. What a dead coordinator of this line left to be done comes first.
    match threads.wake(thread, TurnId::generate()).await.map_err(create_status)? {
        Woken::Runs(actor) => {
            let asked = ask(&actor, UNDO_DEADLINE + ROOM, |reply| ThreadMsg::Undo(turn, request.force, reply));
            Ok(Response::new(asked.await.map_err(unanswered)??.into()))
        }
        Woken::Elsewhere(_) => {
            let AtRest { host, policy, .. } = &threads.at_rest(thread, Purpose::Change).await.map_err(create_status)?;
            Ok(Response::new(host.undo(policy, turn, request.force).await?.into()))
        }
        // It cannot be; a new id has no turn.
        Woken::Begun => Err(Status::unavailable("the thread could not be opened; try again")),
    }
}

fn unanswered(error: AskError) -> Status {
    Status::unavailable(error.to_string())
}
