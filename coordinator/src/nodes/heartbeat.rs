//! Asks the node at the other end of a link, again and again, whether it lives: a connection can be open with nobody behind it.
//!
//! HTTP/2's own pings break such a connection while something waits on it, and say nothing of a node that answers them and nothing else.

use super::link::NodeChannel;
use super::metrics;
use super::pulse::{Beat, DEADLINE, LinkState, Pulse};
use capstan_proto::wire::node::node_client::NodeClient;
use capstan_proto::wire::node::{DescribeRequest, DescribeResponse};
use capstan_types::id::NodeId;
use capstan_types::load::{NodeLoad, Resource};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tonic::{Code, Status};

/// The heartbeats of one link. Dropping it ends them.
#[derive(Debug)]
pub struct Heartbeat {
    shown: Arc<Shown>,
    _beating: JoinSet<()>,
}

#[derive(Debug)]
struct Shown {
    node: NodeId,
    began: Instant,
    pulse: Mutex<Pulse>,
}

impl Heartbeat {
    /// Begins them. `client` makes a client of the newest connection.
    /// What is told with an answer goes to `told`, when it differs by much from what was told before.
    pub(super) fn begin(
        node: NodeId,
        client: impl Fn() -> NodeClient<NodeChannel> + Send + Sync + 'static,
        told: impl Fn(Told) + Send + Sync + 'static,
    ) -> Self {
        let shown = Arc::new(Shown { node, began: Instant::now(), pulse: Mutex::default() });
        metrics::link(None, Some(LinkState::New));
        let mut beating = JoinSet::new();
        beating.spawn(beat(Arc::clone(&shown), client, told));
        Self { shown, _beating: beating }
    }

    /// How the link is, and when the node was last heard.
    #[must_use]
    pub fn state(&self) -> (LinkState, Option<Instant>) {
        let pulse = self.shown.pulse();
        (pulse.state(), pulse.heard().map(|heard| self.shown.began + heard))
    }
}

impl Drop for Heartbeat {
    fn drop(&mut self) {
        metrics::link(Some(self.shown.pulse().state()), None);
    }
}

impl Shown {
    fn pulse(&self) -> Pulse {
        *self.pulse.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn beat(shown: Arc<Shown>, client: impl Fn() -> NodeClient<NodeChannel>, told: impl Fn(Told)) {
    let mut last = None;
    loop {
        let mut node = client();
        let answer = timeout(DEADLINE, node.describe(DescribeRequest {})).await;
        let beat = match &answer {
            Ok(Ok(_)) => Beat::Heard,
            Ok(Err(status)) => judged(status),
            Err(_) => Beat::Missed,
        };
        if let Ok(Ok(answer)) = answer {
            let now = Told::of(answer.into_inner());
            if now.is_some() && now != last {
                last = now;
                now.into_iter().for_each(&told);
            }
        }
        tokio::time::sleep(shown.take(beat)).await;
    }
}

/// What a node tells of itself that changes often, coarsely, so that little of it is news.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// What is free of the disk that holds its state, in bytes; `None` when it does not say.
    pub disk_free: Option<u64>,
    /// How many thousandths of its session slots are taken.
    pub busy: u16,
}

/// So many parts of a disk, and of a node's slots, are told apart.
const PARTS: u64 = 64;

impl Told {
    fn of(answer: DescribeResponse) -> Option<Self> {
        let slots = u64::from(answer.capacity?.sessions.max(1));
        let load = NodeLoad::from(answer.load?);
        let coarse = |part: u64, of: u64| part.saturating_mul(PARTS) / of.max(1);
        let disk_free = load.rooms.get(&Resource::Disk).map(|room| {
            // Less rather than more.
            u64::try_from(u128::from(coarse(room.free, room.total)) * u128::from(room.total) / u128::from(PARTS)).unwrap_or(0)
        });
        let taken = coarse(u64::from(load.running.saturating_add(load.starting)), slots).min(PARTS);
        Some(Self { disk_free, busy: u16::try_from(taken * 1000 / PARTS).unwrap_or(1000) })
    }
}

/// Who refuses is there.
fn judged(status: &Status) -> Beat {
    match status.code() {
        Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled | Code::Unknown | Code::Internal => Beat::Missed,
        _ => Beat::Heard,
    }
}

impl Shown {
    fn take(&self, beat: Beat) -> Duration {
        let (before, after, wait) = {
            let mut pulse = self.pulse.lock().unwrap_or_else(PoisonError::into_inner);
            let before = pulse.state();
            let wait = pulse.beat(beat, self.began.elapsed(), fastrand::f64());
            (before, pulse.state(), wait)
        };
        if before != after {
            metrics::link(Some(before), Some(after));
            match (before, after) {
                (_, LinkState::Silent) => {
                    tracing::warn!(node = %self.node, "the node does not answer; nothing new is begun there until it does")
                }
                (LinkState::Silent, _) => tracing::info!(node = %self.node, "the node answers again"),
                (_, _) => {}
            }
        }
        wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_that_refuses_is_there() {
        assert_eq!(judged(&Status::permission_denied("")), Beat::Heard);
        assert_eq!(judged(&Status::resource_exhausted("")), Beat::Heard);
        assert_eq!(judged(&Status::unavailable("")), Beat::Missed);
    }
}
