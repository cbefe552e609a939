//! Files that a patch changed.

use super::page::Page;
use crate::render::ink::Role;
use crate::render::text;
use capstan_types::item::{FileChange, FileChangeKind, ItemStatus};
use capstan_types::path::AbsPath;

/// Files of one patch that are named.
const FILES: usize = 20;

/// What became of a patch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patch<'a> {
    pub(super) changes: &'a [FileChange],
    pub(super) status: ItemStatus,
    pub(super) reason: Option<&'a str>,
}

pub(super) fn lines(page: &Page, patch: Patch<'_>, workspace: Option<&AbsPath>) -> Vec<String> {
    let Patch { changes, status, reason } = patch;
    let files = text::counted(changes.len(), "file");
    let because = reason.map(|reason| format!(": {}", text::line(reason))).unwrap_or_default();
    let (heading, role) = match status {
        ItemStatus::Completed => (format!("✓ changed {files}{because}"), Role::Good),
        ItemStatus::InProgress => (format!("… changing {files}{because}"), Role::Faint),
        ItemStatus::Failed => (format!("✗ the patch was not applied{because}"), Role::Bad),
        ItemStatus::Declined => (format!("⊘ the patch was declined{because}"), Role::Warning),
    };
    let hidden = changes.len().saturating_sub(FILES);
    let more = (hidden > 0).then(|| page.indented(Some(Role::Faint), &format!("… {} more", text::counted(hidden, "file"))));
    let heading = page.ink.paint(role, &text::clipped(&heading, page.width));
    [heading]
        .into_iter()
        .chain(changes.iter().take(FILES).map(|change| page.indented(None, &file(change, workspace))))
        .chain(more)
        .collect()
}

fn file(change: &FileChange, workspace: Option<&AbsPath>) -> String {
    let path = |path: &str| within(path, workspace);
    match &change.kind {
        FileChangeKind::Add => format!("A {}", path(&change.path)),
        FileChangeKind::Delete => format!("D {}", path(&change.path)),
        FileChangeKind::Update { moved_to: None } => format!("M {}", path(&change.path)),
        FileChangeKind::Update { moved_to: Some(to) } => format!("R {} → {}", path(&change.path), path(to)),
    }
}

/// A path as it is called in the workspace.
fn within(path: &str, workspace: Option<&AbsPath>) -> String {
    let absolute = AbsPath::new(path).ok();
    let below = workspace.and_then(|root| absolute.as_ref()?.below(root));
    text::line(&below.map_or_else(|| path.into(), |below| below.to_string_lossy()))
}
