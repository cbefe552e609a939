//! An index of what is read-only by its name below writable directories, so that no launch has to look through them.
//!
//! Each directory is looked at when it is opened or first written to, again after each session that could write to it, and again when a
//! launch finds that the last look is old: people make repositories too. What a session has put under a protected name is renamed by the
//! look after it, so that nobody obeys it. A launch waits for a look that is due, a little; without one the
//! runner looks for itself.
//!
//! Invariant: a list that is handed out was begun after the last session that could write there ended. What sessions that still run have
//! made since is found by a look after them, or by one that a launch asks for because the last is old.

use crate::session::runner::Runner;
use capstan_types::path::AbsPath;
use capstan_types::policy::{SandboxMode, SandboxPolicy};
use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

/// How long a launch waits for a look that is due.
const PATIENCE: Duration = Duration::from_secs(2);

/// How old a look may be.
const FRESH: Duration = Duration::from_secs(30);

/// When a look that failed is asked for again, if nobody asks before.
const AGAIN: Duration = Duration::from_secs(2);

/// How many directories are kept in mind. Full: one that no session writes to is forgotten, or else the new one is not kept.
const MOST_ROOTS: usize = 256;

/// How many directories are looked through at once.
const AT_ONCE: usize = 2;

/// Each session has its own of these. Where it has not, nobody keeps a repository there.
pub(crate) const PRIVATE: [&str; 2] = ["/tmp", "/dev/shm"];

/// What is said where not everything was looked at.
const GAP: &str = "protected names were not looked for in all of the writable directories, which hold too many files";

/// The index. One per node.
pub(crate) struct Protected {
    runner: Runner,
    /// What lies below is the node's own.
    own: AbsPath,
    /// What lies below are workspaces all the same.
    made: AbsPath,
    roots: Mutex<HashMap<Key, Arc<Root>>>,
    turns: Arc<Semaphore>,
}

/// What a launch is told.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Known {
    /// What is read-only; `None` when the runner has to look.
    pub(crate) places: Option<Vec<AbsPath>>,
    /// What was not looked at, in words.
    pub(crate) gap: Option<String>,
}

/// A session that may write to some directories. When it is over, or the last clone is dropped, they are looked at again.
#[derive(Debug, Clone, Default)]
pub(crate) struct Writes(Arc<Written>);

#[derive(Debug, Default)]
struct Written {
    roots: Vec<Arc<Root>>,
    /// Since when what has come to be may be the session's; none for one without a sandbox, which may put what it likes where it likes.
    since: Option<SystemTime>,
    over: AtomicBool,
}

/// The time by the clock that files are dated by, which is a little behind the precise one.
fn clock_of_files() -> SystemTime {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::RealtimeCoarse);
    let nanoseconds = u32::try_from(now.tv_nsec).unwrap_or_default();
    UNIX_EPOCH + Duration::new(u64::try_from(now.tv_sec).unwrap_or_default(), nanoseconds)
}

/// A directory, and what is protected there besides [`capstan_types::policy::PROTECTED`].
type Key = (AbsPath, Vec<String>);

/// One directory.
#[derive(Debug)]
struct Root {
    look: watch::Sender<Look>,
    /// Looks, until nobody needs it any more.
    _looking: JoinSet<()>,
}

/// Looks are numbered: one that begins sees all that was asked for before.
#[derive(Debug, Default)]
struct Look {
    asked: u64,
    /// Since when what has come to be is to be judged.
    since: Option<SystemTime>,
    seen: u64,
    /// When the last one began.
    at: Option<Instant>,
    /// `None` when it failed.
    found: Option<Arc<[AbsPath]>>,
    exhausted: bool,
}

