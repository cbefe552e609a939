//! A thread: a conversation, the settings it runs with, and its row in the store.

pub mod listing;

use crate::budget::Budgets;
use crate::docs::ProjectDocs;
use crate::history::{Image, Usage};
use crate::hosts::ThreadHost;
use crate::id::{Epoch, EventSeq, NodeId, ThreadId, TurnId};
use crate::limits::SessionLimits;
use crate::output::clean::Cleaning;
use crate::overrides::TurnOverrides;
use crate::path::AbsPath;
use crate::placement::{Choice, PlacementSettings};
use crate::policy::{ApprovalPolicy, Level, PermissionProfile, SandboxMode};
use crate::source::WorkspaceSource;
use crate::time::UnixMillis;
use crate::window::WindowSettings;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a thread runs with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThreadSettings {
    /// The model's name, as the provider knows it.
    pub model: String,
    /// The provider, a key of `model_providers`.
    pub provider: String,
    /// How hard the model should think: a word the provider knows, such as `low` or `high`.
    pub effort: Option<String>,
    /// The workspace's directory on the node.
    pub cwd: AbsPath,
    /// The node that holds the workspace; `None` lets placement choose.
    pub node: Option<NodeId>,
    /// The sandbox of the thread's sessions; with a profile, the profile's mode.
    pub sandbox: SandboxMode,
    /// The permission profile that says more than the mode; `network_access` and `exclude_slash_tmp` mean nothing beside it.
    #[serde(default)]
    pub profile: Option<Box<PermissionProfile>>,
    /// Directories that may be written besides the workspace.
    #[serde(default)]
    pub writable_roots: Vec<AbsPath>,
    /// Whether sessions may use the network under `workspace-write`.
    #[serde(default)]
    pub network_access: bool,
    /// Whether `/tmp` stays read-only under `workspace-write`.
    #[serde(default)]
    pub exclude_slash_tmp: bool,
    /// When a person is asked.
    pub approval: ApprovalPolicy,
    /// Variables set in the environment of every session.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// Instructions added to the base ones.
    #[serde(default)]
    pub instructions: Option<String>,
    /// Whether the model is offered `update_plan`.
    #[serde(default)]
    pub plan_tool: bool,
    /// How the output of commands is told to the model, when a call does not say.
    #[serde(default)]
    pub cleaning: Cleaning,
    /// Which project instructions the model is told.
    #[serde(default)]
    pub docs: ProjectDocs,
    /// Who is asked instead, one after the other, when the model refuses or cannot answer.
    #[serde(default)]
    pub fallbacks: Vec<ModelChoice>,
    /// What turns may use before they pause.
    #[serde(default)]
    pub budgets: Budgets,
    /// How long a prompt may become.
    #[serde(default)]
    pub window: WindowSettings,
    /// What is asked of the node.
    #[serde(default)]
    pub placement: Box<PlacementSettings>,
    /// Why the node was chosen. Known once it is.
    #[serde(default)]
    pub placed: Option<Box<Choice>>,
    /// The hosts that it may use besides its node. Known once that is.
    #[serde(default)]
    pub hosts: Vec<ThreadHost>,
    /// What the workspace is made of where it is placed; `cwd` is then the directory that was made, once it is. `None`: `cwd` is a directory of
    /// the node, and is used in place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Box<WorkspaceSource>>,
}

/// A model of a provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelChoice {
    /// The model's name, as the provider knows it.
    pub model: String,
    /// The provider, a key of `model_providers`.
    pub provider: String,
}

/// What becomes of a turn's running sessions when it is interrupted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnInterrupt {
    /// They run on, and the next turns are told of them.
    #[default]
    KeepSessions,
    /// They are ended.
    KillSessions,
}

impl ThreadSettings {
    /// The settings with what a turn overrides.
    #[must_use]
    pub fn overridden(&self, by: &TurnOverrides) -> Self {
        let mut settings = self.clone();
        replace(&mut settings.model, by.model.as_ref());
        replace(&mut settings.provider, by.provider.as_ref());
        replace(&mut settings.cwd, by.cwd.as_ref());
        replace(&mut settings.writable_roots, by.writable_roots.as_ref());
        replace(&mut settings.network_access, by.network_access.as_ref());
        replace(&mut settings.approval, by.approval.as_ref());
        settings.effort = by.effort.clone().or(settings.effort);
        if let Some(mode) = by.sandbox {
            (settings.sandbox, settings.profile) = (mode, None);
        }
        if let Some(profile) = &by.profile {
            (settings.sandbox, settings.profile) = (profile.mode(), Some(profile.clone()));
        }
        settings
    }

