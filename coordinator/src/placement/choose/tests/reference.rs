//! The naive chooser: it looks at every node and knows no set.

use crate::placement::facts::{Freshness, NodeFacts};
use crate::placement::need::{Need, Wanted};
use crate::placement::reservations::PARTS;
use crate::placement::view::View;
use capstan_types::id::NodeId;
use capstan_types::placement::Packing;

/// A node that would do: how it ranks before its load is looked at (less is better), and its load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Eligible {
    pub(super) node: NodeId,
    pub(super) rank: (bool, bool, bool),
    pub(super) load: u16,
}

/// Whether a node may be chosen at all, room aside.
pub(super) fn may(need: &Need, node: &NodeFacts) -> bool {
    let named = match &need.wanted {
        Wanted::Any => true,
        Wanted::Named(wanted) | Wanted::Held(wanted) => *wanted == node.id,
    };
    named
        && node.freshness == Freshness::Fresh
        && !node.cordoned
        && need.selector.matches(&node.labels)
        && node.level >= need.level
        && node.taints.iter().all(|taint| taint.effect.is_soft() || need.tolerates(taint))
}

/// Whether it has room now.
pub(super) fn has_room(view: &View, need: &Need, node: &NodeFacts) -> bool {
    let used = view.in_use(&node.id);
    need.resources.short(&used.resources, &node.capacity).is_none() && used.parts < u64::from(node.slots) * PARTS
}

/// All nodes that would do.
pub(super) fn eligible(view: &View, need: &Need) -> Vec<Eligible> {
    let good = view.nodes().filter(|node| may(need, node) && has_room(view, need, node));
    let one = |node: &NodeFacts| {
        let soft = node.taints.iter().any(|taint| taint.effect.is_soft() && !need.tolerates(taint));
        let place = view.place(&node.id).unwrap();
        let siblings = need.batch.as_deref().and_then(|batch| view.siblings(batch)).map_or(0, |siblings| siblings.on(place));
        let mirror = need.repository.as_ref().is_some_and(|repository| node.mirrors.contains(repository));
        let load = view.room(place).load;
        let mirror = siblings > 0 || (mirror && (load <= 750 || need.packing == Packing::Pack));
        Eligible { node: node.id.clone(), rank: (soft, siblings > 0, !mirror), load }
    };
    good.map(one).collect()
}
