//! Keeps a connection to each coordinator that the node dials, on which that one asks and the node answers.
//!
//! A connection that is lost is made again, later each time and at a moment of chance, so that the nodes of a coordinator that comes back do
//! not come together. One whose certificates are at half of their life is replaced before: the coordinator asks on the new one from then on,
//! and what streams on the old one streams to its end.

use crate::node::handle::NodeHandle;
use capstan_identity::time_now::now_ms;
use capstan_proto::transport::any_wire::AnyWire;
use capstan_proto::transport::breakable::Breakable;
use capstan_proto::transport::dial::{DialOut, DialedOut};
use capstan_proto::transport::tls::Caller;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::sleep;

/// The first wait before a connection is tried again, and the longest.
const FIRST_WAIT: Duration = Duration::from_millis(250);
const LONGEST_WAIT: Duration = Duration::from_secs(8);

/// The longest that a connection is kept, whatever its certificates say.
const LONGEST_LIFE: Duration = Duration::from_secs(24 * 3600);

/// Where connections go to be served, by kind.
#[derive(Debug, Clone)]
pub(super) struct Doors {
    /// Of members.
    pub(super) members: mpsc::Sender<Breakable<AnyWire, Caller>>,
    /// On loopback.
    pub(super) plain: mpsc::Sender<Breakable<AnyWire, ()>>,
}

/// Dials all of them, each in a task of its own, until what is returned is dropped.
pub(super) fn keep(places: Vec<DialOut>, node: &NodeHandle, doors: &Doors) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    for place in places {
        let (node, doors) = (node.clone(), doors.clone());
        tasks.spawn(async move {
            let stopping = node.stopping.clone();
            tokio::select! {
                never = keep_one(place, &node, &doors) => match never {},
                () = stopping.cancelled() => {}
            }
        });
    }
    tasks
}

async fn keep_one(place: DialOut, node: &NodeHandle, doors: &Doors) -> Infallible {
    let mut failures = 0;
    loop {
        // Full as long as the connection lives, wherever it is by then.
        let alive = Arc::new(Semaphore::new(1));
        let Ok(held) = Arc::clone(&alive).try_acquire_owned() else { continue };
        match place.dial(&node.record, held).await {
            Ok(DialedOut { stream, coordinator }) => {
                failures = 0;
                tracing::info!(%place, coordinator, "dialed out; the coordinator asks from now on");
                let life = life(node, stream.info().as_ref());
                doors.serve(stream).await;
                tokio::select! {
                    _ = alive.acquire() => tracing::warn!(%place, coordinator, "the connection to the coordinator was lost; it is made again"),
                    () = sleep(life) => tracing::debug!(%place, coordinator, "the connection is replaced by a new one"),
                }
                sleep(wait(0, fastrand::f64())).await;
            }
            Err(error) => {
                let wait = wait(failures, fastrand::f64());
                failures += 1;
                // The first of a row, and then one in a while: a coordinator may be away for long.
                match failures {
                    1 => tracing::warn!(%place, %error, "the coordinator cannot be dialed; it is tried again"),
                    _ => tracing::debug!(%place, %error, failures, "the coordinator cannot be dialed"),
                }
                sleep(wait).await;
            }
        }
    }
}

/// The wait after so many tries that failed before this one. `chance` is from 0 to 1.
fn wait(failures: u32, chance: f64) -> Duration {
    let longest = LONGEST_WAIT.min(FIRST_WAIT * 2_u32.saturating_pow(failures.min(16)));
    // At least half of it, so that a wait is a wait.
    longest.mul_f64(0.5 + chance.clamp(0.0, 1.0) / 2.0)
}

/// How long a connection is used: half of what is left of the certificates of both sides.
fn life(node: &NodeHandle, caller: Option<&Caller>) -> Duration {
    let theirs = caller.and_then(Caller::peer).map(|peer| peer.not_after_ms);
    let ours = node.membership.as_ref().map(|membership| membership.live.credentials().own().not_after_ms);
    let until = theirs.into_iter().chain(ours.filter(|_| theirs.is_some())).min();
    let left = until.map_or(LONGEST_LIFE, |until| Duration::from_millis(until.saturating_sub(now_ms()) / 2));
    left.clamp(Duration::from_secs(1), LONGEST_LIFE)
}

impl Doors {
    /// Has it served. Who cannot any more is stopping.
    async fn serve(&self, stream: Breakable<AnyWire, Option<Caller>>) {
        let _ = match stream.info().clone() {
            Some(caller) => self.members.send(stream.map(|stream| stream, |_| caller)).await.map_err(drop),
            None => self.plain.send(stream.map(|stream| stream, |_| ())).await.map_err(drop),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn waits_grow_to_a_bound_and_are_never_nothing(failures: u32, chance in 0.0..=1.0_f64) {
            let wait = wait(failures, chance);
            prop_assert!(wait >= FIRST_WAIT / 2 && wait <= LONGEST_WAIT, "{:?}", wait);
            prop_assert!(super::wait(failures.saturating_add(1), chance) >= wait);
        }
    }
}
