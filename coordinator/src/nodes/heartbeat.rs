//! Asks the node at the other end of a link, again and again, whether it lives: a connection can be open with nobody behind it.
//!
//! HTTP/2's own pings break such a connection while something waits on it, and say nothing of a node that answers them and nothing else.
//!
//! What it answers also says which life of it this is: of a node that is named by its address nobody else says so when it begins another.

use super::link::NodeLink;
use super::metrics;
use super::pulse::{Beat, DEADLINE, LinkState, Pulse};
use super::vitals::{Seen, of};
use capstan_proto::convert::node::record;
use capstan_proto::wire::node::{DescribeRequest, DescribeResponse};
use capstan_types::id::NodeId;
use capstan_types::load::{NodeLoad, Resource};
use capstan_types::node::NodeRecord;
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
    seen: Mutex<Option<Arc<Seen>>>,
}

impl Heartbeat {
    /// Begins those of `link`. `another` is told of each answer that comes from another life of the node, and `told` of what comes with an
    /// answer, when it differs by much from what was told before.
    pub(super) fn begin(
        link: NodeLink,
        another: impl Fn(NodeRecord) + Send + Sync + 'static,
        told: impl Fn(Told) + Send + Sync + 'static,
    ) -> Self {
        let node = link.record().id.clone();
        let shown = Arc::new(Shown { node, began: Instant::now(), pulse: Mutex::default(), seen: Mutex::default() });
        metrics::link(None, Some(LinkState::New));
        let mut beating = JoinSet::new();
        beating.spawn(beat(Arc::clone(&shown), link, another, told));
        Self { shown, _beating: beating }
    }

    /// How the link is, and when the node was last heard.
    #[must_use]
    pub fn state(&self) -> (LinkState, Option<Instant>) {
        let pulse = self.shown.pulse();
        (pulse.state(), pulse.heard().map(|heard| self.shown.began + heard))
    }
}

impl Heartbeat {
    /// What the node said of itself last.
    #[must_use]
    pub fn seen(&self) -> Option<Arc<Seen>> {
        self.shown.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
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

async fn beat(shown: Arc<Shown>, link: NodeLink, another: impl Fn(NodeRecord), told: impl Fn(Told)) {
    let mut last = None;
    loop {
        // A client of the newest connection.
        let mut node = link.describer();
        let asked = Instant::now();
        let answer = timeout(DEADLINE, node.describe(DescribeRequest {})).await;
        let beat = match answer {
            Ok(Ok(answer)) => {
                let answer = answer.into_inner();
                if let Some(found) = another_life(link.record(), answer.clone()) {
                    tracing::info!(node = %shown.node, generation = %found.generation, "the node began another life");
                    another(found);
                }
                let now = Told::of(answer.clone());
                if now.is_some() && now != last {
                    last = now;
                    now.into_iter().for_each(&told);
                }
                *shown.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(of(answer, asked)));
                Beat::Heard
            }
            Ok(Err(status)) => judged(&status),
            Err(_) => Beat::Missed,
        };
        tokio::time::sleep(shown.take(beat)).await;
    }
}

/// The node in another life than the known one, if the answer is of such. An answer that makes no sense says nothing of that.
fn another_life(known: &NodeRecord, answer: DescribeResponse) -> Option<NodeRecord> {
    let found = record(answer, known.address.clone()).ok()?;
    let differs = found.generation != known.generation || found.journal != known.journal;
    (differs && found.id == known.id).then_some(found)
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
