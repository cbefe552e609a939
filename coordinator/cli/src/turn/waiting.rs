//! A thread that has to wait for room on a node: whoever started it is told so, where it stands and why, until it has a place.

use crate::client::{Client, ClientError, ForkAt};
use crate::render::Render;
use capstan_types::event::{Event, EventBody};
use capstan_types::id::{EventSeq, ThreadId};
use capstan_types::thread::{ThreadRecord, ThreadSettings};
use capstan_types::time::UnixMillis;
use std::time::Duration;
use tokio::time::sleep;

/// How often it is asked how the thread waits. Most threads have a place before the first time.
const EVERY: Duration = Duration::from_secs(1);

/// Starts a thread, and shows how it waits meanwhile. Dropping the future gives its place in the line up.
///
/// # Errors
/// As [`Client::create`].
pub(super) async fn create(
    client: &mut Client,
    thread: ThreadId,
    settings: ThreadSettings,
    render: &mut impl Render,
) -> Result<(), ClientError> {
    let asking = client.clone();
    shown_until(asking, thread, Box::pin(client.create(thread, settings)), render).await
}

/// Forks a thread, and shows meanwhile how far its workspace is, if it gets one of its own.
///
/// # Errors
/// As [`Client::fork`].
pub(super) async fn fork(
    client: &mut Client,
    source: ThreadId,
    at: ForkAt,
    new: ThreadId,
    render: &mut impl Render,
) -> Result<(ThreadRecord, EventSeq), ClientError> {
    let asking = client.clone();
    shown_until(asking, new, Box::pin(client.fork(source, at, new)), render).await
}

async fn shown_until<T>(
    mut asking: Client,
    thread: ThreadId,
    mut created: impl Future<Output = Result<T, ClientError>> + Unpin,
    render: &mut impl Render,
) -> Result<T, ClientError> {
    let mut shown = None;
    loop {
        let looked = async {
            sleep(EVERY).await;
            asking.waiting(thread).await
        };
        let waits = tokio::select! {
            biased;
            done = &mut created => return done,
            waits = looked => waits,
        };
        if waits != shown
            && let Some(message) = waits.clone()
        {
            let body = EventBody::Notice { message };
            // Output that cannot be written is met again with the thread's first event.
            let _ = render.show(&Event { seq: EventSeq(0), at: UnixMillis(0), turn: None, body });
        }
        shown = waits;
    }
}
