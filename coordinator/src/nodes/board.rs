//! The conditions of all nodes: what is seen of each goes in, what has changed comes out. Pure.

use super::pulse::LinkState;
use capstan_proto::protocol::Skew;
use capstan_types::id::NodeId;
use capstan_types::load::Resource;
use capstan_types::node_status::{Condition, ConditionKind};
use capstan_types::orders::{Closed, Ordered};
use capstan_types::time::UnixMillis;
use std::collections::BTreeMap;

/// A clock that differs by more than this is told: certificates and the times of sessions become hard to read.
const MOST_AHEAD_MS: i64 = 30_000;

/// Why a node that has just come is not ready.
const CONNECTING: &str = "Connecting";

/// What is seen of a node.
#[derive(Debug, Clone)]
pub struct Seen<'a> {
    /// Whether the registry is doubted about it.
    pub is_suspect: bool,
    /// How its link is; `None` for a node in this process.
    pub link: Option<LinkState>,
    /// Of what it is short; `None` until it has told.
    pub short: Option<&'a [Resource]>,
    /// How its protocol stands to ours.
    pub skew: Skew,
    /// How far its clock is ahead of ours, in milliseconds; `None` when it does not say.
    pub clock_ahead_ms: Option<i64>,
    /// Whether it is closed.
    pub closed: Option<&'a Ordered<Closed>>,
}

/// The conditions of all nodes.
#[derive(Debug, Clone, Default)]
pub struct Board {
    nodes: BTreeMap<NodeId, BTreeMap<ConditionKind, Condition>>,
}

/// One condition, without its time.
struct Judged {
    kind: ConditionKind,
    holds: bool,
    reason: &'static str,
    message: String,
    since: Option<UnixMillis>,
}

impl Board {
    /// Takes in what is seen of a node, and gives the conditions that hold since now, or do not any more. What is seen first is news only where it
    /// is bad.
    pub fn look(&mut self, node: &NodeId, seen: &Seen<'_>, now: UnixMillis) -> Vec<Condition> {
        let conditions = self.nodes.entry(node.clone()).or_default();
        let mut news = Vec::new();
        for judged in judged(seen) {
            let before = conditions.get(&judged.kind);
            let changed =
                before.map_or(judged.holds != (judged.kind == ConditionKind::Ready), |before| before.holds != judged.holds);
            // That a node answers for the first time is no news: it has joined.
            let is_new = before.is_none_or(|before| before.reason == CONNECTING) && (judged.holds || judged.reason == CONNECTING);
            let changed = changed && !(judged.kind == ConditionKind::Ready && is_new);
            let since = match (judged.since, before) {
                (Some(since), _) => since,
                (None, Some(before)) if before.holds == judged.holds => before.since,
                (None, _) => now,
            };
            let condition = Condition {
                kind: judged.kind,
                holds: judged.holds,
                reason: judged.reason.to_owned(),
                message: judged.message,
                since,
            };
            if changed {
                news.push(condition.clone());
            }
            conditions.insert(condition.kind, condition);
        }
        news
    }

    /// The node is gone.
    pub fn forget(&mut self, node: &NodeId) {
        self.nodes.remove(node);
    }

    /// What is known of a node, in the order in which it is shown.
    pub fn conditions(&self, node: &NodeId) -> impl Iterator<Item = &Condition> {
        self.nodes.get(node).into_iter().flat_map(BTreeMap::values)
    }
}

/// The conditions that an operator's orders make, for a node that is there or not.
#[must_use]
pub fn ordered(closed: Option<&Ordered<Closed>>) -> [Condition; 2] {
    [cordoned(closed), draining(closed)].map(|judged| Condition {
        kind: judged.kind,
        holds: judged.holds,
        reason: judged.reason.to_owned(),
        message: judged.message,
        since: judged.since.unwrap_or_default(),
    })
}

fn judged(seen: &Seen<'_>) -> Vec<Judged> {
    let unreachable = matches!(seen.link, Some(LinkState::Silent));
    let mut all = vec![
        ready(seen, unreachable),
        cordoned(seen.closed),
        draining(seen.closed),
        plain(ConditionKind::Suspect, seen.is_suspect, ["VanishedWithOthers", "Registered"], || {
            "it vanished from the registry together with many others, which may be the registry's fault".to_owned()
        }),
        plain(ConditionKind::Unreachable, unreachable, ["NoAnswer", "Answers"], || {
            "it does not answer this coordinator's heartbeats; is the process alive, and is the network?".to_owned()
        }),
        plain(ConditionKind::VersionSkew, seen.skew != Skew::None, ["OtherProtocol", "SameProtocol"], || seen.skew.to_string()),
    ];
    all.extend(seen.short.into_iter().flat_map(pressures));
    all.extend(seen.clock_ahead_ms.map(clock));
    all
}

fn ready(seen: &Seen<'_>, unreachable: bool) -> Judged {
    let (holds, reason, message) = match seen {
        Seen { skew, .. } if !skew.is_bearable() => (false, "VersionSkew", skew.to_string()),
        Seen { is_suspect: true, .. } => (false, "Suspect", "the registry has lost it together with many others".to_owned()),
        _ if unreachable => (false, "Unreachable", "it does not answer".to_owned()),
        Seen { link: Some(LinkState::New), .. } => (false, CONNECTING, "it has not answered yet".to_owned()),
        _ => (true, "Serving", String::new()),
    };
    Judged { kind: ConditionKind::Ready, holds, reason, message, since: None }
}

fn cordoned(closed: Option<&Ordered<Closed>>) -> Judged {
    let (reason, message) = closed.map_or(("Open", String::new()), |closed| ("Ordered", by_whom(closed)));
    Judged { kind: ConditionKind::Cordoned, holds: closed.is_some(), reason, message, since: closed.map(|closed| closed.at) }
}

