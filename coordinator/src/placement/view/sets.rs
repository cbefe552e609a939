//! The nodes by what needs ask for: a set of places for each label, taint, level and mirror, so that a choice never looks at every node.

use crate::placement::facts::{Freshness, NodeFacts};
use crate::placement::reservations::Place;
use capstan_types::policy::Level;
use capstan_types::selector::{Demand, Requirement};
use capstan_types::taint::Taint;
use roaring::RoaringBitmap;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;

/// The sets.
#[derive(Debug, Clone, Default)]
pub struct Sets {
    /// All nodes.
    pub all: RoaringBitmap,
    /// Those that a person has closed.
    pub cordoned: RoaringBitmap,
    /// Those that were not heard of lately, and those that are about to be given up.
    pub silent: RoaringBitmap,
    /// By taint.
    pub taints: HashMap<Taint, RoaringBitmap>,
    labels: HashMap<String, Label>,
    levels: [RoaringBitmap; Level::ALL.len()],
    mirrors: HashMap<String, RoaringBitmap>,
}

#[derive(Debug, Clone, Default)]
struct Label {
    any: RoaringBitmap,
    values: HashMap<String, RoaringBitmap>,
}

impl Sets {
    /// Takes a node in.
    pub fn insert(&mut self, place: Place, facts: &NodeFacts) {
        self.all.insert(place);
        if facts.cordoned {
            self.cordoned.insert(place);
        }
        if facts.freshness != Freshness::Fresh {
            self.silent.insert(place);
        }
        for (key, value) in &facts.labels {
            let label = self.labels.entry(key.clone()).or_default();
            label.any.insert(place);
            label.values.entry(value.clone()).or_default().insert(place);
        }
        for taint in &facts.taints {
            self.taints.entry(taint.clone()).or_default().insert(place);
        }
        for mirror in &facts.mirrors {
            self.mirrors.entry(mirror.clone()).or_default().insert(place);
        }
        if let Some(level) = self.levels.get_mut(usize::from(facts.level as u8)) {
            level.insert(place);
        }
    }

    /// Takes a node out; `facts` are those with which it was taken in.
    pub fn remove(&mut self, place: Place, facts: &NodeFacts) {
        for set in [&mut self.all, &mut self.cordoned, &mut self.silent].into_iter().chain(&mut self.levels) {
            set.remove(place);
        }
        for (key, value) in &facts.labels {
            if let Entry::Occupied(mut label) = self.labels.entry(key.clone()) {
                label.get_mut().any.remove(place);
                leave(&mut label.get_mut().values, value.clone(), place);
                if label.get().any.is_empty() {
                    label.remove();
                }
            }
        }
        facts.taints.iter().for_each(|taint| leave(&mut self.taints, taint.clone(), place));
        facts.mirrors.iter().for_each(|mirror| leave(&mut self.mirrors, mirror.clone(), place));
    }

    /// Leaves in `among` the nodes of which a part of a selector holds.
    pub fn keep(&self, among: &mut RoaringBitmap, part: &Requirement) {
        let Some(label) = self.labels.get(part.key.as_str()) else {
            if matches!(part.demand, Demand::In(_) | Demand::Exists) {
                among.clear();
            }
            return;
        };
        match &part.demand {
            Demand::Exists => *among &= &label.any,
            Demand::Missing => *among -= &label.any,
            Demand::In(values) => {
                let mut any = RoaringBitmap::new();
                values.iter().filter_map(|value| label.values.get(value.as_str())).for_each(|set| any |= set);
                *among &= any;
            }
            Demand::NotIn(values) => {
                values.iter().filter_map(|value| label.values.get(value.as_str())).for_each(|set| *among -= set);
            }
        }
    }

    /// Leaves in `among` the nodes whose sandbox holds at least this level.
    pub fn keep_level(&self, among: &mut RoaringBitmap, least: Level) {
        Level::ALL.iter().zip(&self.levels).filter(|(level, _)| **level < least).for_each(|(_, set)| *among -= set);
    }

    /// The nodes with a repository's mirror.
    #[must_use]
    pub fn mirrors(&self, repository: &str) -> Option<&RoaringBitmap> {
        self.mirrors.get(repository)
    }
}

fn leave<K: Eq + Hash>(sets: &mut HashMap<K, RoaringBitmap>, key: K, place: Place) {
    if let Entry::Occupied(mut set) = sets.entry(key) {
        set.get_mut().remove(place);
        if set.get().is_empty() {
            set.remove();
        }
    }
}
