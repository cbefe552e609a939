//! What of a conversation stays when it is shortened. Pure.
//!
//! The last steps stay whole, and what the user said before them. Invariants: what stays keeps its order; no call is parted from its
//! output, and no thought from the call it led to; what the model has not seen yet stays, if it is no output.

use super::words;
use capstan_types::clamp::clamp_tokens;
use capstan_types::history::Entry;

/// How much stays, in tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// Of what the user said.
    pub said: u64,
    /// Of the last steps.
    pub recent: u64,
}

/// A conversation that is being shortened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// What is no longer shown, the user's words included.
    pub dropped: Vec<Entry>,
    /// What the user said in it, as far as it stays, oldest first.
    pub said: Vec<Entry>,
    /// What stays as it is.
    pub recent: Vec<Entry>,
}

/// Chooses what stays of `history`. `is_news` tells what a turn tells its model again anyway; it stays nowhere. `count` gives the tokens
/// of an entry.
pub fn choose(history: &[Entry], room: Room, is_news: impl Fn(&Entry) -> bool, count: impl Fn(&Entry) -> u64) -> Choice {
    let history: Vec<Entry> = history.iter().filter(|entry| !is_news(entry)).cloned().collect();
    let start = recent(&history, room.recent, &count);
    let (dropped, recent) = history.split_at(start);
    Choice { said: said(dropped, room.said), dropped: dropped.to_vec(), recent: recent.to_vec() }
}

/// Where what stays begins.
fn recent(history: &[Entry], room: u64, count: &impl Fn(&Entry) -> u64) -> usize {
    let unseen = history.iter().rposition(|entry| !is_told(entry)).map_or(0, |last| last + 1);
    let (mut start, mut used) = (unseen, 0_u64);
    for place in (0..unseen).rev() {
        used = used.saturating_add(history.get(place).map_or(0, count));
        if used > room {
            break;
        }
        if begins_step(history, place) {
            start = place;
        }
    }
    start
}

/// Whether somebody other than the model and its tools said it.
const fn is_told(entry: &Entry) -> bool {
    matches!(entry, Entry::User { .. } | Entry::Developer { .. })
}

fn begins_step(history: &[Entry], place: usize) -> bool {
    let is_result = |entry: &Entry| matches!(entry, Entry::CallOutput { .. } | Entry::Picture { .. });
    let before = place.checked_sub(1).and_then(|before| history.get(before));
    history.get(place).is_some_and(|entry| !is_result(entry)) && before.is_none_or(|entry| is_told(entry) || is_result(entry))
}

/// The newest that fit, in their order. Of the first that does not fit, the beginning and the end stay; pictures do not.
fn said(dropped: &[Entry], room: u64) -> Vec<Entry> {
    let mut left = room;
    let mut said = Vec::new();
    for entry in dropped.iter().rev() {
        let Entry::User { text, images } = entry else { continue };
        if words::is_summary(text) || left == 0 {
            continue;
        }
        let text = match images.len() {
            0 => text.clone(),
            pictures => format!("{text}\n[{pictures} pictures were shown here]"),
        };
        let clamped = clamp_tokens(&text, left);
        left = if clamped.cut { 0 } else { left.saturating_sub(clamped.original_tokens) };
        said.push(Entry::User { text: clamped.text, images: Vec::new() });
    }
    said.reverse();
    said
}

#[cfg(test)]
mod tests;
