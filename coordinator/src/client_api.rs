//! Our own API, `capstan.client.v1`: one file per resource. Convert, ask, convert.

mod checkpoints;
pub mod connections;
pub mod follow;
pub mod gate;
pub mod listeners;
pub mod sessions;
pub mod threads;
pub mod turns;

use crate::thread::message::ThreadMsg;
use crate::thread::open::{CreateError, Threads};
use capstan_types::id::ThreadId;
use ractor::ActorRef;
use tonic::Status;

/// Reads a thread's id.
///
/// # Errors
/// INVALID_ARGUMENT.
pub(crate) fn thread_id(text: &str) -> Result<ThreadId, Status> {
    text.parse().map_err(|error: capstan_types::id::IdError| Status::invalid_argument(error.to_string()))
}

/// The actor of a thread that runs here.
///
/// # Errors
/// NOT_FOUND, or UNAVAILABLE when the coordinator stops.
pub(crate) async fn running(threads: &Threads, id: ThreadId) -> Result<ActorRef<ThreadMsg>, Status> {
    let found = threads.find(id).await.map_err(|error| Status::unavailable(error.to_string()))?;
    found.ok_or_else(|| not_here(id))
}

/// A thread that does not run on this coordinator.
pub(crate) fn not_here(thread: ThreadId) -> Status {
    Status::not_found(format!("thread {thread} does not run on this coordinator"))
}

/// What a client is answered whose thread cannot be had.
pub(super) fn create_status(error: CreateError) -> Status {
    match error {
        CreateError::Model(_) | CreateError::Place(_) | CreateError::Workspace(_) => {
            Status::failed_precondition(error.to_string())
        }
        CreateError::Taken(_) => Status::already_exists(error.to_string()),
        CreateError::Away(_) | CreateError::Store(_) | CreateError::Stopping(_) => Status::unavailable(error.to_string()),
    }
}
