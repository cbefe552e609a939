//! Hears whether the node at the other end of a link lives: a connection can be open with nobody behind it. The node says so by itself on one
//! long stream; what it does not say it is asked.
//!
//! HTTP/2's own pings break such a connection while something waits on it, and say nothing of a node that answers them and nothing else.

use super::link::NodeChannel;
use super::metrics;
use super::pulse::{Beat, DEADLINE, LinkState, Pulse, SILENCE};
use capstan_proto::wire::node::node_client::NodeClient;
use capstan_proto::wire::node::{BeatRequest, DescribeRequest};
use capstan_types::id::NodeId;
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
    pub(super) fn begin(node: NodeId, client: impl Fn() -> NodeClient<NodeChannel> + Send + Sync + 'static) -> Self {
        let shown = Arc::new(Shown { node, began: Instant::now(), pulse: Mutex::default() });
        metrics::link(None, Some(LinkState::New));
        let mut beating = JoinSet::new();
        beating.spawn(beat(Arc::clone(&shown), client));
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

async fn beat(shown: Arc<Shown>, client: impl Fn() -> NodeClient<NodeChannel>) {
    loop {
        let beat = match listen(&shown, client()).await {
            Ended::Over => continue,
            Ended::Unknown => ask(client()).await,
            Ended::Judged(beat) => beat,
        };
        tokio::time::sleep(shown.take(beat)).await;
    }
}

/// How a stream of beats ended.
enum Ended {
    /// As it should: the next one is on the newest connection.
    Over,
    /// The node knows no such stream.
    Unknown,
    /// Otherwise.
    Judged(Beat),
}

/// Hears the node's own beats, which cost either side next to nothing, as long as they come.
async fn listen(shown: &Shown, mut node: NodeClient<NodeChannel>) -> Ended {
    let mut beats = match timeout(DEADLINE, node.beat(BeatRequest {})).await {
        Ok(Ok(beats)) => beats.into_inner(),
        Ok(Err(status)) if status.code() == Code::Unimplemented => return Ended::Unknown,
        Ok(Err(status)) => return Ended::Judged(judged(&status)),
        Err(_) => return Ended::Judged(Beat::Missed),
    };
    let mut heard = false;
    loop {
        let within = if heard { SILENCE } else { DEADLINE };
        match timeout(within, beats.message()).await {
            Ok(Ok(Some(_))) => {
                heard = true;
                // When the next one is due is the node's choice.
                let _ = shown.take(Beat::Heard);
            }
            // A node that ends it at once would be asked without end.
            Ok(Ok(None)) if heard => return Ended::Over,
            Ok(Ok(None)) => return Ended::Judged(Beat::Heard),
            Ok(Err(_)) | Err(_) => return Ended::Judged(Beat::Missed),
        }
    }
}

/// A node of an older release is asked again and again.
async fn ask(mut node: NodeClient<NodeChannel>) -> Beat {
    match timeout(DEADLINE, node.describe(DescribeRequest {})).await {
        Ok(Ok(_)) => Beat::Heard,
        Ok(Err(status)) => judged(&status),
        Err(_) => Beat::Missed,
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
