//! What holds for every view and every need.

use super::reference::{eligible, has_room, may};
use crate::placement::choose::choose;
use crate::placement::facts::{Freshness, NodeFacts};
use crate::placement::need::{Need, Wanted};
use crate::placement::no_place::NoPlace;
use crate::placement::view::View;
use capstan_types::id::{NodeId, ThreadId};
use capstan_types::placement::{Packing, Priority};
use capstan_types::policy::Level;
use capstan_types::resources::Resources;
use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;

fn node_id(number: usize) -> NodeId {
    format!("n{number}").parse().unwrap()
}

fn resources() -> impl Strategy<Value = Resources> {
    let custom = btree_map(Just("gpu".parse().unwrap()), 1..3_u64, 0..2);
    (0..8_u64, 0..8_u64, 0..3_u64, custom).prop_map(|(cpu, memory, disk, custom)| Resources {
        cpu_milli: cpu * 500,
        memory_bytes: memory << 30,
        disk_bytes: disk << 30,
        custom,
    })
}

fn levels() -> impl Strategy<Value = Level> {
    prop_oneof![1 => Just(Level::Landlock), 3 => Just(Level::Full)]
}

fn facts(number: usize) -> impl Strategy<Value = NodeFacts> {
    let taint = prop_oneof![Just("gpu:NoSchedule"), Just("old:PreferNoSchedule"), Just("bad:NoExecute")];
    let freshness = prop_oneof![8 => Just(Freshness::Fresh), 1 => Just(Freshness::Stale), 1 => Just(Freshness::Suspect)];
    let labels = btree_map("[ab]", "[xy]", 0..3);
    let taints = prop_oneof![3 => Just(std::collections::BTreeSet::new()), 1 => btree_set(taint.prop_map(|text| text.parse().unwrap()), 1..3)];
    let rest = (0..3_u32, levels(), freshness, btree_set("[r]", 0..2), 0..400_u16);
    (labels, taints, prop::bool::weighted(0.1), resources(), rest).prop_map(
        move |(labels, taints, cordoned, capacity, (slots, level, freshness, mirrors, busy))| NodeFacts {
            id: node_id(number),
            labels,
            taints,
            cordoned,
            capacity,
            slots,
            level,
            missing: Vec::new(),
            freshness,
            mirrors,
            busy,
        },
    )
}

fn needs() -> impl Strategy<Value = Need> {
    let wanted = prop_oneof![6 => Just(Wanted::Any), 1 => (0..8_usize).prop_map(|number| Wanted::Named(node_id(number)))];
    let selector = prop_oneof![3 => Just(""), 1 => Just("a=x"), 1 => Just("a!=x,b"), 1 => Just("!a"), 1 => Just("b in (x,y)"), 1 => Just("c")];
    let tolerations = prop_oneof![3 => Just(None), 1 => Just(Some("gpu")), 1 => Just(Some("*"))];
    let (repository, batch) = (option::of(Just("r".to_owned())), option::of(Just("b".to_owned())));
    let packing = prop_oneof![Just(Packing::Spread), Just(Packing::Pack)];
    (wanted, selector, tolerations, resources(), levels(), packing, repository, batch, any::<u64>()).prop_map(
        |(wanted, selector, toleration, resources, level, packing, repository, batch, seed)| Need {
            wanted,
            selector: selector.parse().unwrap(),
            tolerations: toleration.into_iter().map(|text| text.parse().unwrap()).collect(),
            resources,
            level,
            packing,
            repository,
            batch,
            priority: Priority::default(),
            seed,
        },
    )
}

/// What happens to a view.
#[derive(Debug, Clone)]
enum Happens {
    Put(NodeFacts),
    Leave(usize),
    Place(u128, Box<Need>),
    Ended(u128),
}

fn happenings() -> impl Strategy<Value = Happens> {
    prop_oneof![
        4 => (0..8_usize).prop_flat_map(facts).prop_map(Happens::Put),
        1 => (0..8_usize).prop_map(Happens::Leave),
        6 => (0..20_u128, needs()).prop_map(|(workspace, need)| Happens::Place(workspace, Box::new(need))),
        2 => (0..20_u128).prop_map(Happens::Ended),
    ]
}

