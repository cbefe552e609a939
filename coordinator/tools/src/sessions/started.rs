//! What a session that has just been started is made of.

use crate::host::ExecHost;
use crate::items::ItemSink;
use capstan_types::id::{NodeId, SessionId, TurnId};
use capstan_types::item::{CommandExecution, ItemId};
use capstan_types::launch::Stdio;
use capstan_types::output::clean::Cleaning;
use capstan_types::policy::SandboxPolicy;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// What a started session is made of.
#[derive(Debug)]
pub(crate) struct Started {
    /// Its number.
    pub(crate) number: u32,
    /// Its name.
    pub(crate) session: SessionId,
    /// The turn of its call.
    pub(crate) turn: TurnId,
    /// How its standard streams are connected.
    pub(crate) stdio: Stdio,
    /// How its output is told.
    pub(crate) cleaning: Cleaning,
    /// What it may touch.
    pub(crate) policy: SandboxPolicy,
    /// Where it runs.
    pub(crate) host: Arc<dyn ExecHost>,
    /// The name of that, where it is not the thread's home.
    pub(crate) elsewhere: Option<NodeId>,
    /// How long it lives without an owner.
    pub(crate) ownerless: Duration,
    /// Its item's number.
    pub(crate) item: ItemId,
    /// Its item.
    pub(crate) body: CommandExecution,
    /// Where its output is told.
    pub(crate) items: Arc<dyn ItemSink>,
    /// When its call began.
    pub(crate) at: Instant,
}
