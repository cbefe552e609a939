//! Brings a state to the coordinator: only the packs that are not there yet.

use super::place::Place;
use super::taken::Upload;
use crate::client::Client;
use crate::failure::Failure;
use crate::refusal::refused;
use capstan_types::id::ThreadId;
use capstan_types::saved::CheckpointName;
use capstan_types::saved::record::CheckpointRecord;
use std::io;

/// The name of an upload among the checkpoints of its thread.
pub const NAME: &str = "upload";

/// What was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent {
    /// How many bytes travelled.
    pub bytes: u64,
    /// How many packs.
    pub packs: usize,
}

/// Sends an upload for a thread that is to be created of it. `progress` is told how many bytes have gone out, and of how many.
///
/// # Errors
/// The coordinator refuses it or does not answer, or a file is gone.
pub async fn send(
    client: &mut Client,
    upload: &Upload,
    place: &Place,
    thread: ThreadId,
    mut progress: impl FnMut(u64, u64),
) -> Result<Sent, Failure> {
    let lacks = client.lacks_packs(upload.taken.packs.clone()).await.map_err(refused)?;
    let files: Vec<_> = lacks.iter().map(|pack| (pack.clone(), place.pack(pack))).collect();
    let gone = |error: io::Error| {
        let failure = Failure::failed(format!("what was packed of the repository cannot be read any more: {error}"));
        failure.hint("try again: it is packed anew")
    };
    let length = |path: &std::path::Path| path.metadata().map(|found| found.len());
    let total = files.iter().map(|(_, path)| length(path)).sum::<io::Result<u64>>().map_err(|error| lost(place, error, gone))?;
    let (mut out, packs) = (0, files.len());
    if packs > 0 {
        let given = client.give_packs(files, |bytes| {
            out += bytes;
            progress(out, total);
        });
        given.await.map_err(refused)?.map_err(|error| lost(place, error, gone))?;
    }
    let name: CheckpointName = NAME.parse().map_err(Failure::failed)?;
    let record = CheckpointRecord::new(thread, name, upload.top.clone(), true, upload.taken.clone());
    client.finish_upload(record.text()).await.map_err(refused)?;
    Ok(Sent { bytes: out, packs })
}

/// What was seen is of no use without the packs.
fn lost(place: &Place, error: io::Error, told: impl Fn(io::Error) -> Failure) -> Failure {
    place.empty();
    told(error)
}
