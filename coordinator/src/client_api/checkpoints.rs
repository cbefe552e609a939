//! What a turn changed, and undoing it.

use super::{create_status, elsewhere, thread_id};
use crate::nodes::host::checkpoints::UNDO_DEADLINE;
use crate::thread::inherit::Woken;
use crate::thread::message::ThreadMsg;
use crate::thread::open::Threads;
use crate::thread::workspace::MOST_DIFF;
use capstan_proto::convert::workspace::turn_or_last;
use capstan_proto::wire::client as wire;
use capstan_runtime::actors::ask::ask;
use capstan_types::id::{ThreadId, TurnId};
use ractor::ActorRef;
use std::time::Duration;
use tonic::{Response, Status};

/// What the actor may add to the node's time.
const ROOM: Duration = Duration::from_secs(5);

/// Says what a turn changed.
pub(super) async fn diff(threads: &Threads, request: wire::DiffRequest) -> Result<Response<wire::DiffResponse>, Status> {
    let turn = turn_or_last(&request.turn_id)?;
    let most = if request.max_bytes == 0 { MOST_DIFF } else { request.max_bytes.min(MOST_DIFF) };
    let actor = awake(threads, thread_id(&request.thread_id)?).await?;
    let asked = ask(&actor, UNDO_DEADLINE + ROOM, |reply| ThreadMsg::Diff(turn, most, reply));
    Ok(Response::new(asked.await.map_err(|error| Status::unavailable(error.to_string()))??.into()))
}

/// Undoes a turn.
pub(super) async fn undo(threads: &Threads, request: wire::UndoRequest) -> Result<Response<wire::UndoResponse>, Status> {
    let turn = turn_or_last(&request.turn_id)?;
    let actor = awake(threads, thread_id(&request.thread_id)?).await?;
    let asked = ask(&actor, UNDO_DEADLINE + ROOM, |reply| ThreadMsg::Undo(turn, request.force, reply));
    Ok(Response::new(asked.await.map_err(|error| Status::unavailable(error.to_string()))??.into()))
}

/// The actor of a thread, which is run if it lies in the store.
async fn awake(threads: &Threads, thread: ThreadId) -> Result<ActorRef<ThreadMsg>, Status> {
    // A turn that nobody has begun.
    match threads.wake(thread, TurnId::generate()).await.map_err(create_status)? {
        Woken::Runs(actor) => Ok(actor),
        Woken::Elsewhere(owner) => Err(elsewhere(thread, &owner)),
        // It cannot be; a new id has no turn.
        Woken::Begun => Err(Status::unavailable("the thread could not be opened; try again")),
    }
}
