//! What stands before each start: the last measurement, judged.
//!
//! It is measured by a task of the node: while starts are asked for or something is short at most every [`EVERY`], else every [`IDLE`].
//! So a start is judged by figures of at most [`IDLE`] and what one measurement takes; what was started since they were taken is counted
//! exactly. Invariant: a start neither measures nor waits, and only a file system that does not answer can make the figures older.

use super::decision::{Rooms, Short, Verdict, decide, observe};
use super::sample::{Sampler, threads};
use super::watermarks::{Marks, Watermarks};
use super::workspace_disks::WorkspaceDisks;
use crate::ballast::Ballast;
use capstan_types::load::{NodeLoad, Resource};
use capstan_types::path::AbsPath;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, watch};
use tokio::time::{sleep, timeout};

/// The shortest time between two measurements.
const EVERY: Duration = Duration::from_millis(250);

/// The longest time between two measurements.
const IDLE: Duration = Duration::from_secs(1);

/// How long somebody who only wants to know waits for newer figures when these are past their time.
const PATIENCE: Duration = Duration::from_millis(500);

/// The gate of one node. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Gate {
    inner: Arc<Inner>,
}

struct Inner {
    marks: Marks,
    measure: Box<dyn Fn() -> Rooms + Send + Sync>,
    ballast: Ballast,
    seen: Mutex<Seen>,
    workspaces: WorkspaceDisks,
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
        let sampler = Sampler::new(ballast.dir());
        Self::measuring(marks, ballast, move || sampler.rooms())
    }

    fn measuring(marks: Watermarks, ballast: Ballast, measure: impl Fn() -> Rooms + Send + Sync + 'static) -> Self {
        let rooms = measure();
        let short = observe(&BTreeSet::new(), &rooms, &marks);
        let seen = Mutex::new(Seen { at: Instant::now(), rooms, short, admitted: 0, refused: BTreeMap::new() });
        let marks = Marks::new(marks);
        let (workspaces, measured) = (WorkspaceDisks::new(marks.clone()), watch::Sender::new(0));
        let inner = Inner { marks, measure: Box::new(measure), ballast, seen, workspaces, wanted: Notify::new(), measured };
        Self { inner: Arc::new(inner) }
    }

    /// Judges by these marks from now on.
    pub(crate) fn judge_by(&self, marks: Watermarks) {
        self.inner.marks.set(marks);
    }

    /// Measures whenever it is wanted, and does not end by itself.
    pub(crate) async fn keep_measuring(self) {
        tokio::join!(self.keep_measuring_the_host(), self.inner.workspaces.keep_measuring(EVERY, IDLE));
    }

    async fn keep_measuring_the_host(&self) {
        loop {
            let (age, short) = self.read(|seen| (seen.at.elapsed(), !seen.short.is_empty()));
            // What is short is looked at often also when nobody asks, so that the ballast comes back and the log tells.
            let pause = if short { EVERY } else { IDLE };
            let _ = timeout(pause.saturating_sub(age), self.inner.wanted.notified()).await;
            sleep(EVERY.saturating_sub(self.read(|seen| seen.at.elapsed()))).await;
            let gate = self.clone();
            let _ = tokio::task::spawn_blocking(move || gate.measure()).await;
        }
    }

    /// Takes note that sessions will be started in `dir`, so that its disk is measured before the first of them.
    pub(crate) fn expect_starts_in(&self, dir: &AbsPath) {
        let _ = self.inner.workspaces.of(dir.as_path());
    }

    /// Whether a session may be started in `cwd` now: if not, of what there is too little, and when to ask again.
    pub(crate) fn admit(&self, cwd: &AbsPath) -> Result<(), (Short, Duration)> {
        self.inner.wanted.notify_one();
        let workspace = self.inner.workspaces.of(cwd.as_path());
        let dice = RandomState::new().build_hasher().finish();
        let mut seen = self.seen();
        let (mut rooms, mut short) = (seen.rooms.clone(), seen.short.clone());
        rooms.extend(workspace.map(|disk| (Resource::WorkspaceDisk, disk.room)));
        short.extend(workspace.filter(|disk| disk.short).map(|_| Resource::WorkspaceDisk));
        match decide(&rooms, &short, &self.inner.marks.now(), seen.admitted, dice) {
            Verdict::Admit => {
                seen.admitted += 1;
                Ok(())
            }
            Verdict::Refuse { short, retry_after } => {
                *seen.refused.entry(short.resource).or_default() += 1;
                Err((short.in_workspace(cwd), retry_after))
            }
        }
    }

    /// Adds what was measured last to an account of the sessions. Figures that are past their time are waited for a moment.
    pub(crate) async fn load(&self, sessions: NodeLoad) -> NodeLoad {
        self.refresh().await;
        let tasks = tokio::runtime::Handle::current().metrics().num_alive_tasks();
        self.with_figures(sessions, tasks)
    }

    fn with_figures(&self, sessions: NodeLoad, tasks: usize) -> NodeLoad {
        let workspaces = self.inner.workspaces.tightest();
        let seen = self.seen();
        let (mut rooms, mut short) = (seen.rooms.clone(), seen.short.clone());
        rooms.extend(workspaces.map(|disk| (Resource::WorkspaceDisk, disk.room)));
        short.extend(workspaces.filter(|disk| disk.short).map(|_| Resource::WorkspaceDisk));
        NodeLoad {
            threads: threads(),
            tasks: u32::try_from(tasks).unwrap_or(u32::MAX),
            rooms,
            short: short.into_iter().collect(),
            refused: seen.refused.clone(),
            ..sessions
        }
    }

    /// The same by the figures that there are, without waiting.
    pub(crate) fn last_measured(&self, sessions: NodeLoad) -> NodeLoad {
        self.inner.wanted.notify_one();
        self.with_figures(sessions, 0)
    }

    async fn refresh(&self) {
        let mut measured = self.inner.measured.subscribe();
        let stale = self.read(|seen| seen.at.elapsed() >= IDLE);
        self.inner.wanted.notify_one();
        if stale {
            let _ = timeout(PATIENCE, measured.changed()).await;
        }
    }

    fn measure(&self) {
        let rooms = (self.inner.measure)();
        let mut seen = self.seen();
        let short = observe(&seen.short, &rooms, &self.inner.marks.now());
        tell(&seen.short, &short);
        let disk_is_fine = !short.contains(&Resource::Disk);
        (seen.at, seen.rooms, seen.short, seen.admitted) = (Instant::now(), rooms, short, 0);
        drop(seen);
        if disk_is_fine {
            self.inner.ballast.restore();
        }
        self.inner.measured.send_modify(|count| *count += 1);
    }

    fn read<T>(&self, what: impl FnOnce(&Seen) -> T) -> T {
        what(&self.seen())
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        // Each change leaves it whole.
        self.inner.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inner").field("marks", &self.marks).field("seen", &self.seen).finish_non_exhaustive()
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

#[cfg(test)]
mod tests;
