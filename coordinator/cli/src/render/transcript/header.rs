//! What a thread runs with, told before anything runs.

use super::page::Page;
use crate::render::amount;
use crate::render::ink::Role;
use crate::render::text;
use capstan_types::id::ThreadId;
use capstan_types::item::Compaction;
use capstan_types::launch::Enforced;
use capstan_types::policy::{Level, SandboxMode};
use capstan_types::thread::ThreadSettings;

pub(super) fn lines(page: &Page, thread: ThreadId, settings: &ThreadSettings) -> Vec<String> {
    let effort = settings.effort.as_ref().map(|effort| format!(", effort {effort}")).unwrap_or_default();
    let node = settings.node.as_ref().map(|node| format!(" on node {node}")).unwrap_or_default();
    let facts = [
        ("model", format!("{} ({}{effort})", settings.model, settings.provider)),
        ("workspace", format!("{}{node}", settings.cwd)),
        ("sandbox", format!("{}; approvals {}", sandbox(settings), settings.approval)),
        ("thread", thread.to_string()),
    ];
    let line = |(name, value): (&str, String)| {
        let value = text::clipped(&text::line(&value), page.width.saturating_sub(11));
        format!("{}  {value}", page.ink.paint(Role::Faint, &format!("{name:<9}")))
    };
    facts.map(line).into()
}

/// That the conversation was shortened.
pub(super) fn compaction(page: &Page, compaction: &Compaction) -> String {
    let (before, after) = (amount::count(compaction.before_tokens), amount::count(compaction.after_tokens));
    let how = if compaction.summed_up { "summed up" } else { "cut, since no summary could be had" };
    page.indented(Some(Role::Faint), &format!("the conversation was {how} for the model: {before} tokens before, {after} now"))
}

/// How strong the sandbox is. It is known when the first session runs.
pub(super) fn level(page: &Page, enforced: &Enforced) -> String {
    let held = match enforced.level {
        Level::None => "none: commands run without a sandbox".to_owned(),
        level => format!("{level}, as uid {}", enforced.uid),
    };
    page.indented(Some(Role::Faint), &format!("sandbox level {held}"))
}

fn sandbox(settings: &ThreadSettings) -> String {
    if let Some(profile) = &settings.profile {
        return format!("{} ({}, network {})", profile.name, profile.mode(), profile.network);
    }
    let network = if settings.network_access { "with network" } else { "no network" };
    match settings.sandbox {
        SandboxMode::WorkspaceWrite => format!("workspace-write, {network}"),
        SandboxMode::ReadOnly => "read-only, no network".to_owned(),
        SandboxMode::DangerFullAccess => "danger-full-access (no sandbox)".to_owned(),
    }
}
