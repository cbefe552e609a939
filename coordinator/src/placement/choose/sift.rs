//! Which nodes may be chosen at all, room aside.

use crate::placement::facts::NodeFacts;
use crate::placement::need::{Need, Wanted};
use crate::placement::no_place::NoPlace;
use crate::placement::view::View;
use capstan_types::id::NodeId;
use capstan_types::placement::{Rejected, Rejection};
use roaring::RoaringBitmap;

/// How many names are told of nodes that were not asked for.
const NAMES: usize = 20;

/// What is left.
#[derive(Debug)]
pub(super) struct Sifted {
    pub(super) candidates: RoaringBitmap,
    pub(super) rejected: Rejected,
}

impl Sifted {
    fn keep(&mut self, why: Rejection, keep: impl FnOnce(&mut RoaringBitmap)) {
        let before = self.candidates.len();
        keep(&mut self.candidates);
        self.rejected.insert(why, before - self.candidates.len());
    }
}

pub(super) fn sift(view: &View, need: &Need) -> Result<Sifted, NoPlace> {
    let sets = view.sets();
    let mut sifted = Sifted { candidates: sets.all.clone(), rejected: Rejected::new() };
    if let Wanted::Named(node) = &need.wanted {
        let place = view.place(node).ok_or_else(|| not_registered(view, node))?;
        sifted.keep(Rejection::NotNamed, |nodes| *nodes = RoaringBitmap::from_iter([place]));
    }
    let known = sifted.candidates.clone();
    sifted.keep(Rejection::Silent, |nodes| *nodes -= &sets.silent);
    if sifted.candidates.is_empty() && !known.is_empty() {
        return Err(NoPlace::Suspect { nodes: names(known.iter().filter_map(|place| view.facts(place))) });
    }
    sifted.keep(Rejection::Cordoned, |nodes| *nodes -= &sets.cordoned);
    sifted.keep(Rejection::Labels, |nodes| need.selector.parts().iter().for_each(|part| sets.keep(nodes, part)));
    let strong_or_not = sifted.candidates.clone();
    sifted.keep(Rejection::Weak, |nodes| sets.keep_level(nodes, need.level));
    if sifted.candidates.is_empty() && !strong_or_not.is_empty() {
        return Err(too_weak(view, need, &strong_or_not));
    }
    sifted.keep(Rejection::Tainted, |nodes| {
        let hard = sets.taints.iter().filter(|(taint, _)| !taint.effect.is_soft() && !need.tolerates(taint));
        hard.for_each(|(_, tainted)| *nodes -= tainted);
    });
    if sifted.candidates.is_empty() {
        sifted.rejected.retain(|_, count| *count > 0);
        return Err(NoPlace::NoneFits { nodes: view.len(), rejected: sifted.rejected });
    }
    Ok(sifted)
}

fn too_weak(view: &View, need: &Need, among: &RoaringBitmap) -> NoPlace {
    let facts = among.iter().filter_map(|place| view.facts(place));
    let strongest = facts.max_by(|a, b| a.level.cmp(&b.level).then_with(|| b.id.cmp(&a.id)));
    strongest.map_or(NoPlace::NoNodes, |node| NoPlace::TooWeak {
        node: node.id.clone(),
        level: node.level,
        demanded: need.level,
        missing: node.missing.clone(),
    })
}

pub(super) fn not_registered(view: &View, wanted: &NodeId) -> NoPlace {
    NoPlace::NotRegistered { wanted: wanted.clone(), known: names(view.nodes()) }
}

fn names<'a>(nodes: impl Iterator<Item = &'a NodeFacts>) -> String {
    let mut names: Vec<&str> = nodes.map(|node| node.id.as_str()).collect();
    names.sort_unstable();
    let more = names.len().saturating_sub(NAMES);
    names.truncate(NAMES);
    match (names.is_empty(), more) {
        (true, _) => "none".to_owned(),
        (false, 0) => names.join(", "),
        (false, more) => format!("{}, and {more} more", names.join(", ")),
    }
}
