//! What every registry must do, and what several processes on one etcd are to each other.

use super::{at, record, registry};
use crate::conformance::{self, given};
use crate::error::RegistryError;
use crate::etcd::EtcdRegistry;
use crate::etcd::location::EtcdLocation;
use crate::etcd_cluster::EtcdCluster;
use crate::registry::Registry as _;
use crate::view::NodeEvent;
use capstan_types::id::Generation;
use capstan_types::orders::Change;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

#[tokio::test]
async fn the_registry_in_etcd_conforms() {
    let (cluster, fresh) = (EtcdCluster::start(1), AtomicU32::new(0));
    conformance::check(async || {
        let number = fresh.fetch_add(1, Ordering::Relaxed);
        EtcdRegistry::open(&EtcdLocation { prefix: format!("/capstan/test{number}"), ..at(&cluster) }).unwrap()
    })
    .await;
}

#[tokio::test]
async fn of_two_processes_the_newer_life_has_the_name() {
    let cluster = EtcdCluster::start(1);
    let (one, other, looks) = (registry(&cluster), registry(&cluster), registry(&cluster));
    let old = one.register(record("a", 4)).await.unwrap();
    for generation in [3, 4] {
        let refused = other.register(record("a", generation)).await.unwrap_err();
        let (present, offered) = (Generation(4), Generation(generation));
        assert_eq!(refused, RegistryError::NotNewer { id: "a".parse().unwrap(), present, offered });
    }
    let mut watch = looks.watch().await;
    assert_eq!(watch.next().await, NodeEvent::Resync(vec![record("a", 4)]));
    let _new = other.register(record("a", 5)).await.unwrap();
    assert_eq!(watch.next().await, NodeEvent::Left("a".parse().unwrap(), Generation(4)));
    assert_eq!(watch.next().await, NodeEvent::Joined(record("a", 5)));
    // The goodbye of the old life, which has lost the name, says nothing about the new one.
    old.release().await;
    drop(one);
    assert_eq!(other.nodes().await, [record("a", 5)]);
    assert_eq!(cluster.keys(), ["/capstan/v1/nodes/a"]);
}

#[tokio::test]
async fn a_process_that_is_gone_without_a_word_leaves_when_its_lease_ends() {
    let cluster = EtcdCluster::start(1);
    let (mortal, looks) = (registry(&cluster), registry(&cluster));
    let held = mortal.register(record("a", 1)).await.unwrap();
    let mut watch = looks.watch().await;
    assert_eq!(watch.next().await, NodeEvent::Resync(vec![record("a", 1)]));
    // Nothing of them runs between these two, so that nothing is said.
    drop((held, mortal));
    let left = tokio::time::timeout(Duration::from_secs(20), watch.next()).await;
    assert_eq!(left, Ok(NodeEvent::Left("a".parse().unwrap(), Generation(1))));
}

#[tokio::test]
async fn what_one_process_orders_others_see_and_etcd_keeps() {
    let cluster = EtcdCluster::start(1);
    let (one, other) = (registry(&cluster), registry(&cluster));
    let mut watch = other.orders().await;
    let node = "a".parse().unwrap();
    let ordered = one.order(&node, &Change::Cordon, &given()).await.unwrap();
    watch.wait_for(|all| all.get(&node) == Some(&ordered)).await.unwrap();
    drop((one, other));
    cluster.kill(0);
    cluster.start_again(0);
    assert_eq!(registry(&cluster).orders().await.borrow().get(&node), Some(&ordered), "orders ended with a process or with etcd");
}

#[tokio::test]
async fn a_lease_that_etcd_ends_is_replaced_and_the_record_comes_back() {
    let cluster = EtcdCluster::start(1);
    let (node, looks) = (registry(&cluster), registry(&cluster));
    let _held = node.register(record("a", 1)).await.unwrap();
    let mut watch = looks.watch().await;
    assert_eq!(watch.next().await, NodeEvent::Resync(vec![record("a", 1)]));
    let leases = cluster.ctl(&["lease", "list"]);
    let lease = leases.lines().nth(1).expect("there is a lease").trim();
    cluster.ctl(&["lease", "revoke", lease]);
    assert_eq!(watch.next().await, NodeEvent::Left("a".parse().unwrap(), Generation(1)));
    assert_eq!(watch.next().await, NodeEvent::Joined(record("a", 1)));
}

#[tokio::test]
async fn what_somebody_else_wrote_among_the_nodes_is_no_node_and_takes_no_name() {
    let cluster = EtcdCluster::start(1);
    let registry = registry(&cluster);
    cluster.ctl(&["put", "/capstan/v1/nodes/a", "nonsense"]);
    cluster.ctl(&["put", "/capstan/v1/nodes/UPPER case", "nonsense"]);
    assert_eq!(registry.nodes().await, []);
    let said = registry.register(record("a", 1)).await.unwrap_err().to_string();
    assert!(said.contains("/capstan/v1/nodes/a is no record that this release can read"), "{said}");
    let _b = registry.register(record("b", 1)).await.unwrap();
    assert_eq!(registry.nodes().await, [record("b", 1)]);
}
