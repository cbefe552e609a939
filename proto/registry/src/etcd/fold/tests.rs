//! However events and lists reach it, in whatever order and however often, the picture ends where the store is.

use super::{Change, Picture, Told};
use crate::conformance::record;
use crate::etcd::value::Found;
use capstan_types::id::NodeId;
use capstan_types::node::NodeRecord;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// A store with its history, as etcd is one.
#[derive(Debug, Default)]
struct Store {
    now: BTreeMap<NodeId, Found<NodeRecord>>,
    history: Vec<Change>,
}

impl Store {
    fn revision(&self) -> i64 {
        self.history.last().map_or(0, |change| change.revision)
    }

    fn write(&mut self, node: u8, found: Option<Found<NodeRecord>>) {
        let id: NodeId = format!("n{node}").parse().unwrap();
        match &found {
            Some(found) => self.now.insert(id.clone(), found.clone()),
            None => self.now.remove(&id),
        };
        self.history.push(Change { id, revision: self.revision() + 1, found });
    }
}

#[derive(Debug, Clone)]
enum Step {
    Write(u8, Option<(u64, bool)>),
    /// Events from so many revisions back are told, again perhaps.
    Events(usize),
    /// The present list.
    List,
    /// So many writes are undone, as by a restored backup, and the list is told.
    Restore(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (0..5u8, prop::option::weighted(0.7, (1..4u64, any::<bool>()))).prop_map(|(node, found)| Step::Write(node, found)),
        3 => (0..6usize).prop_map(Step::Events),
        1 => Just(Step::List),
        1 => (0..9usize).prop_map(Step::Restore),
    ];
    prop::collection::vec(step, 0..80)
}

fn believe(belief: &mut BTreeMap<NodeId, NodeRecord>, told: Vec<Told>) {
    for told in told {
        match told {
            Told::Here(node) => assert_ne!(belief.insert(node.id.clone(), node.clone()), Some(node), "told without a change"),
            Told::Left(node) | Told::Vanished(node) => assert_eq!(belief.remove(&node.id), Some(node), "it was not there"),
        }
    }
}

/// What a list has.
type Listed = Vec<(NodeId, Option<Found<NodeRecord>>)>;

/// The list as it was after so many writes.
fn listed(store: &Store, writes: usize) -> (i64, Listed) {
    let mut then = BTreeMap::new();
    for change in &store.history[..writes] {
        match &change.found {
            Some(found) => then.insert(change.id.clone(), Some(found.clone())),
            None => then.remove(&change.id),
        };
    }
    (store.history[..writes].last().map_or(0, |change| change.revision), then.into_iter().collect())
}

proptest! {
    #[test]
    fn the_picture_ends_where_the_store_is(steps in steps()) {
        let (mut store, mut picture, mut belief) = (Store::default(), Picture::default(), BTreeMap::new());
        for step in steps {
            let told = match step {
                Step::Write(node, found) => {
                    let found = found.map(|(generation, leaving)| {
                        let record = record(&format!("n{node}"), generation);
                        if leaving { Found::Leaving(record) } else { Found::Here(record) }
                    });
                    store.write(node, found);
                    Vec::new()
                }
                Step::Events(back) => {
                    let seen = usize::try_from(picture.revision()).unwrap();
                    picture.apply(store.history[seen.saturating_sub(back)..].to_vec())
                }
                Step::List => {
                    let (revision, list) = listed(&store, store.history.len());
                    picture.relist(revision, list)
                }
                Step::Restore(back) => {
                    store.history.truncate(store.history.len().saturating_sub(back));
                    let (revision, list) = listed(&store, store.history.len());
                    store.now = list.iter().filter_map(|(id, found)| Some((id.clone(), found.clone()?))).collect();
                    picture.relist(revision, list)
                }
            };
            believe(&mut belief, told);
        }
        let seen = usize::try_from(picture.revision()).unwrap();
        let told = picture.apply(store.history[seen..].to_vec());
        believe(&mut belief, told);
        let there = store.now.iter().filter_map(|(id, found)| match found {
            Found::Here(record) => Some((id.clone(), record.clone())),
            Found::Leaving(_) => None,
        });
        prop_assert_eq!(belief, there.collect::<BTreeMap<_, _>>());
        prop_assert_eq!(picture.revision(), store.revision());
    }
}
