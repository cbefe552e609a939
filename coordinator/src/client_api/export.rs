//! A whole thread as lines, read from the store page by page.

use super::store_status;
use crate::rollout::Rollout;
use crate::thread::open::Threads;
use crate::thread::prompt;
use capstan_proto::wire::client as wire;
use capstan_store::store::Store;
use capstan_types::id::{EventSeq, ThreadId};
use futures::Stream;
use futures::stream::{self, StreamExt as _};
use std::pin::Pin;
use std::sync::Arc;
use tonic::{Response, Status};

/// A stream of lines, as tonic serves it.
pub(super) type ExportStream = Pin<Box<dyn Stream<Item = Result<wire::ExportResponse, Status>> + Send>>;

/// Events that are read at a time.
const PAGE: u32 = 256;

/// Where an export is.
enum Place {
    First(Rollout, String),
    After(Rollout, EventSeq),
    End,
}

pub(super) async fn export(threads: &Threads, thread: ThreadId) -> Result<Response<ExportStream>, Status> {
    let record = threads.stored(thread).await.map_err(store_status)?;
    let entries = threads.store.placed_entries(thread).await.map_err(store_status)?;
    let (rollout, first) = Rollout::begin(&record, &prompt::instructions(&record.settings), entries);
    let store = Arc::clone(&threads.store);
    let lines = stream::try_unfold((store, Place::First(rollout, first)), move |(store, place)| async move {
        Ok::<_, Status>(next(store.as_ref(), thread, place).await?.map(|(lines, place)| (lines, (store, place))))
    });
    let lines = lines.flat_map(|page| match page {
        Ok(lines) => stream::iter(lines.into_iter().map(|line| Ok(wire::ExportResponse { line })).collect::<Vec<_>>()),
        Err(status) => stream::iter(vec![Err(status)]),
    });
    Ok(Response::new(lines.boxed()))
}

async fn next(store: &dyn Store, thread: ThreadId, place: Place) -> Result<Option<(Vec<String>, Place)>, Status> {
    let (mut rollout, after) = match place {
        Place::First(rollout, first) => return Ok(Some((vec![first], Place::After(rollout, EventSeq(0))))),
        Place::After(rollout, after) => (rollout, after),
        Place::End => return Ok(None),
    };
    let page = store.events(thread, after, PAGE).await.map_err(store_status)?;
    match page.last().map(|event| event.seq) {
        Some(last) => Ok(Some((page.into_iter().flat_map(|event| rollout.add(event)).collect(), Place::After(rollout, last)))),
        None => Ok(Some((rollout.end(), Place::End))),
    }
}
