//! A thread's workspace while no actor of this process runs the thread: whoever wants to see or undo what its turns changed need not have it
//! go on for that, and needs no model.

use super::open::{CreateError, Threads};
use super::workspace;
use crate::nodes::host::NodeHost;
use crate::nodes::pool::Reserved;
use capstan_types::id::ThreadId;
use capstan_types::path::AbsPath;
use capstan_types::policy::SandboxPolicy;
use capstan_types::thread::ThreadRecord;
use tokio::sync::OwnedMutexGuard;

/// The hands of a thread that rests.
#[derive(Debug)]
pub struct AtRest {
    /// On its node.
    pub host: NodeHost,
    /// Where there.
    pub root: AbsPath,
    /// The policy of its sessions.
    pub policy: SandboxPolicy,
    _reserved: Reserved,
    /// Held so that nobody in this process begins a turn meanwhile.
    _alone: OwnedMutexGuard<()>,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To look: the thread stays its owner's.
    Look,
    /// To change something: its owner may do nothing more for it.
    Change,
}

impl Threads {
    /// Finds the workspace of a thread that no actor of this process runs.
    ///
    /// # Errors
    /// There is no such thread, or its node cannot be had.
    pub async fn at_rest(&self, thread: ThreadId, purpose: Purpose) -> Result<AtRest, CreateError> {
        let alone = self.beginning.enter(thread).await;
        let record = self.stored(thread).await?;
        let epoch = match purpose {
            Purpose::Look => record.epoch,
            Purpose::Change => self.store.take_over(thread, record.epoch, &self.name).await?,
        };
        // What turns have overridden since the thread began counts.
        let settings = self.recall(thread).await?.settings.map_or(record.settings, |settings| *settings);
        let record = ThreadRecord { settings, epoch, ..record };
        let (located, facts) = self.workspace(&record).await?;
        let policy = workspace::policy(&record.settings, &facts);
        Ok(AtRest { host: located.host, root: facts.root, policy, _reserved: located.reserved, _alone: alone })
    }
}
