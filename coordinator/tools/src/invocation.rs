//! What a tool is given to do one call with, and what it gives back.

use crate::host::ExecHost;
use crate::hosts::{Hosts, Sight, Station};
use crate::items::ItemSink;
use crate::plan::PlanState;
use crate::release::Release;
use crate::sessions::SessionTable;
use async_trait::async_trait;
use capstan_types::call::Outcome;
use capstan_types::history::Image;
use capstan_types::id::{NodeId, ThreadId};
use capstan_types::limits::SessionLimits;
use capstan_types::output::clean::Cleaning;
use capstan_types::path::AbsPath;
use capstan_types::policy::{ApprovalPolicy, SandboxPolicy};
use capstan_types::session::known::SessionChange;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;

/// Where a call works, and under what.
#[derive(Debug, Clone)]
pub struct CallContext {
    /// The thread.
    pub thread: ThreadId,
    /// The machine: at first that of the thread's home.
    pub host: Arc<dyn ExecHost>,
    /// The hosts of the thread, where it has more than one.
    pub hosts: Option<Arc<dyn Hosts>>,
    /// How they are, for a call that must know.
    pub sights: Vec<Sight>,
    /// The sessions that the thread has running, by the numbers the model knows.
    pub sessions: Arc<SessionTable>,
    /// The plan that the turn shows.
    pub plan: Arc<PlanState>,
    /// The workspace's directory.
    pub cwd: AbsPath,
    /// The thread's sandbox policy, from the workspace and the settings, never from a call.
    pub policy: SandboxPolicy,
    /// What each session may use, from the settings, never from a call.
    pub limits: SessionLimits,
    /// How output is told to the model, when a call does not say.
    pub cleaning: Cleaning,
    /// When a person is asked.
    pub approval: ApprovalPolicy,
    /// Who is asked.
    pub approver: Arc<dyn Approver>,
    /// Variables that the settings add to every session's environment.
    pub environment: BTreeMap<String, String>,
    /// Where items are told.
    pub items: Arc<dyn ItemSink>,
}

impl CallContext {
    /// The same on another host.
    #[must_use]
    pub fn at(&self, station: Station) -> Self {
        let Station { host, cwd, policy } = station;
        Self { host, cwd, policy, ..self.clone() }
    }

    /// The name of the host, where it is not the thread's home.
    #[must_use]
    pub fn elsewhere(&self) -> Option<NodeId> {
        let home = self.hosts.as_ref()?.names().into_iter().next()?;
        Some(self.host.node()).filter(|node| *node != home)
    }
}

/// What came of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallResult {
    /// The call's one outcome.
    pub outcome: Outcome,
    /// What the model is told.
    pub output: String,
    /// The sessions whose ends this result tells. Once the result is stored, the caller releases them with [`ExecHost::release`].
    pub release: Vec<Release>,
    /// What the model knows of sessions once it has this result. To be stored together with the call's end.
    pub changes: Vec<SessionChange>,
    /// A picture that the model is shown with the output.
    pub picture: Option<Box<Image>>,
}

/// Asks whoever may decide.
#[async_trait]
pub trait Approver: Debug + Send + Sync {
    /// Whether the call may go on. It answers within a bounded time.
    async fn ask(&self, question: Question) -> Decision;
}

/// What somebody is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The tool.
    pub tool: String,
    /// What it would do: a command line, or the files of a patch.
    pub action: String,
    /// Why it needs to be asked.
    pub reason: String,
}

/// What was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Go on.
    Accept,
    /// Do not.
    Decline {
        /// Why, for the model.
        reason: String,
    },
}

/// Declines everything, because nobody is there to be asked.
#[derive(Debug, Clone, Copy, Default)]
pub struct NobodyToAsk;

#[async_trait]
impl Approver for NobodyToAsk {
    async fn ask(&self, question: Question) -> Decision {
        Decision::Decline {
            reason: format!("it needs an approval ({}), and nobody can be asked in a non-interactive run", question.reason),
        }
    }
}