fn draining(closed: Option<&Ordered<Closed>>) -> Judged {
    let (holds, reason) = match closed.map(|closed| &closed.what) {
        Some(Closed::Draining(_)) => (true, "Ordered"),
        Some(Closed::Drained) => (false, "Drained"),
        Some(Closed::Cordoned) | None => (false, "NotOrdered"),
    };
    let closed = closed.filter(|closed| closed.what != Closed::Cordoned);
    let message = closed.map(by_whom).unwrap_or_default();
    Judged { kind: ConditionKind::Draining, holds, reason, message, since: closed.map(|closed| closed.at) }
}

fn by_whom(closed: &Ordered<Closed>) -> String {
    match &closed.reason {
        Some(reason) => format!("{}: {reason}", closed.by),
        None => closed.by.to_string(),
    }
}

fn plain(kind: ConditionKind, holds: bool, [bad, good]: [&'static str; 2], message: impl FnOnce() -> String) -> Judged {
    let message = if holds { message() } else { String::new() };
    Judged { kind, holds, reason: if holds { bad } else { good }, message, since: None }
}

fn pressures(short: &[Resource]) -> impl Iterator<Item = Judged> {
    let of = |kind, resources: &'static [Resource]| {
        let names: Vec<&str> =
            short.iter().filter(|resource| resources.contains(resource)).map(|resource| resource.name()).collect();
        plain(kind, !names.is_empty(), ["Short", "Enough"], || {
            format!("it starts no session for want of {}", names.join(" and "))
        })
    };
    [
        of(ConditionKind::MemoryPressure, &[Resource::Memory]),
        of(ConditionKind::DiskPressure, &[Resource::Disk, Resource::WorkspaceDisk, Resource::Inodes]),
        of(ConditionKind::ProcessPressure, &[Resource::Processes]),
        of(ConditionKind::DescriptorPressure, &[Resource::Descriptors]),
        of(ConditionKind::TerminalPressure, &[Resource::Terminals]),
    ]
    .into_iter()
}

fn clock(ahead_ms: i64) -> Judged {
    let skewed = ahead_ms.abs() > MOST_AHEAD_MS;
    plain(ConditionKind::ClockSkew, skewed, ["OtherTime", "SameTime"], || {
        let (by, way) = (ahead_ms.unsigned_abs() / 1000, if ahead_ms > 0 { "ahead of" } else { "behind" });
        format!("its clock is {by} s {way} this coordinator's; certificates bear five minutes: set the clocks")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FINE: Seen<'static> = Seen {
        is_suspect: false,
        link: Some(LinkState::Alive),
        short: Some(&[]),
        skew: Skew::None,
        clock_ahead_ms: Some(12),
        closed: None,
    };

    fn told(news: &[Condition]) -> Vec<(&'static str, bool, u64)> {
        news.iter().map(|condition| (condition.kind.as_str(), condition.holds, condition.since.0)).collect()
    }

    #[test]
    fn a_condition_keeps_its_time_until_it_changes_and_only_changes_are_news() {
        let (mut board, node) = (Board::default(), "a".parse().unwrap());
        let new = Seen { link: Some(LinkState::New), ..FINE };
        assert_eq!(told(&board.look(&node, &new, UnixMillis(0))), []);
        assert_eq!(told(&board.look(&node, &FINE, UnixMillis(1))), []);
        let late = Seen { link: Some(LinkState::Late), ..FINE };
        assert_eq!(told(&board.look(&node, &late, UnixMillis(2))), []);
        let silent = Seen { link: Some(LinkState::Silent), ..FINE };
        assert_eq!(told(&board.look(&node, &silent, UnixMillis(3))), [("Ready", false, 3), ("Unreachable", true, 3)]);
        assert_eq!(told(&board.look(&node, &silent, UnixMillis(4))), []);
        let ready = board.conditions(&node).find(|condition| condition.kind == ConditionKind::Ready).unwrap();
        assert_eq!((ready.since, ready.reason.as_str()), (UnixMillis(3), "Unreachable"));
        assert_eq!(told(&board.look(&node, &FINE, UnixMillis(5))), [("Ready", true, 5), ("Unreachable", false, 5)]);
    }

    #[test]
    fn what_is_bad_from_the_beginning_is_news() {
        let (mut board, node) = (Board::default(), "a".parse().unwrap());
        let short = [Resource::Inodes, Resource::Disk, Resource::Memory];
        let seen = Seen { skew: Skew::TooNew { theirs: 9 }, short: Some(&short), clock_ahead_ms: Some(-90_000), ..FINE };
        let news = board.look(&node, &seen, UnixMillis(1));
        let kinds: Vec<_> = news.iter().map(|condition| condition.kind.as_str()).collect();
        assert_eq!(kinds, ["Ready", "VersionSkew", "MemoryPressure", "DiskPressure", "ClockSkew"]);
        assert_eq!(news[3].message, "it starts no session for want of inodes and disk");
        assert!(news[4].message.starts_with("its clock is 90 s behind this coordinator's"));
        board.forget(&node);
        assert_eq!(board.conditions(&node).count(), 0);
    }

    #[test]
    fn an_order_is_told_with_whose_it_is_and_since_when() {
        let closed =
            Ordered { what: Closed::Drained, by: "ann".parse().unwrap(), at: UnixMillis(7), reason: Some("kernel".into()) };
        let [cordoned, draining] = ordered(Some(&closed));
        assert_eq!((cordoned.holds, cordoned.message.as_str(), cordoned.since), (true, "ann: kernel", UnixMillis(7)));
        assert_eq!((draining.holds, draining.reason.as_str()), (false, "Drained"));
    }
}