    /// What each session of the thread may use.
    #[must_use]
    pub fn limits(&self) -> SessionLimits {
        self.profile.as_ref().map_or_else(SessionLimits::default, |profile| profile.limits)
    }

    /// The least that must be in force in each session of the thread.
    #[must_use]
    pub fn level(&self) -> Level {
        let by_mode = if self.sandbox == SandboxMode::DangerFullAccess { Level::None } else { Level::Landlock };
        self.profile.as_ref().map_or(by_mode, |profile| profile.level)
    }
}

fn replace<T: Clone>(setting: &mut T, by: Option<&T>) {
    if let Some(by) = by {
        setting.clone_from(by);
    }
}

/// A thread's row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThreadRecord {
    /// The thread.
    pub id: ThreadId,
    /// The coordinator that runs it.
    pub owner: String,
    /// That coordinator's fencing number.
    pub epoch: Epoch,
    /// What it runs with.
    pub settings: ThreadSettings,
    /// When it began.
    pub created_at: UnixMillis,
    /// When its last record was stored.
    pub updated_at: UnixMillis,
    /// The first words of its first prompt, for lists.
    pub preview: String,
    /// The name that a person gave it.
    #[serde(default)]
    pub name: Option<String>,
    /// When it was put away; `None` while it is in use.
    #[serde(default)]
    pub archived_at: Option<UnixMillis>,
    /// Where it was forked from.
    #[serde(default)]
    pub parent: Option<Parent>,
    /// What it has cost so far.
    #[serde(default)]
    pub spent: ThreadCost,
}

impl ThreadRecord {
    /// The row of a thread that begins `now` under its first owner.
    #[must_use]
    pub const fn begun(id: ThreadId, owner: String, settings: ThreadSettings, now: UnixMillis) -> Self {
        Self {
            id,
            owner,
            epoch: Epoch(1),
            settings,
            created_at: now,
            updated_at: now,
            preview: String::new(),
            name: None,
            archived_at: None,
            parent: None,
            spent: ThreadCost::NOTHING,
        }
    }
}

/// Where a thread was forked from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parent {
    /// The thread whose history it shares.
    pub thread: ThreadId,
    /// The last event that both have.
    pub seq: EventSeq,
    /// The last turn that both have, if there is one. Forks of earlier releases may not say it.
    #[serde(default)]
    pub turn: Option<TurnId>,
}

/// How much of a thread a fork takes over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Upto {
    /// Everything so far.
    End,
    /// This turn and what was before it.
    Turn(TurnId),
    /// This event and what was before it.
    Event(EventSeq),
}

/// What model calls have cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThreadCost {
    /// Tokens.
    pub usage: Usage,
    /// Money by the price table of the time, in millionths of a US dollar.
    pub micro_usd: u64,
}

impl ThreadCost {
    /// Nothing yet.
    pub const NOTHING: Self = Self {
        usage: Usage {
            input_tokens: 0,
            cached_input_tokens: 0,
            cache_write_input_tokens: 0,
            output_tokens: 0,
            reasoning_output_tokens: 0,
        },
        micro_usd: 0,
    };

    /// Both together.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self { usage: self.usage.plus(other.usage), micro_usd: self.micro_usd.saturating_add(other.micro_usd) }
    }
}

/// What a user gives a turn to begin with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TurnInput {
    /// The prompt.
    pub text: String,
    /// Pictures.
    #[serde(default)]
    pub images: Vec<Image>,
    /// A JSON Schema that the final message must satisfy.
    #[serde(default)]
    pub output_schema: Option<serde_json::Value>,
    /// Budgets in the place of the thread's own, for this turn.
    #[serde(default)]
    pub budgets: Option<Budgets>,
    /// What it changes in the thread's settings, for itself and for later turns.
    #[serde(default)]
    pub overrides: TurnOverrides,
    /// Whether the turn does nothing but shorten the conversation. What is said besides is passed over.
    #[serde(default)]
    pub compact: bool,
}
