//! Checkouts: the files of a revision in a workspace's own directory, with a repository of its own.
//!
//! Where this host can do it, a revision is checked out once, and each workspace is a layer over that or shares its blocks: it is there in the time of
//! a mount. No workspace can write to what others have: below an overlay lies what nobody is given, and a copy shares nothing.

mod base;
pub(crate) mod overlay;
mod strategy;

pub(crate) use strategy::Strategy;

use crate::error::NodeError;
use crate::session::launcher::Launcher;
use crate::workspace::flight::Flights;
use crate::workspace::git_job::{self, GitJob};
use crate::workspace::mirror::{Aside, Asker, Mirrors, Ready, no_room};
use crate::workspace::telling::Teller;
use bytes::Bytes;
use capstan_types::path::AbsPath;
use capstan_types::policy::SandboxPolicy;
use capstan_types::source::GitSource;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// How long one copy of prepared files may take.
const DEADLINE: Duration = Duration::from_secs(900);

/// How many checkouts are made at once on a node. Full: the next one waits its turn.
const AT_ONCE: usize = 4;

/// The checkouts of a node. Clones are the same ones.
#[derive(Debug, Clone)]
pub(crate) struct Checkouts {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    mirrors: Mirrors,
    strategy: Strategy,
    /// Where bases are made: on the same file system, and emptied when the node starts.
    aside: PathBuf,
    launcher: Arc<Launcher>,
    flights: Flights<PathBuf>,
    turns: Semaphore,
}

/// A checkout that was made.
#[derive(Debug)]
pub(crate) struct CheckedOut {
    pub(crate) how: Strategy,
    pub(crate) ready: Ready,
    /// What its layer lies over, and must stay as long as it.
    pub(crate) base: Option<PathBuf>,
}

impl Checkouts {
    pub(crate) fn new(mirrors: Mirrors, strategy: Strategy, aside: PathBuf, launcher: Arc<Launcher>) -> Self {
        let (flights, turns) = (Flights::default(), Semaphore::new(AT_ONCE));
        Self { inner: Arc::new(Inner { mirrors, strategy, aside, launcher, flights, turns }) }
    }

    /// Has the files of a revision in `place`, whose directory `tree` is there and empty; of an overlay, what it is mounted of.
    pub(crate) async fn make(
        &self,
        source: &GitSource,
        asker: Asker<'_>,
        place: &Path,
        teller: &mut Teller,
    ) -> Result<CheckedOut, NodeError> {
        let Inner { mirrors, strategy, .. } = &*self.inner;
        // Half of what was asked for would look like all of it.
        for (asked, what) in [(source.submodules, "submodules"), (source.lfs, "files of LFS")] {
            if asked {
                return Err(NodeError::NoSource(format!(
                    "this node cannot bring {what} yet; ask for {} without them",
                    source.url
                )));
            }
        }
        let ready = mirrors.ready(source, asker, teller).await?;
        let tree = place.join("tree");
        let base = match strategy {
            Strategy::Overlay => {
                let base = self.base(source, asker, &ready, teller).await?;
                overlay::lay_out(place).map_err(|error| no_room(&error))?;
                Some(base)
            }
            Strategy::Reflink => {
                let base = self.base(source, asker, &ready, teller).await?;
                self.share(&base, &tree, asker, teller).await?;
                None
            }
            Strategy::Copy => {
                self.fill(&tree, source, &ready, asker, teller).await?;
                None
            }
        };
        Ok(CheckedOut { how: *strategy, ready, base })
    }

    /// Forgets what was not used for long, but for what `in_use` names. It blocks for as long as that takes.
    pub(crate) fn sweep(&self, in_use: &BTreeSet<PathBuf>) {
        self.inner.mirrors.sweep(in_use);
    }

