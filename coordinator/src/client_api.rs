//! Our own API, `capstan.client.v1`: one file per resource. Convert, ask, convert.

mod checkpoints;
pub mod connections;
mod export;
pub mod files;
pub mod follow;
pub mod gate;
pub mod health;
pub mod identity;
pub mod listeners;
pub mod nodes;
mod patches;
mod plain;
mod put_away;
mod saved;
pub mod sessions;
pub mod threads;
pub mod turns;
pub mod uploads;
pub mod workspaces;

use crate::thread::open::CreateError;
use capstan_store::store::StoreError;
use capstan_types::id::ThreadId;
use tonic::Status;

/// Reads a thread's id.
///
/// # Errors
/// INVALID_ARGUMENT.
pub(crate) fn thread_id(text: &str) -> Result<ThreadId, Status> {
    text.parse().map_err(|error: capstan_types::id::IdError| Status::invalid_argument(error.to_string()))
}

/// A thread that another coordinator owns.
pub(crate) fn elsewhere(thread: ThreadId, owner: &str) -> Status {
    Status::failed_precondition(format!("thread {thread} is the coordinator {owner}'s; `capstan exec resume` takes it over"))
}

/// What a client is answered whose thread cannot be had.
pub(super) fn create_status(error: CreateError) -> Status {
    match error {
        CreateError::Model(_) | CreateError::Place(_) | CreateError::Workspace(_) => {
            Status::failed_precondition(error.to_string())
        }
        CreateError::Busy(_) | CreateError::NoTurn(_) | CreateError::NotSaved(..) => {
            Status::failed_precondition(error.to_string())
        }
        CreateError::NoEnd(..) => Status::not_found(error.to_string()),
        CreateError::Taken(_) => Status::already_exists(error.to_string()),
        CreateError::Store(error) => store_status(error),
        CreateError::Away(_) | CreateError::Stopping(_) => Status::unavailable(error.to_string()),
    }
}

/// What a client is answered whom the store has refused something.
pub(super) fn store_status(error: StoreError) -> Status {
    let sentence = error.to_string();
    match error {
        StoreError::NoThread(_) | StoreError::Deleted(_) | StoreError::NoPoint(_) => Status::not_found(sentence),
        StoreError::ThreadExists(_) => Status::already_exists(sentence),
        StoreError::Fenced { .. } => Status::aborted(sentence),
        _ => Status::unavailable(sentence),
    }
}
