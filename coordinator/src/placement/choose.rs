//! The choice itself: values in, a name and its reasons out.
//!
//! First the nodes are sifted by sets (`sift`), which costs the same however many there are. Then they are looked at in the order of their load,
//! from a place that the seed gives, until a few have room (`walk`); the best of these is taken. Nodes that are preferred are looked at
//! before the others, so a preference yields to nothing but want of room.

mod sift;
mod walk;

use super::facts::NodeFacts;
use super::need::{Need, Wanted};
use super::no_place::NoPlace;
use super::reservations::Place;
use super::view::View;
use capstan_types::id::NodeId;
use capstan_types::placement::{Choice, Packing, Rejection, Why};
use roaring::RoaringBitmap;
use sift::{Sifted, sift};
use walk::{Sample, mix, sample};

/// A group of nodes that are looked at before the next group.
#[derive(Debug)]
struct Tier {
    nodes: RoaringBitmap,
    tainted: bool,
}

/// From this load on, in thousandths, a node's mirror does not speak for it any more.
const CROWDED: u16 = 750;

/// Chooses the node for a workspace.
///
/// # Errors
/// There is none: see [`NoPlace`].
pub fn choose(view: &View, need: &Need) -> Result<Choice, NoPlace> {
    choose_beside(view, need, &RoaringBitmap::new())
}

/// As [`choose`], with nodes that are kept for others: they count as full.
///
/// # Errors
/// As [`choose`].
pub fn choose_beside(view: &View, need: &Need, kept: &RoaringBitmap) -> Result<Choice, NoPlace> {
    if view.is_empty() && !matches!(need.wanted, Wanted::Named(_) | Wanted::Held(_)) {
        return Err(NoPlace::NoNodes);
    }
    if let Wanted::Held(node) = &need.wanted {
        return held(view, need, node);
    }
    let mut sifted = sift(view, need)?;
    let tiers = tiers(view, need, &(&sifted.candidates - kept));
    let mut looked = sifted.candidates.intersection_len(kept);
    for tier in &tiers {
        let sample = sample(view, need, &tier.nodes);
        looked += sample.without_room;
        let best = best(view, need, &sample);
        if let Some((place, facts)) = best.and_then(|place| Some((place, view.facts(place)?))) {
            sifted.rejected.insert(Rejection::Full, looked);
            return Ok(choice(view, need, sifted, tier, (place, facts)));
        }
    }
    Err(without_room(view, need, sifted))
}

/// The nodes that would do for a need, if they had room.
#[must_use]
pub fn usable(view: &View, need: &Need) -> RoaringBitmap {
    let could = |place: &Place| could_take(view, need, *place);
    sift(view, need).map_or_else(|_| RoaringBitmap::new(), |sifted| sifted.candidates.iter().filter(could).collect())
}

fn could_take(view: &View, need: &Need, place: Place) -> bool {
    let custom = |facts: &NodeFacts| need.resources.custom.iter().all(|(key, want)| *want <= facts.capacity.custom(key));
    view.room(place).could_take(&need.resources) && view.facts(place).is_some_and(|facts| facts.slots > 0 && custom(facts))
}

fn held(view: &View, need: &Need, node: &NodeId) -> Result<Choice, NoPlace> {
    let facts = view.place(node).and_then(|place| view.facts(place)).ok_or_else(|| sift::not_registered(view, node))?;
    if facts.level < need.level {
        let (level, missing) = (facts.level, facts.missing.clone());
        return Err(NoPlace::TooWeak { node: node.clone(), level, demanded: need.level, missing });
    }
    let rejected = [(Rejection::NotNamed, view.len() - 1)].into();
    Ok(Choice { node: node.clone(), nodes: view.len(), candidates: 1, why: vec![Why::Held], rejected })
}

