//! Brings a checkpoint back into a thread's workspace, on whichever node that is, and compares checkpoints.

use super::checkpoints::Checkpoints;
use crate::checkpoints::shelf::Shelf;
use crate::nodes::host::NodeHost;
use capstan_types::id::{ThreadId, TurnId};
use capstan_types::path::AbsPath;
use capstan_types::policy::SandboxPolicy;
use capstan_types::saved::record::CheckpointRecord;
use capstan_types::saved::{CheckpointName, WorkspaceRestored};
use capstan_types::tree_document::Difference;
use std::time::Duration;
use tonic::{Code, Status};

/// How many names are told of what has changed since.
const NAMED: usize = 101;

/// How the names of states begin that were saved before a checkpoint was brought back.
const BEFORE: &str = "before-";

/// How long checkpoints that are just being carried are waited for.
const CARRYING: Duration = Duration::from_secs(20);

/// A thread's workspace, while no turn of it runs.
#[derive(Debug)]
pub struct Workplace<'a> {
    /// Whose.
    pub thread: ThreadId,
    /// On its node.
    pub host: &'a NodeHost,
    /// Where there.
    pub root: &'a AbsPath,
    /// The policy of its sessions.
    pub policy: &'a SandboxPolicy,
    /// Where checkpoints are kept.
    pub shelf: &'a Shelf,
}

/// What became of it.
#[derive(Debug)]
pub enum BroughtBack {
    /// It is as it was.
    Done {
        /// Which checkpoint.
        checkpoint: String,
        /// The name of that of the state which the workspace had until now.
        saved: String,
        /// What was changed.
        restored: WorkspaceRestored,
    },
    /// Nothing was done: these have changed since the last checkpoint.
    ChangedSince(Vec<Difference>),
}

impl Workplace<'_> {
    /// Brings the checkpoint `which` back; `force` also where files have changed since the last one.
    ///
    /// # Errors
    /// There is none, or it cannot be brought back; the text is for the user.
    pub async fn bring_back(&self, all: &Checkpoints, which: &str, force: bool) -> Result<BroughtBack, Status> {
        let wanted = &self.find(all, which)?;
        self.shelf.settled(CARRYING).await;
        // Looked for before anything is done.
        let record = self.record(wanted).await?;
        let name = format!("{BEFORE}{}", TurnId::generate()).parse().map_err(|_| Status::internal("no name"))?;
        let present = self.host.save(self.root, name, self.policy.clone(), self.shelf.rules().ignored).await?;
        let present = present.record.ok_or_else(|| Status::unimplemented("the node is too old to bring checkpoints back"))?;
        if !force {
            let changed = self.changed_since(all, &present).await?;
            if !changed.is_empty() {
                return Ok(BroughtBack::ChangedSince(changed));
            }
        }
        if let Some(record) = &record {
            self.shelf.hand(self.host, record).await.map_err(Status::from)?;
        }
        let restored =
            self.host.restore(self.root, wanted.clone(), self.policy.clone()).await.map_err(|status| match status.code() {
                Code::NotFound => self.gone(wanted),
                _ => status,
            })?;
        let (shelf, host, saved) = (self.shelf.clone(), self.host.clone(), present.name.to_string());
        self.shelf.background(async move {
            if let Err(error) = shelf.fetch(&host, &present).await {
                tracing::warn!(thread = %present.thread, %error, "the state before a restore stays on its node alone");
            }
        });
        Ok(BroughtBack::Done { checkpoint: wanted.1.to_string(), saved, restored })
    }

    /// What differs between two checkpoints, in at most `most` names.
    ///
    /// # Errors
    /// One is not there, or they cannot be compared; the text is for the user.
    pub async fn compare(&self, all: &Checkpoints, which: [&str; 2], most: usize) -> Result<Vec<Difference>, Status> {
        self.shelf.settled(CARRYING).await;
        let mut records = Vec::new();
        for text in which {
            let wanted = self.find(all, text)?;
            let record = self.record(&wanted).await?.ok_or_else(|| self.gone(&wanted))?;
            self.shelf.hand(self.host, &record).await.map_err(Status::from)?;
            records.push(record);
        }
        match <[CheckpointRecord; 2]>::try_from(records) {
            Ok([before, after]) => self.host.compare(before, after, most).await,
            Err(_) => Err(Status::internal("two checkpoints are compared")),
        }
    }

    async fn changed_since(&self, all: &Checkpoints, present: &CheckpointRecord) -> Result<Vec<Difference>, Status> {
        let unknown = || {
            Status::aborted(
                "what has changed since the last checkpoint is not known, as that is not kept any more; force it if that may be given up",
            )
        };
        let last = all.last().ok_or_else(unknown)?;
        let last = self.record(&(last.thread, last.name.clone())).await?.ok_or_else(unknown)?;
        self.shelf.hand(self.host, &last).await.map_err(Status::from)?;
        self.host.compare(last, present.clone(), NAMED).await
    }

    /// Which checkpoint is meant, and whose it is. Those of states before a restore stand in no event.
    fn find(&self, all: &Checkpoints, which: &str) -> Result<(ThreadId, CheckpointName), Status> {
        let before = || which.starts_with(BEFORE).then(|| Some((self.thread, which.parse().ok()?))).flatten();
        all.named(which).map(|note| (note.thread, note.name.clone())).or_else(before).ok_or_else(|| self.no(which))
    }

    async fn record(&self, (thread, name): &(ThreadId, CheckpointName)) -> Result<Option<CheckpointRecord>, Status> {
        self.shelf.record(*thread, name).await.map_err(|error| Status::aborted(error.to_string()))
    }

    fn no(&self, which: &str) -> Status {
        let thread = self.thread;
        Status::not_found(format!(
            "thread {thread} has no checkpoint `{which}`, and no turn of that id ended with one; `capstan threads checkpoints {thread}` lists them"
        ))
    }

    fn gone(&self, (_, name): &(ThreadId, CheckpointName)) -> Status {
        Status::not_found(format!(
            "checkpoint {name} is not kept any more; `checkpoints.keep` and `checkpoints.days` of config.toml say for how long they are"
        ))
    }
}
