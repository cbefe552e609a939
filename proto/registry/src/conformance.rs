//! What every registry must do, run against each of them with the same words.

use crate::coordinator::CoordinatorRecord;
use crate::error::RegistryError;
use crate::registry::Registry;
use crate::standing::Standing;
use crate::view::{BACKLOG, NodeEvent, NodeWatch};
use capstan_types::id::{Generation, NodeId};
use capstan_types::node::{Capacity, Fingerprint, JournalState, NodeAddress, NodeRecord};
use capstan_types::orders::{Change, Closed, Given, Unchanged};
use capstan_types::time::UnixMillis;
use std::collections::BTreeMap;
use std::time::Duration;

/// Long enough for a remote registry on a busy machine; reached only when a check fails.
const PATIENCE: Duration = Duration::from_secs(20);

/// A record to register.
pub(crate) fn record(id: &str, generation: u64) -> NodeRecord {
    NodeRecord {
        id: id.parse().unwrap(),
        generation: Generation(generation),
        address: NodeAddress::Tcp(format!("127.0.0.1:{}", 4000 + generation)),
        labels: BTreeMap::from([("arch".to_owned(), "x86_64".to_owned())]),
        capacity: Capacity { sessions: 8, cpus: 2, memory_bytes: 1 << 30 },
        stock: capstan_types::stock::Stock::default(),
        fingerprint: Fingerprint::default(),
        journal: JournalState::default(),
        protocol: 2,
    }
}

pub(crate) fn given() -> Given {
    Given { by: "ann".parse().unwrap(), at: UnixMillis(7), reason: Some("kernel".to_owned()) }
}

fn id(name: &str) -> NodeId {
    name.parse().unwrap()
}

async fn next(watch: &mut NodeWatch) -> NodeEvent {
    tokio::time::timeout(PATIENCE, watch.next()).await.expect("the watcher was told nothing")
}

/// Runs the whole suite; `fresh` makes an empty registry for each check.
pub(crate) async fn check<R: Registry>(fresh: impl AsyncFn() -> R) {
    a_node_is_listed_until_it_is_released(&fresh().await).await;
    a_dropped_registration_removes_the_node(&fresh().await).await;
    nodes_are_listed_by_id(&fresh().await).await;
    a_life_that_is_not_newer_is_refused_with_what_to_do(&fresh().await).await;
    a_newer_life_replaces_the_older_one(&fresh().await).await;
    a_node_that_left_may_come_back_with_its_generation(&fresh().await).await;
    a_watch_begins_with_the_nodes_that_are_there(&fresh().await).await;
    a_watcher_that_gives_up_waiting_misses_nothing(&fresh().await).await;
    a_slow_watcher_gets_the_whole_list_and_then_goes_on(&fresh().await).await;
    coordinators_are_listed_until_they_leave(&fresh().await).await;
    a_registry_that_answers_may_be_believed(&fresh().await).await;
    orders_stay_whether_their_node_is_there_or_not(&fresh().await).await;
    orders_that_change_nothing_are_refused(&fresh().await).await;
    of_orders_at_once_none_is_lost(&fresh().await).await;
}

async fn a_node_is_listed_until_it_is_released(registry: &impl Registry) {
    let held = registry.register(record("a", 1)).await.unwrap();
    assert_eq!(held.record(), &record("a", 1));
    assert_eq!(registry.nodes().await, [record("a", 1)]);
    held.release().await;
    assert_eq!(registry.nodes().await, []);
}

async fn a_dropped_registration_removes_the_node(registry: &impl Registry) {
    let mut watch = registry.watch().await;
    assert_eq!(next(&mut watch).await, NodeEvent::Resync(vec![]));
    drop(registry.register(record("a", 1)).await.unwrap());
    assert_eq!(next(&mut watch).await, NodeEvent::Joined(record("a", 1)));
    assert_eq!(next(&mut watch).await, NodeEvent::Left(id("a"), Generation(1)));
    assert_eq!(registry.nodes().await, []);
}

async fn nodes_are_listed_by_id(registry: &impl Registry) {
    let _c = registry.register(record("c", 1)).await.unwrap();
    let _a = registry.register(record("a", 9)).await.unwrap();
    let _b = registry.register(record("b", 4)).await.unwrap();
    assert_eq!(registry.nodes().await, [record("a", 9), record("b", 4), record("c", 1)]);
}

async fn a_life_that_is_not_newer_is_refused_with_what_to_do(registry: &impl Registry) {
    let _held = registry.register(record("a", 5)).await.unwrap();
    let mut watch = registry.watch().await;
    assert_eq!(next(&mut watch).await, NodeEvent::Resync(vec![record("a", 5)]));
    for generation in [5, 4] {
        let refused = registry.register(record("a", generation)).await.unwrap_err();
        let (present, offered) = (Generation(5), Generation(generation));
        assert_eq!(refused, RegistryError::NotNewer { id: id("a"), present, offered });
        let said = refused.to_string();
        assert!(said.contains("already registered as generation 5") && said.contains("give this node another name"), "{said}");
    }
    assert_eq!(registry.nodes().await, [record("a", 5)]);
    // Nothing was told of the refused ones: the next event is of something else.
    let _other = registry.register(record("b", 1)).await.unwrap();
    assert_eq!(next(&mut watch).await, NodeEvent::Joined(record("b", 1)));
}

async fn a_newer_life_replaces_the_older_one(registry: &impl Registry) {
    let old = registry.register(record("a", 1)).await.unwrap();
    let mut watch = registry.watch().await;
    assert_eq!(next(&mut watch).await, NodeEvent::Resync(vec![record("a", 1)]));
    let _new = registry.register(record("a", 2)).await.unwrap();
    assert_eq!(next(&mut watch).await, NodeEvent::Left(id("a"), Generation(1)));
    assert_eq!(next(&mut watch).await, NodeEvent::Joined(record("a", 2)));
    old.release().await;
    assert_eq!(registry.nodes().await, [record("a", 2)], "the goodbye of the old life removed the new one");
}

