//! A turn that has no end, and where it goes on.

use super::fate::Fate;
use crate::thread::recall::Cut;
use capstan_types::call::{Call, CallEnd, ReplayClass};
use capstan_types::history::Entry;
use capstan_types::id::TurnId;
use capstan_types::item::{ItemBody, ItemId};
use std::collections::BTreeMap;

/// How often a turn is gone on with. One that ends its coordinator every time must not do so for ever.
pub const MOST_TIMES: u32 = 3;

/// A turn that has no end.
#[derive(Debug)]
pub struct Unfinished {
    /// The turn.
    pub turn: TurnId,
    /// What its stored events say of it.
    pub cut: Cut,
    /// Its items that are open.
    pub open: BTreeMap<ItemId, ItemBody>,
    /// The calls of its last answer of which the model was told nothing, in the order asked.
    pub left: Vec<(Call, Fate)>,
    /// What people said to it and its model was not told.
    pub unsaid: Vec<String>,
    /// Whether a call of it may have changed the workspace.
    pub may_have_changed: bool,
}

/// Where a turn goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Calls are left to be ended.
    Calls,
    /// The model is asked, perhaps again.
    Ask,
    /// The last answer asks for nothing more.
    Answered,
}

impl Unfinished {
    /// Where it goes on, by the thread's history.
    #[must_use]
    pub fn stage(&self, entries: &[Entry]) -> Stage {
        let last = entries.last();
        match last {
            _ if !self.left.is_empty() => Stage::Calls,
            Some(Entry::Assistant { .. } | Entry::Reasoning { .. }) => Stage::Answered,
            Some(
                Entry::Call { .. }
                | Entry::CallOutput { .. }
                | Entry::User { .. }
                | Entry::Developer { .. }
                | Entry::Picture { .. }
                | Entry::Compacted { .. },
            )
            | None => Stage::Ask,
        }
    }
}

/// Of a turn's calls, those of which the model was told nothing: `unanswered` are its names for them, in the order asked.
#[must_use]
pub fn left(calls: Vec<(Call, Option<CallEnd>)>, unanswered: &[String]) -> Vec<(Call, Option<CallEnd>)> {
    let mut wanted: Vec<&String> = unanswered.iter().collect();
    // A model may use a name again; what it waits for is the last one of that name.
    let mut found: Vec<_> = calls
        .into_iter()
        .rev()
        .filter(|(call, _)| match wanted.iter().rposition(|name| **name == call.model_call_id) {
            Some(place) => {
                wanted.remove(place);
                true
            }
            None => false,
        })
        .collect();
    found.reverse();
    found
}

/// Whether one of these calls may have changed the workspace.
#[must_use]
pub fn may_have_changed(calls: &[(Call, Option<CallEnd>)]) -> bool {
    calls.iter().any(|(call, _)| call.replay != ReplayClass::Pure)
}