impl Protected {
    pub(crate) fn new(runner: Runner, own: AbsPath, made: AbsPath) -> Self {
        Self { runner, own, made, roots: Mutex::default(), turns: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// Looks at a directory in the background, which will most likely be written to.
    pub(crate) fn look_at(&self, root: &AbsPath) {
        if let Some(root) = self.root(&(root.clone(), Vec::new())) {
            root.ask();
        }
    }

    /// What is read-only below the directories that `policy` lets be written.
    pub(crate) async fn below(&self, policy: &SandboxPolicy) -> Known {
        if policy.mode != SandboxMode::WorkspaceWrite {
            return Known::default();
        }
        let roots: Option<Vec<_>> = self.indexed(policy).map(|key| self.root(&key)).collect();
        let Some(roots) = roots else { return Known::default() };
        // Asked first, so that they are looked at side by side.
        let due: Vec<_> = roots.iter().map(|root| root.due()).collect();
        let looks = futures::future::join_all(roots.iter().zip(due).map(|(root, due)| root.seen(due)));
        let looks = tokio::time::timeout(PATIENCE, looks).await.unwrap_or_default();
        if looks.len() < roots.len() {
            return Known::default();
        }
        let exhausted = looks.iter().any(|(_, exhausted)| *exhausted);
        let places: Option<Vec<_>> = looks.into_iter().map(|(found, _)| found).collect();
        let places = places.map(|lists| lists.iter().flat_map(|list| list.iter().cloned()).collect());
        Known { gap: (exhausted && places.is_some()).then(|| GAP.to_owned()), places }
    }

    /// Takes note of a session under `policy`.
    pub(crate) fn writes(&self, policy: &SandboxPolicy) -> Writes {
        let is_free = policy.mode == SandboxMode::DangerFullAccess || policy.unprotected;
        let since = (!is_free).then(clock_of_files);
        Writes(Arc::new(Written { roots: self.roots_of(policy), since, over: AtomicBool::new(false) }))
    }

    fn roots_of(&self, policy: &SandboxPolicy) -> Vec<Arc<Root>> {
        match policy.mode {
            SandboxMode::ReadOnly => Vec::new(),
            SandboxMode::WorkspaceWrite => {
                let written: Vec<_> = self.indexed(policy).map(|(root, _)| root).collect();
                // However they are named: one that is kept may lie in one that is written, or above it.
                let touches = |(kept, _): &Key| written.iter().any(|root| kept.is_within(root) || root.is_within(kept));
                self.lock().iter().filter(|(key, _)| touches(key)).map(|(_, root)| Arc::clone(root)).collect()
            }
            SandboxMode::DangerFullAccess => self.lock().values().cloned().collect(),
        }
    }

    /// [`Protected::writes`] for a session of an earlier life that began at `since`.
    pub(crate) fn writes_since(&self, policy: &SandboxPolicy, since: SystemTime) -> Writes {
        if policy.mode == SandboxMode::WorkspaceWrite {
            self.indexed(policy).for_each(|key| drop(self.root(&key)));
        }
        let roots = self.roots_of(policy);
        let since = (policy.mode != SandboxMode::DangerFullAccess).then_some(since);
        Writes(Arc::new(Written { roots, since, over: AtomicBool::new(false) }))
    }

    fn indexed<'a>(&self, policy: &'a SandboxPolicy) -> impl Iterator<Item = Key> + 'a {
        let (own, made) = (self.own.clone(), self.made.clone());
        let is_own = move |root: &AbsPath| root.is_within(&own) && !root.is_within(&made);
        let private = |root: &AbsPath| PRIVATE.iter().any(|private| root.as_path() == Path::new(private));
        let indexed = policy.writable.iter().filter(move |root| !private(root) && !is_own(root));
        indexed.map(|root| (root.clone(), policy.protected.clone()))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Key, Arc<Root>>> {
        // A map is whole between any two of its methods.
        self.roots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn root(&self, key: &Key) -> Option<Arc<Root>> {
        let mut roots = self.lock();
        if let Some(root) = roots.get(key) {
            return Some(Arc::clone(root));
        }
        if roots.len() >= MOST_ROOTS {
            let unused = roots.iter().find(|(_, root)| Arc::strong_count(root) == 1).map(|(key, _)| key.clone())?;
            roots.remove(&unused);
        }
        let root = Arc::new(Root::new(self.runner.clone(), key.clone(), Arc::clone(&self.turns))?);
        roots.insert(key.clone(), Arc::clone(&root));
        Some(root)
    }
}

impl fmt::Debug for Protected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Protected({} directories)", self.lock().len())
    }
}