async fn a_node_that_left_may_come_back_with_its_generation(registry: &impl Registry) {
    registry.register(record("a", 3)).await.unwrap().release().await;
    let _back = registry.register(record("a", 3)).await.unwrap();
    assert_eq!(registry.nodes().await, [record("a", 3)]);
}

async fn a_watch_begins_with_the_nodes_that_are_there(registry: &impl Registry) {
    let _a = registry.register(record("a", 1)).await.unwrap();
    let mut watch = registry.watch().await;
    let _b = registry.register(record("b", 1)).await.unwrap();
    assert_eq!(next(&mut watch).await, NodeEvent::Resync(vec![record("a", 1)]));
    assert_eq!(next(&mut watch).await, NodeEvent::Joined(record("b", 1)));
}

async fn a_watcher_that_gives_up_waiting_misses_nothing(registry: &impl Registry) {
    let mut watch = registry.watch().await;
    assert_eq!(next(&mut watch).await, NodeEvent::Resync(vec![]));
    assert!(tokio::time::timeout(Duration::ZERO, watch.next()).await.is_err());
    let _a = registry.register(record("a", 1)).await.unwrap();
    assert_eq!(next(&mut watch).await, NodeEvent::Joined(record("a", 1)));
}

async fn a_slow_watcher_gets_the_whole_list_and_then_goes_on(registry: &impl Registry) {
    let mut slow = registry.watch().await;
    assert_eq!(next(&mut slow).await, NodeEvent::Resync(vec![]));
    for _ in 0..BACKLOG {
        registry.register(record("a", 1)).await.unwrap().release().await;
    }
    let _a = registry.register(record("a", 2)).await.unwrap();
    // The registry itself has heard of it.
    assert_eq!(registry.nodes().await, [record("a", 2)]);
    assert_eq!(next(&mut slow).await, NodeEvent::Resync(vec![record("a", 2)]));
    let _b = registry.register(record("b", 1)).await.unwrap();
    assert_eq!(next(&mut slow).await, NodeEvent::Joined(record("b", 1)));
}

async fn coordinators_are_listed_until_they_leave(registry: &impl Registry) {
    let record = |id: &str| CoordinatorRecord {
        id: id.to_owned(),
        addresses: vec!["unix:///run/c".to_owned()],
        version: "1.2.3".to_owned(),
    };
    let b = registry.announce(record("home/b-2")).await.unwrap();
    let a = registry.announce(record("home/a-1")).await.unwrap();
    assert_eq!(registry.coordinators().await.unwrap(), [record("home/a-1"), record("home/b-2")]);
    let refused = registry.announce(record("home/a-1")).await.unwrap_err();
    assert_eq!(refused, RegistryError::Announced("home/a-1".to_owned()));
    a.release().await;
    assert_eq!(registry.coordinators().await.unwrap(), [record("home/b-2")]);
    b.release().await;
    assert_eq!(registry.nodes().await, [], "a coordinator is no node");
}

async fn a_registry_that_answers_may_be_believed(registry: &impl Registry) {
    let _a = registry.register(record("a", 1)).await.unwrap();
    assert_eq!(registry.reach().await, Ok(()));
    assert_eq!(registry.standing(), Standing::default());
}

async fn orders_stay_whether_their_node_is_there_or_not(registry: &impl Registry) {
    let mut watch = registry.orders().await;
    assert!(watch.borrow_and_update().is_empty());
    let cordoned = registry.order(&id("a"), &Change::Cordon, &given()).await.unwrap();
    assert_eq!(cordoned.closed.as_ref().map(|closed| &closed.what), Some(&Closed::Cordoned));
    tokio::time::timeout(PATIENCE, watch.wait_for(|all| all.get(&id("a")) == Some(&cordoned))).await.unwrap().unwrap();
    registry.register(record("a", 1)).await.unwrap().release().await;
    let held = registry.register(record("a", 2)).await.unwrap();
    assert_eq!(registry.orders().await.borrow().get(&id("a")), Some(&cordoned), "a restart of the node changed its orders");
    assert_eq!(registry.nodes().await, [record("a", 2)], "orders are no node, and change none");
    let open = registry.order(&id("a"), &Change::Uncordon, &given()).await.unwrap();
    assert_eq!(registry.orders().await.borrow().get(&id("a")), Some(&open));
    assert!(open.is_empty() && open.count == 2);
    held.release().await;
}

async fn orders_that_change_nothing_are_refused(registry: &impl Registry) {
    let refused = registry.order(&id("a"), &Change::Uncordon, &given()).await.unwrap_err();
    assert_eq!(refused, RegistryError::Unchanged(Unchanged::Already));
    assert!(registry.orders().await.borrow().is_empty());
}

async fn of_orders_at_once_none_is_lost(registry: &impl Registry) {
    let label = |number: u32| {
        let (key, value) = (format!("k{number}").parse().unwrap(), "v".parse().unwrap());
        Change::Label { key, value, own: None, overwrite: false }
    };
    let (a, b, c) = (label(1), label(2), label(3));
    let (node, given) = (id("a"), given());
    let all =
        tokio::join!(registry.order(&node, &a, &given), registry.order(&node, &b, &given), registry.order(&node, &c, &given));
    assert!(all.0.is_ok() && all.1.is_ok() && all.2.is_ok(), "{all:?}");
    assert_eq!(registry.orders().await.borrow().get(&node).map(|orders| orders.labels.len()), Some(3));
}
