//! What every turn of a thread needs, and what stays the same from turn to turn.

use super::items::ItemNumbers;
use super::log::ThreadLog;
use crate::models::Models;
use crate::nodes::host::NodeHost;
use capstan_store::store::Store;
use capstan_tools::sessions::SessionTable;
use capstan_tools::toolbox::Toolbox;
use capstan_types::id::ThreadId;
use capstan_types::session::WorkspaceFacts;
use capstan_types::thread::ThreadSettings;
use std::sync::Arc;

/// What every turn of a thread needs.
#[derive(Debug)]
pub struct TurnContext {
    /// The thread.
    pub thread: ThreadId,
    /// What it runs with.
    pub settings: ThreadSettings,
    /// What the node said of its workspace.
    pub facts: WorkspaceFacts,
    /// Who answers.
    pub models: Arc<dyn Models>,
    /// Where its history is.
    pub store: Arc<dyn Store>,
    /// Where everything is recorded.
    pub log: ThreadLog,
    /// The machine.
    pub host: Arc<NodeHost>,
    /// The tools on offer.
    pub toolbox: Toolbox,
    /// The sessions that run on between turns.
    pub sessions: Arc<SessionTable>,
    /// The numbers of its items.
    pub numbers: Arc<ItemNumbers>,
}