impl Root {
    /// `None` outside of a runtime.
    fn new(runner: Runner, key: Key, turns: Arc<Semaphore>) -> Option<Self> {
        let (look, looks) = watch::channel(Look::default());
        let mut looking = JoinSet::new();
        looking.spawn_on(keep_looking(runner, key, turns, look.clone(), looks), &tokio::runtime::Handle::try_current().ok()?);
        Some(Self { look, _looking: looking })
    }

    /// Asks for a look.
    fn ask(&self) {
        self.look.send_modify(|look| look.asked += 1);
    }

    /// Asks for a look after a session that began at `since`.
    fn ask_after(&self, since: Option<SystemTime>) {
        self.look.send_modify(|look| {
            look.asked += 1;
            look.since = look.since.into_iter().chain(since).min();
        });
    }

    /// The look that a launch needs. Asks for one if the last is old.
    fn due(&self) -> u64 {
        let mut due = 0;
        self.look.send_if_modified(|look| {
            let old = look.seen == look.asked && look.at.is_none_or(|at| at.elapsed() > FRESH);
            look.asked += u64::from(old);
            due = look.asked;
            old
        });
        due
    }

    /// What the look with this number, or a later one, found.
    async fn seen(&self, number: u64) -> (Option<Arc<[AbsPath]>>, bool) {
        let mut looks = self.look.subscribe();
        // The sender is ours, so that this waits and does not fail.
        match looks.wait_for(|look| look.seen >= number).await {
            Ok(look) => (look.found.clone(), look.exhausted),
            Err(_) => (None, false),
        }
    }
}

impl Writes {
    /// The session has ended.
    pub(crate) fn over(&self) {
        self.0.over();
    }
}

impl Written {
    fn over(&self) {
        if !self.over.swap(true, Ordering::Relaxed) {
            self.roots.iter().for_each(|root| root.ask_after(self.since));
        }
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        self.over();
    }
}

/// One look at a time, each for all that was asked until it began.
async fn keep_looking(
    runner: Runner,
    (path, names): Key,
    turns: Arc<Semaphore>,
    look: watch::Sender<Look>,
    mut looks: watch::Receiver<Look>,
) {
    let mut failed = false;
    loop {
        tokio::select! {
            asked = looks.wait_for(|look| look.asked > look.seen) => if asked.is_err() { return },
            () = tokio::time::sleep(AGAIN), if failed => look.send_modify(|look| look.asked += 1),
        }
        let Ok(_turn) = turns.acquire().await else { return };
        let mut since = None;
        look.send_if_modified(|look| {
            since = look.since.take();
            false
        });
        let (number, at) = (look.borrow().asked, Instant::now());
        let scan = runner.scan(&path, &names, since).await;
        if let Err(error) = &scan {
            tracing::warn!(dir = %path, %error, "protected names could not be looked for; each launch looks for itself");
        }
        for denial in scan.iter().flat_map(|scan| &scan.refused) {
            tracing::warn!(dir = %path, %denial, "a session left what would be obeyed");
        }
        failed = scan.is_err();
        // What sessions wrote since then is not judged yet: the next look does it.
        let unjudged = since.filter(|_| failed);
        let (found, exhausted) = scan.map_or((None, false), |scan| (Some(scan.found.into()), scan.exhausted));
        look.send_modify(|look| {
            let since = look.since.into_iter().chain(unjudged).min();
            *look = Look { asked: look.asked, since, seen: number, at: Some(at), found, exhausted }
        });
    }
}

#[cfg(test)]
mod tests;
