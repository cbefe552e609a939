//! What became of the sessions that were asked for since the process started, and of their output.

use crate::error::NodeError;
use capstan_types::launch::SessionEnd;
use capstan_types::output::Piece;
use capstan_types::session::SessionEvent;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use std::sync::LazyLock;
use std::time::Duration;

static STARTS: LazyLock<Family<Asked, Counter>> = LazyLock::new(Family::default);
static START_TIME: LazyLock<Histogram> = LazyLock::new(|| Histogram::new(exponential_buckets(0.000_5, 2.0, 14)));
static ENDS: LazyLock<Family<Ended, Counter>> = LazyLock::new(Family::default);
static STREAMS: LazyLock<Gauge> = LazyLock::new(Gauge::default);
static RELAYED: LazyLock<Counter> = LazyLock::new(Counter::default);
static DROPPED: LazyLock<Counter> = LazyLock::new(Counter::default);

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Asked {
    outcome: Start,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
enum Start {
    Started,
    Refused,
    Busy,
    Unknown,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Ended {
    end: End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
enum End {
    Exited,
    Signalled,
    Limit,
    Killed,
    Unknown,
}

/// Registers these families.
pub(crate) fn register(registry: &mut Registry) {
    registry.register("node_session_starts", "Sessions asked for, by what came of it", STARTS.clone());
    let help = "From the request to the answer of the runner, for sessions that were started";
    registry.register_with_unit("node_session_start", help, Unit::Seconds, START_TIME.clone());
    registry.register("node_session_ends", "Sessions that ended, by how", ENDS.clone());
    registry.register("node_streams", "Readers of sessions now", STREAMS.clone());
    registry.register_with_unit("node_output_relayed", "Output sent to readers", Unit::Bytes, RELAYED.clone());
    let help = "Output that readers were told is missing, because its session wrote more than is kept";
    registry.register_with_unit("node_output_dropped", help, Unit::Bytes, DROPPED.clone());
}

/// A start was answered after so long.
pub(crate) fn asked<T>(result: &Result<T, NodeError>, took: Duration) {
    let outcome = match result {
        Ok(_) => {
            START_TIME.observe(took.as_secs_f64());
            Start::Started
        }
        Err(NodeError::Short { .. } | NodeError::Full { .. }) => Start::Busy,
        Err(NodeError::Refused(_)) => Start::Refused,
        Err(_) => Start::Unknown,
    };
    STARTS.get_or_create(&Asked { outcome }).inc();
}

/// A session ended.
pub(crate) fn ended(end: &SessionEnd) {
    let end = match end {
        SessionEnd::Exited { .. } => End::Exited,
        SessionEnd::Signalled { .. } => End::Signalled,
        SessionEnd::Limit(_) => End::Limit,
        SessionEnd::Killed { .. } => End::Killed,
        SessionEnd::Unknown { .. } => End::Unknown,
    };
    ENDS.get_or_create(&Ended { end }).inc();
}

/// A reader is there until this is dropped.
#[derive(Debug)]
pub(crate) struct Open(());

impl Open {
    pub(crate) fn now() -> Self {
        STREAMS.inc();
        Self(())
    }

    /// Something is sent to the reader.
    pub(crate) fn sent(&self, event: &SessionEvent) {
        match event {
            SessionEvent::Output(Piece::Bytes { bytes, .. }) => drop(RELAYED.inc_by(bytes.len() as u64)),
            SessionEvent::Output(Piece::Gap { bytes, .. }) => drop(DROPPED.inc_by(*bytes)),
            SessionEvent::Started { .. } | SessionEvent::Denied(_) | SessionEvent::Ended { .. } => {}
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        STREAMS.dec();
    }
}