/// The groups, the preferred first. The last holds all candidates.
fn tiers(view: &View, need: &Need, candidates: &RoaringBitmap) -> Vec<Tier> {
    let mut clean = candidates.clone();
    let soft = view.sets().taints.iter().filter(|(taint, _)| taint.effect.is_soft() && !need.tolerates(taint));
    soft.for_each(|(_, nodes)| clean -= nodes);
    let siblings = need.batch.as_deref().and_then(|batch| view.siblings(batch));
    let mirrors = need.repository.as_deref().and_then(|repository| view.sets().mirrors(repository));
    let mirrors = mirrors.map(|mirrors| worth_it(view, need, candidates & mirrors));
    let mut tiers: Vec<Tier> = Vec::new();
    let mut add = |nodes: RoaringBitmap, tainted: bool| {
        let news = tiers.last().is_none_or(|last| last.nodes != nodes);
        if news && !nodes.is_empty() {
            tiers.push(Tier { nodes, tainted });
        }
    };
    for (tainted, among) in [(false, &clean), (true, candidates)] {
        // Where every node holds some of the batch, how many counts more than a mirror.
        let apart = siblings.map_or_else(|| among.clone(), |siblings| among - siblings.places());
        mirrors.iter().for_each(|mirrors| add(&apart & mirrors, tainted));
        add(apart, tainted);
        add(among.clone(), tainted);
    }
    tiers
}

/// A mirror saves a transfer, and is not worth a crowded node while others are idle.
fn worth_it(view: &View, need: &Need, mut mirrors: RoaringBitmap) -> RoaringBitmap {
    if need.packing == Packing::Spread {
        let crowded: RoaringBitmap = mirrors.iter().filter(|place| view.room(*place).load > CROWDED).collect();
        mirrors -= crowded;
    }
    mirrors
}

fn best(view: &View, need: &Need, sample: &Sample) -> Option<Place> {
    let siblings = need.batch.as_deref().and_then(|batch| view.siblings(batch));
    let score = |place: &Place| {
        let load = view.room(*place).load;
        let load = if need.packing == Packing::Pack { u16::MAX - load } else { load };
        (siblings.map_or(0, |siblings| siblings.on(*place)), load, mix(need.seed ^ u64::from(*place)))
    };
    sample.with_room.iter().copied().min_by_key(score)
}

fn choice(view: &View, need: &Need, sifted: Sifted, tier: &Tier, (place, facts): (Place, &NodeFacts)) -> Choice {
    let mut why = Vec::new();
    if matches!(need.wanted, Wanted::Named(_)) {
        why.push(Why::Named);
    }
    if !need.selector.is_empty() {
        why.push(Why::Selected(need.selector.to_string()));
    }
    why.extend(facts.taints.iter().filter(|taint| need.tolerates(taint)).map(|taint| Why::Tolerated(taint.to_string())));
    why.extend((tier.tainted).then_some(Why::NoneWithoutTaint));
    if let Some(batch) = &need.batch {
        let others = view.siblings(batch).map_or(0, |siblings| siblings.on(place));
        why.push(if others == 0 { Why::Apart(batch.clone()) } else { Why::Together(others) });
    }
    why.extend(need.repository.clone().filter(|repository| facts.mirrors.contains(repository)).map(Why::Mirror));
    let load = view.room(place).load;
    match need.packing {
        Packing::Spread => why.push(Why::LeastLoaded(load)),
        Packing::Pack => why.push(Why::MostLoaded(load)),
    }
    let mut rejected = sifted.rejected;
    rejected.retain(|_, count| *count > 0);
    Choice { node: facts.id.clone(), nodes: view.len(), candidates: sifted.candidates.len(), why, rejected }
}

/// Room is wanting everywhere: for now, or for good.
fn without_room(view: &View, need: &Need, mut sifted: Sifted) -> NoPlace {
    let full = u64::try_from(sifted.candidates.iter().filter(|place| could_take(view, need, *place)).count()).unwrap_or(u64::MAX);
    let small = sifted.candidates.len() - full;
    sifted.rejected.insert(Rejection::Full, full);
    sifted.rejected.insert(Rejection::TooSmall, small);
    sifted.rejected.retain(|_, count| *count > 0);
    let (nodes, rejected) = (view.len(), sifted.rejected);
    if full > 0 { NoPlace::Full { nodes, rejected } } else { NoPlace::NoneFits { nodes, rejected } }
}

#[cfg(test)]
mod tests;
