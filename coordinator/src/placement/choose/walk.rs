//! Looks at nodes in the order of their load, until a few are found that have room.

use crate::placement::facts::NodeFacts;
use crate::placement::need::Need;
use crate::placement::reservations::Place;
use crate::placement::view::View;
use capstan_types::placement::Packing;
use roaring::RoaringBitmap;

/// Of how many nodes with room the best is taken. They are of about the same load, so more would change little.
const SAMPLE: usize = 8;

/// Sets of up to so many nodes are looked at as a whole.
const FEW: u64 = 64;

/// What was looked at.
#[derive(Debug, Default)]
pub(super) struct Sample {
    pub(super) with_room: Vec<Place>,
    pub(super) without_room: u64,
}

pub(super) fn sample(view: &View, need: &Need, nodes: &RoaringBitmap) -> Sample {
    let mut sample = Sample::default();
    if nodes.len() <= FEW {
        nodes.iter().for_each(|place| sample.look(view, need, place));
        return sample;
    }
    let steps = view.order().steps();
    match need.packing {
        Packing::Spread => steps.iter().for_each(|step| sample.step(view, need, nodes, step)),
        Packing::Pack => steps.iter().rev().for_each(|step| sample.step(view, need, nodes, step)),
    }
    sample
}

impl Sample {
    fn step(&mut self, view: &View, need: &Need, nodes: &RoaringBitmap, step: &RoaringBitmap) {
        if self.with_room.len() >= SAMPLE || step.is_empty() {
            return;
        }
        // Those of equal load are begun with at a place that the seed gives, lest every coordinator take the same one.
        let last = u64::from(step.max().unwrap_or(0)) + 1;
        let pivot = Place::try_from(mix(need.seed) % last).unwrap_or(0);
        for place in step.range(pivot..).chain(step.range(..pivot)) {
            if nodes.contains(place) {
                self.look(view, need, place);
                if self.with_room.len() >= SAMPLE {
                    return;
                }
            }
        }
    }

    fn look(&mut self, view: &View, need: &Need, place: Place) {
        let custom = |facts: &NodeFacts| {
            let used = &view.ledger().in_use(place).resources;
            need.resources.short(used, &facts.capacity).is_none()
        };
        let rest = need.resources.custom.is_empty() || view.facts(place).is_some_and(custom);
        if view.room(place).takes(&need.resources) && rest {
            self.with_room.push(place);
        } else {
            self.without_room += 1;
        }
    }
}

/// Mixes a number, so that neighbours are far apart (the finalizer of SplitMix64).
pub(super) const fn mix(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}
