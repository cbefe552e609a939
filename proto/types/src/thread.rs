//! A thread: a conversation, the settings it runs with, and its row in the store.

use crate::docs::ProjectDocs;
use crate::history::Image;
use crate::id::{Epoch, NodeId, ThreadId};
use crate::limits::SessionLimits;
use crate::output::clean::Cleaning;
use crate::overrides::TurnOverrides;
use crate::path::AbsPath;
use crate::policy::{ApprovalPolicy, Level, PermissionProfile, SandboxMode};
use crate::time::UnixMillis;
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
    /// What it changes in the thread's settings, for itself and for later turns.
    #[serde(default)]
    pub overrides: TurnOverrides,
}
