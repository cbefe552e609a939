//! What stands before each start: the last measurement, judged.
//!
//! It is measured by a task of the node, at most every [`EVERY`], and only while starts are asked for or something is short.

use super::decision::{Rooms, Short, Verdict, decide, observe};
use super::sample::{Sampler, threads};
use super::watermarks::Watermarks;
use crate::ballast::Ballast;
use capstan_types::load::{NodeLoad, Resource};
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, watch};
use tokio::time::{sleep, timeout};

/// The shortest time between two measurements.
const EVERY: Duration = Duration::from_millis(250);

/// An older measurement is not judged by, if a newer one can be had.
const STALE: Duration = Duration::from_secs(1);

/// How long a start waits for a newer one: a file system that does not answer must not stop the node.
const PATIENCE: Duration = Duration::from_millis(500);

/// The gate of one node. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Gate {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    marks: Watermarks,
    sampler: Sampler,
    seen: Mutex<Seen>,
    /// Somebody wants to know.
    wanted: Notify,
    /// Counts the measurements.
    measured: watch::Sender<u64>,
}

#[derive(Debug)]
struct Seen {
    at: Instant,
    rooms: Rooms,
    short: BTreeSet<Resource>,
    /// Since then.
    admitted: u64,
    refused: BTreeMap<Resource, u64>,
}

impl Gate {
    /// Measures once. It blocks for that.
    pub(crate) fn new(marks: Watermarks, ballast: Ballast) -> Self {
        let sampler = Sampler::new(ballast);
        let rooms = sampler.rooms();
        let short = observe(&BTreeSet::new(), &rooms, &marks);
        let seen = Seen { at: Instant::now(), rooms, short, admitted: 0, refused: BTreeMap::new() };
        let inner = Inner { marks, sampler, seen: Mutex::new(seen), wanted: Notify::new(), measured: watch::Sender::new(0) };
        Self { inner: Arc::new(inner) }
    }

    /// Measures whenever it is wanted, and does not end by itself.
    pub(crate) async fn keep_measuring(self) {
        loop {
            let short = !self.seen().short.is_empty();
            // What is short is looked at also when nobody asks, so that the ballast comes back and the log tells.
            let _ = timeout(if short { EVERY } else { Duration::MAX }, self.inner.wanted.notified()).await;
            let passed = self.seen().at.elapsed();
            sleep(EVERY.saturating_sub(passed)).await;
            let gate = self.clone();
            let _ = tokio::task::spawn_blocking(move || gate.measure()).await;
        }
    }

    /// Whether a session may be started now: if not, of what there is too little, and when to ask again.
    pub(crate) async fn admit(&self) -> Result<(), (Short, Duration)> {
        self.refresh().await;
        let dice = RandomState::new().build_hasher().finish();
        let mut seen = self.seen();
        let verdict = decide(&seen.rooms, &seen.short, &self.inner.marks, seen.admitted, dice);
        match verdict {
            Verdict::Admit => {
                seen.admitted += 1;
                Ok(())
            }
            Verdict::Refuse { short, retry_after } => {
                *seen.refused.entry(short.resource).or_default() += 1;
                Err((short, retry_after))
            }
        }
    }

    /// Adds what was measured last to an account of the sessions.
    pub(crate) async fn load(&self, sessions: NodeLoad) -> NodeLoad {
        self.refresh().await;
        let tasks = tokio::runtime::Handle::current().metrics().num_alive_tasks();
        let seen = self.seen();
        NodeLoad {
            threads: threads(),
            tasks: u32::try_from(tasks).unwrap_or(u32::MAX),
            rooms: seen.rooms.clone(),
            short: seen.short.iter().copied().collect(),
            refused: seen.refused.clone(),
            ..sessions
        }
    }

    async fn refresh(&self) {
        let mut measured = self.inner.measured.subscribe();
        let stale = self.seen().at.elapsed() >= STALE;
        self.inner.wanted.notify_one();
        if stale {
            let _ = timeout(PATIENCE, measured.changed()).await;
        }
    }

    fn measure(&self) {
        let rooms = self.inner.sampler.rooms();
        let mut seen = self.seen();
        let short = observe(&seen.short, &rooms, &self.inner.marks);
        tell(&seen.short, &short);
        let disk_is_fine = !short.contains(&Resource::Disk);
        (seen.at, seen.rooms, seen.short, seen.admitted) = (Instant::now(), rooms, short, 0);
        drop(seen);
        if disk_is_fine {
            self.inner.sampler.ballast.restore();
        }
        self.inner.measured.send_modify(|count| *count += 1);
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        // Each change leaves it whole.
        self.inner.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn tell(before: &BTreeSet<Resource>, now: &BTreeSet<Resource>) {
    for resource in now.difference(before) {
        tracing::warn!(%resource, "the node is short of something; it starts no session until there is more");
    }
    for resource in before.difference(now) {
        tracing::info!(%resource, "the node has enough again");
    }
}
