//! The list of the node's sessions, from its journal and their files.

use crate::journal::{Journal, Kept, Stage};
use crate::session::dir::{end_in, record_in};
use crate::session::spooled;
use capstan_types::id::SessionId;
use capstan_types::session::{Listed, ListedState};
use std::path::Path;

/// The most sessions of one page, and how many there are when nobody says.
const MOST: usize = 500;
const DEFAULT: usize = 100;

/// A page of sessions behind `after`, and the last of it where there are more. Blocks for a few file operations for each session.
pub(crate) fn page(journal: &Journal, sessions: &Path, after: Option<SessionId>, size: u32) -> (Vec<Listed>, Option<SessionId>) {
    let size = usize::try_from(size).ok().filter(|size| *size > 0).unwrap_or(DEFAULT).min(MOST);
    let mut kept = journal.sessions(after, size + 1);
    let more = kept.len() > size;
    kept.truncate(size);
    let next = kept.last().map(|kept| kept.intent.session).filter(|_| more);
    (kept.into_iter().map(|kept| listed(journal, sessions, kept)).collect(), next)
}

fn listed(journal: &Journal, sessions: &Path, kept: Kept) -> Listed {
    let intent = &kept.intent;
    let dir = sessions.join(intent.session.to_string());
    Listed {
        session: intent.session,
        thread: intent.thread,
        call: intent.call,
        attempt: intent.attempt,
        argv: intent.argv.clone(),
        cwd: intent.cwd.clone(),
        stdio: intent.stdio,
        started_at_ms: intent.at_ms,
        output_bytes: spooled::total(&dir).unwrap_or_default(),
        chain: record_in(&dir).and_then(|record| record.chain),
        adopted: intent.generation != journal.generation().0,
        state: match kept.stage {
            Stage::Asked => ListedState::Starting,
            // The record of the end is there before anybody is told, and the journal's entry a little later.
            Stage::Runs => end_in(&dir).map_or(ListedState::Running, ListedState::Ended),
            Stage::Ended(end) => ListedState::Ended(end),
        },
    }
}