/// Compares a choice with what the naive chooser finds.
fn compare(view: &View, need: &Need) -> Result<Option<NodeId>, TestCaseError> {
    let good = eligible(view, need);
    let chosen = choose(view, need);
    prop_assert_eq!(&chosen, &choose(view, need), "the same need, seed and view give the same node");
    match chosen {
        Ok(choice) => {
            let found = good.iter().find(|one| one.node == choice.node);
            prop_assert!(found.is_some(), "{} would not do", choice.node);
            let (found, best) = (found.unwrap(), good.iter().map(|one| one.rank).min().unwrap());
            prop_assert_eq!(found.rank, best, "a preferred node had room");
            let loads = good.iter().filter(|one| one.rank == best).map(|one| one.load);
            let limit = match need.packing {
                Packing::Spread => loads.min(),
                Packing::Pack => loads.max(),
            };
            // Among siblings of a batch their number counts before the load.
            if need.batch.is_none() || !found.rank.1 {
                prop_assert_eq!(found.load, limit.unwrap());
            }
            Ok(Some(choice.node))
        }
        Err(error) => {
            prop_assert!(good.is_empty(), "{error}, and yet {good:?}");
            let may: Vec<_> = view.nodes().filter(|node| may(need, node)).collect();
            prop_assert!(may.iter().all(|node| !has_room(view, need, node)));
            if matches!(error, NoPlace::Full { .. }) {
                prop_assert!(!may.is_empty());
            }
            Ok(None)
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn the_choice_is_one_that_the_naive_chooser_would_make(happenings in vec(happenings(), 0..60), need in needs()) {
        let mut view = View::default();
        for happens in happenings {
            match happens {
                Happens::Put(facts) => view.put(facts),
                Happens::Leave(number) => view.leave(&node_id(number)),
                Happens::Ended(workspace) => drop(view.give_back(ThreadId::from_u128(workspace))),
                Happens::Place(workspace, need) => {
                    let workspace = ThreadId::from_u128(workspace);
                    if view.ledger().held(workspace).is_none() && let Some(node) = compare(&view, &need)? {
                        let reserved = view.reserve(workspace, &node, &need.resources, need.batch.as_deref());
                        prop_assert_eq!(reserved, Ok(()), "who is chosen has room");
                    }
                }
            }
        }
        compare(&view, &need)?;
    }
}

/// Above the number of nodes that are looked at as a whole, where the order by load is walked.
#[test]
fn among_many_nodes_the_choice_is_as_good() {
    let mut view = View::default();
    for number in 0..500 {
        let capacity = Resources { cpu_milli: 8000, memory_bytes: 1 << 34, ..Resources::NONE };
        let labels = [("zone".to_owned(), format!("z{}", number % 3))].into();
        let none = Vec::new();
        view.put(NodeFacts {
            id: node_id(number),
            labels,
            taints: [].into(),
            cordoned: number % 50 == 0,
            capacity,
            slots: 8,
            level: Level::Full,
            missing: none,
            freshness: Freshness::Fresh,
            mirrors: [].into(),
            busy: 0,
        });
    }
    for number in 0..2500_u32 {
        let packing = if number % 5 == 0 { Packing::Pack } else { Packing::Spread };
        let selector = ["", "zone=z1", "zone!=z2"][usize::try_from(number % 3).unwrap()].parse().unwrap();
        let resources = Resources { cpu_milli: 250 * u64::from(number % 9), ..Resources::NONE };
        let need = Need { selector, packing, resources, seed: u64::from(number), ..Need::default() };
        let good = eligible(&view, &need);
        let Ok(choice) = choose(&view, &need) else {
            assert!(good.is_empty());
            continue;
        };
        let loads = good.iter().map(|one| one.load);
        let limit = if packing == Packing::Pack { loads.max() } else { loads.min() }.unwrap();
        let found = good.iter().find(|one| one.node == choice.node).unwrap().load;
        assert_eq!(found, limit, "the order tells thousandths apart");
        view.reserve(ThreadId::from_u128(number.into()), &choice.node, &need.resources, None).unwrap();
    }
}
