//! The patch of a thread, fetched into a temporary file.

use crate::client::{Client, ClientError};
use crate::failure::Failure;
use crate::refusal::refused;
use capstan_types::checkpoint::PatchFacts;
use capstan_types::id::{ThreadId, TurnId};
use std::io::{self, BufWriter, Write};
use tempfile::NamedTempFile;
use tonic::Code;

/// Fetches what a turn changed, or the whole thread; an empty patch, if that is nothing. The file is removed when it is dropped.
///
/// # Errors
/// There is no such turn, the coordinator fails, or there is no room.
pub async fn fetched(
    client: &mut Client,
    thread: ThreadId,
    turn: Option<TurnId>,
) -> Result<(NamedTempFile, PatchFacts), Failure> {
    let failed = |error: io::Error| Failure::failed(format!("the patch cannot be kept in a temporary file: {error}"));
    let mut out = BufWriter::new(NamedTempFile::with_prefix("capstan-patch-").map_err(failed)?);
    let facts = match client.patch(thread, turn, |piece| out.write_all(piece)).await {
        // Nothing was noted of a thread that changed nothing.
        Err(ClientError::Refused(status)) if turn.is_none() && status.code() == Code::NotFound => PatchFacts::default(),
        told => told.map_err(refused)?.map_err(failed)?,
    };
    let file = out.into_inner().map_err(|error| failed(error.into_error()))?;
    Ok((file, facts))
}
