//! Workspaces in tables.

use super::Placed;
use crate::render::columns::columns;
use crate::render::{amount, moment, text};
use capstan_types::kept::KeptWorkspace;
use capstan_types::time::UnixMillis;

/// How much of a commit is shown in a table.
const SHORT: usize = 12;

pub(super) fn table(placed: &[Placed], now: UnixMillis, heads: bool) -> Vec<String> {
    let rows = placed.iter().map(|(node, kept)| {
        let [thread, size, used, user] = shared(kept, now);
        [thread, node.clone(), text::line(&kept.source), size, used, user]
    });
    columns(heads.then_some(["THREAD", "NODE", "SOURCE", "SIZE", "USED", "IN USE BY"]), rows.collect())
}

pub(super) fn wide(placed: &[Placed], now: UnixMillis, heads: bool) -> Vec<String> {
    let rows = placed.iter().map(|(node, kept)| {
        let [thread, size, used, user] = shared(kept, now);
        let revision = kept.revision.as_deref().unwrap_or("-").chars().take(SHORT).collect();
        [thread, node.clone(), text::line(&kept.source), revision, text::line(&kept.how), size, used, user, kept.path.to_string()]
    });
    let names = ["THREAD", "NODE", "SOURCE", "REVISION", "HOW", "SIZE", "USED", "IN USE BY", "PATH"];
    columns(heads.then_some(names), rows.collect())
}

fn shared(kept: &KeptWorkspace, now: UnixMillis) -> [String; 4] {
    let user = match (&kept.broken, &kept.in_use) {
        (Some(_), _) => "its record is broken".to_owned(),
        (None, Some(user)) => text::line(user),
        (None, None) => "-".to_owned(),
    };
    [kept.thread.to_string(), size(kept), format!("{} ago", moment::age(now, UnixMillis(kept.used_at_ms))), user]
}

fn size(kept: &KeptWorkspace) -> String {
    let bytes = amount::bytes(kept.bytes);
    if kept.more { format!("over {bytes}") } else { bytes }
}

/// All that is known of one.
pub(super) fn whole(node: &str, kept: &KeptWorkspace) -> Vec<String> {
    let rows = [
        ("Thread", kept.thread.to_string()),
        ("Node", node.to_owned()),
        ("Path", kept.path.to_string()),
        ("Source", text::line(&kept.source)),
        ("Revision", kept.revision.clone().unwrap_or_else(|| "-".to_owned())),
        ("How", text::line(&kept.how)),
        ("Size", size(kept)),
        ("Made", moment::utc(UnixMillis(kept.made_at_ms))),
        ("Used", moment::utc(UnixMillis(kept.used_at_ms))),
        ("In use by", kept.in_use.as_deref().map_or_else(|| "-".to_owned(), text::line)),
        ("Broken", kept.broken.as_deref().map_or_else(|| "no".to_owned(), text::line)),
    ];
    rows.into_iter().map(|(name, value)| format!("{:<11}{value}", format!("{name}:"))).collect()
}