    /// Has a revision checked out where nobody works, once however many ask.
    async fn base(&self, source: &GitSource, asker: Asker<'_>, ready: &Ready, teller: &mut Teller) -> Result<PathBuf, NodeError> {
        let base = base::place(ready, source);
        let flight = self.inner.flights.of(base.clone());
        let _held = flight.hold(teller).await;
        if base.is_dir() {
            base::used(&base);
            return Ok(base);
        }
        teller.told_to(flight.telling());
        let made = self.make_base(&base, source, asker, ready, teller).await;
        teller.no_longer_told_to_the_last();
        made.map(|()| base)
    }

    async fn make_base(
        &self,
        base: &Path,
        source: &GitSource,
        asker: Asker<'_>,
        ready: &Ready,
        teller: &mut Teller,
    ) -> Result<(), NodeError> {
        let aside = Aside::make(&self.inner.aside).map_err(|error| no_room(&error))?;
        let tree = aside.0.join("base");
        std::fs::create_dir(&tree).map_err(|error| no_room(&error))?;
        self.fill(&tree, source, ready, asker, teller).await?;
        let place = base.to_owned();
        let moved = tokio::task::spawn_blocking(move || base::put(&tree, &place)).await;
        moved.map_err(|error| NodeError::Unknown(error.to_string()))?.map_err(|error| no_room(&error))
    }

    /// Makes a repository in `tree`, and checks its HEAD out.
    async fn fill(
        &self,
        tree: &Path,
        source: &GitSource,
        ready: &Ready,
        asker: Asker<'_>,
        teller: &mut Teller,
    ) -> Result<(), NodeError> {
        teller.say(format!("checking out {}", source.url), None);
        let _turn = self.inner.turns.acquire().await.map_err(|error| NodeError::Unknown(error.to_string()))?;
        let (place, from, of, how) = (tree.to_owned(), ready.clone(), source.clone(), self.inner.strategy);
        let prepared = tokio::task::spawn_blocking(move || base::prepare(&place, &from, &of, how)).await;
        prepared.map_err(|error| NodeError::Unknown(error.to_string()))?.map_err(|error| no_room(&error))?;
        let job = self.job(include_str!("checkout/fill.sh"), tree, Vec::new(), asker)?;
        self.run(job, &format!("checking out {}", source.url), teller).await
    }

    /// Has `tree` share the blocks of a base.
    async fn share(&self, base: &Path, tree: &Path, asker: Asker<'_>, teller: &mut Teller) -> Result<(), NodeError> {
        let _turn = self.inner.turns.acquire().await.map_err(|error| NodeError::Unknown(error.to_string()))?;
        let from = AbsPath::new(base).map_err(|error| NodeError::Unknown(error.to_string()))?;
        let mut job = self.job("exec 2>&1; cp -a --reflink=always \"$CAPSTAN_BASE/.\" .", tree, vec![from], asker)?;
        job.variables.push(("CAPSTAN_BASE", base.display().to_string()));
        self.run(job, "sharing what is checked out", teller).await
    }

    fn job(&self, script: &'static str, tree: &Path, readable: Vec<AbsPath>, asker: Asker<'_>) -> Result<GitJob, NodeError> {
        let tree = AbsPath::new(tree).map_err(|error| NodeError::Unknown(error.to_string()))?;
        let hidden = asker.policy.map(|policy| policy.hidden.clone()).unwrap_or_default();
        Ok(GitJob {
            script,
            cwd: tree.clone(),
            asked: SandboxPolicy { hidden, ..SandboxPolicy::read_only() },
            readable,
            writable: vec![tree],
            variables: Vec::new(),
            settings: vec![("checkout.workers", "0".to_owned()), ("protocol.allow", "never".to_owned())],
            input: Bytes::new(),
            deadline: DEADLINE,
        })
    }

    async fn run(&self, job: GitJob, doing: &str, teller: &mut Teller) -> Result<(), NodeError> {
        let mut progress = crate::workspace::mirror::Progress::default();
        let hear = |bytes: &[u8]| progress.hear(bytes, |step, percent| teller.say(format!("{doing}: {step}"), Some(percent)));
        let ran = git_job::run(&self.inner.launcher, job, hear).await?;
        if ran.is_done() { Ok(()) } else { Err(base::why(&ran)) }
    }
}
