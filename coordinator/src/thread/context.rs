//! What every turn of a thread needs, and what stays the same from turn to turn unless a turn changes it.

pub mod docs;
pub mod environment;
pub mod news;
pub mod overrides;
pub mod reading;
mod telling;

use super::items::ItemNumbers;
use super::log::ThreadLog;
use super::workspace;
use crate::models::Models;
use crate::nodes::host::NodeHost;
use capstan_model::catalog;
use capstan_store::store::Store;
use capstan_tools::sessions::SessionTable;
use capstan_tools::toolbox::Toolbox;
use capstan_types::id::ThreadId;
use capstan_types::policy::SandboxPolicy;
use capstan_types::session::WorkspaceFacts;
use capstan_types::thread::ThreadSettings;
use reading::DocsMemory;
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
    /// The project's instructions, as they were read last.
    pub docs: Arc<DocsMemory>,
}

impl TurnContext {
    /// The policy of the thread's sessions.
    #[must_use]
    pub fn policy(&self) -> SandboxPolicy {
        workspace::policy(&self.settings, &self.facts)
    }

    /// The same thread with other settings, perhaps in another directory.
    #[must_use]
    pub fn with(&self, settings: ThreadSettings, facts: WorkspaceFacts) -> Self {
        Self {
            thread: self.thread,
            facts,
            models: Arc::clone(&self.models),
            store: Arc::clone(&self.store),
            log: self.log.clone(),
            host: Arc::clone(&self.host),
            toolbox: toolbox(&settings),
            sessions: Arc::clone(&self.sessions),
            numbers: Arc::clone(&self.numbers),
            docs: Arc::clone(&self.docs),
            settings,
        }
    }
}

/// The tools that are on offer under these settings.
#[must_use]
pub fn toolbox(settings: &ThreadSettings) -> Toolbox {
    let tools = Toolbox::standard(settings.plan_tool);
    if catalog::lookup(&settings.model).images { tools.with_pictures() } else { tools }
}
