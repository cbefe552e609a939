//! What every turn of a thread needs, and what stays the same from turn to turn unless a turn changes it.

pub mod docs;
pub mod environment;
pub mod news;
pub mod overrides;
pub mod reading;
mod telling;

use super::hosts::ThreadHosts;
use super::items::ItemNumbers;
use super::log::ThreadLog;
use super::saved_last::LastSaved;
use super::workspace;
use crate::checkpoints::shelf::Shelf;
use crate::models::Models;
use crate::nodes::host::NodeHost;
use capstan_model::catalog;
use capstan_store::store::Store;
use capstan_tools::host::ExecHost as _;
use capstan_tools::hosts::Hosts as _;
use capstan_tools::sessions::SessionTable;
use capstan_tools::toolbox::Toolbox;
use capstan_types::id::{NodeId, ThreadId};
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
    /// The machine of its home.
    pub host: Arc<NodeHost>,
    /// All its machines.
    pub hosts: Arc<ThreadHosts>,
    /// The tools on offer.
    pub toolbox: Toolbox,
    /// The sessions that run on between turns.
    pub sessions: Arc<SessionTable>,
    /// The numbers of its items.
    pub numbers: Arc<ItemNumbers>,
    /// The project's instructions, as they were read last.
    pub docs: Arc<DocsMemory>,
    /// Where its checkpoints are kept, if anywhere.
    pub shelf: Option<Shelf>,
    /// What was saved last of its workspace.
    pub last_saved: Arc<LastSaved>,
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
        let hosts = Arc::new(self.hosts.with(&settings, &facts));
        Self {
            thread: self.thread,
            facts,
            hosts,
            models: Arc::clone(&self.models),
            store: Arc::clone(&self.store),
            log: self.log.clone(),
            host: Arc::clone(&self.host),
            toolbox: toolbox(&settings),
            sessions: Arc::clone(&self.sessions),
            numbers: Arc::clone(&self.numbers),
            docs: Arc::clone(&self.docs),
            shelf: self.shelf.clone(),
            last_saved: Arc::clone(&self.last_saved),
            settings,
        }
    }

    /// The host that a call is meant for: the home, unless it names another one of the thread's.
    #[must_use]
    pub fn node_of(&self, tool: &str, arguments: &str) -> NodeId {
        let home = self.host.node();
        let named = self.toolbox.host(tool, arguments, |number| self.sessions.node_of(number));
        named.filter(|node| self.hosts.others().contains_key(node)).unwrap_or(home)
    }

    /// All hosts that a call may be on.
    #[must_use]
    pub fn nodes_of(&self, tool: &str, arguments: &str) -> Vec<NodeId> {
        if self.toolbox.is_everywhere(tool) { self.hosts.names() } else { vec![self.node_of(tool, arguments)] }
    }
}

/// The tools that are on offer under these settings.
#[must_use]
pub fn toolbox(settings: &ThreadSettings) -> Toolbox {
    let tools = Toolbox::standard(settings.plan_tool);
    let tools = if settings.hosts.is_empty() { tools } else { tools.with_hosts() };
    if catalog::lookup(&settings.model).images { tools.with_pictures() } else { tools }
}
