//! What many hosts answered, told once for all that answered alike, within a budget. Pure.
//!
//! Invariants: every host is in one group, and two are in the same one exactly when they stand alike and wrote the same; what is told has
//! no more tokens than it may, and a few for the marks of what was left out.

use crate::hosts::named;
use capstan_types::clamp::{clamp_tokens, tokens};
use capstan_types::id::NodeId;
use std::collections::BTreeMap;

/// What one host answered.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Answer {
    /// How its command stands: one line.
    pub(super) standing: String,
    /// What the command wrote.
    pub(super) output: String,
}

/// Hosts that answered alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Group {
    /// They, by name.
    pub(super) hosts: Vec<NodeId>,
    /// What they answered.
    pub(super) answer: Answer,
}

/// The groups, the largest first, and among equals by the first host's name.
pub(super) fn grouped(answers: impl IntoIterator<Item = (NodeId, Answer)>) -> Vec<Group> {
    let mut alike: BTreeMap<Answer, Vec<NodeId>> = BTreeMap::new();
    for (host, answer) in answers {
        alike.entry(answer).or_default().push(host);
    }
    let mut groups: Vec<Group> = alike.into_iter().map(|(answer, hosts)| Group { hosts, answer }).collect();
    groups.iter_mut().for_each(|group| group.hosts.sort());
    groups.sort_by(|a, b| b.hosts.len().cmp(&a.hosts.len()).then_with(|| a.hosts.cmp(&b.hosts)));
    groups
}

/// The groups as the model is told of them, in at most so many tokens. Half of these are for outputs at least, and outputs that need less
/// than their part leave the rest to the others.
pub(super) fn told(groups: &[Group], max_tokens: u64) -> String {
    let heads: Vec<String> = groups.iter().map(head).collect();
    let (mut shown, mut used) = (0, 0);
    for head in &heads {
        let next = used + tokens(head.len() as u64);
        if next > max_tokens / 2 {
            break;
        }
        (shown, used) = (shown + 1, next);
    }
    let (first, rest) = groups.split_at(shown.min(groups.len()));
    let left = if rest.is_empty() { String::new() } else { left_out(rest, max_tokens / 4) };
    let room = max_tokens.saturating_sub(used).saturating_sub(tokens(left.len() as u64));
    let needs: Vec<u64> = first.iter().map(|group| tokens(group.answer.output.len() as u64)).collect();
    let shares = shares(&needs, room);
    let mut text = String::new();
    for ((group, head), share) in first.iter().zip(&heads).zip(shares) {
        text.push_str(head);
        let output = clamp_tokens(&group.answer.output, share);
        text.push_str(&output.text);
        if !output.text.is_empty() && !output.text.ends_with('\n') {
            text.push('\n');
        }
    }
    text + &left
}

fn head(group: &Group) -> String {
    let count = match group.hosts.len() {
        1 => "1 host".to_owned(),
        count => format!("{count} hosts"),
    };
    let silent = if group.answer.output.is_empty() { " (no output)" } else { "" };
    format!("== {count}: {}\n{}{silent}\n", named(&group.hosts), group.answer.standing)
}

fn left_out(groups: &[Group], max_tokens: u64) -> String {
    let hosts: Vec<NodeId> = groups.iter().flat_map(|group| group.hosts.iter().cloned()).collect();
    let text = format!("== {} more groups, not shown for want of room: {}\n", groups.len(), named(&hosts));
    clamp_tokens(&text, max_tokens).text
}

/// Divides `room` among needs: nobody gets more than it needs, and of those that get less than that, all get the same.
fn shares(needs: &[u64], room: u64) -> Vec<u64> {
    let mut order: Vec<usize> = (0..needs.len()).collect();
    order.sort_by_key(|at| needs.get(*at).copied().unwrap_or(0));
    let (mut shares, mut left) = (vec![0; needs.len()], room);
    for (done, at) in order.iter().enumerate() {
        let others = u64::try_from(needs.len() - done).unwrap_or(u64::MAX);
        let need = needs.get(*at).copied().unwrap_or(0);
        let share = need.min(left / others.max(1));
        left -= share;
        if let Some(place) = shares.get_mut(*at) {
            *place = share;
        }
    }
    shares
}

#[cfg(test)]
mod tests;
