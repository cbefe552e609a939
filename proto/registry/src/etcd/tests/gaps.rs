//! A watcher that was away for longer than etcd remembers.

use super::way::Way;
use super::{TTL, at, record, registry, settled, until};
use crate::etcd::EtcdRegistry;
use crate::etcd::follow::Rhythm;
use crate::etcd::location::{Endpoints, EtcdLocation};
use crate::etcd_cluster::EtcdCluster;
use crate::registry::Registry as _;
use crate::view::NodeEvent;
use capstan_types::id::Generation;
use std::time::Duration;

#[tokio::test]
async fn what_a_compaction_swallowed_is_found_by_a_list() {
    let cluster = EtcdCluster::start(1);
    let port = cluster.url().rsplit_once(':').unwrap().1.parse().unwrap();
    let way = Way::to(port).await;
    let location = EtcdLocation { endpoints: Endpoints::new([way.address.to_string()]).unwrap(), ..at(&cluster) };
    let near = registry(&cluster);
    let (stays, goes) = (near.register(record("a", 1)).await.unwrap(), near.register(record("b", 1)).await.unwrap());
    let looks = EtcdRegistry::open(&location).unwrap();
    let mut watch = looks.watch().await;
    assert_eq!(watch.next().await, NodeEvent::Resync(vec![record("a", 1), record("b", 1)]));
    way.cut();
    until("a view that is stale", async || looks.standing().stale.is_some()).await;
    goes.release().await;
    let _comes = near.register(record("c", 1)).await.unwrap();
    // Everything that it missed is forgotten.
    cluster.ctl(&["put", "x", "y"]);
    let newest = cluster.ctl(&["get", "x", "-w", "json"]);
    let revision = newest.split("\"revision\":").nth(1).and_then(|rest| rest.split(&[',', '}'][..]).next()).unwrap();
    cluster.ctl(&["compact", revision]);
    way.mend();
    let told = [watch.next().await, watch.next().await];
    assert!(told.contains(&NodeEvent::Left("b".parse().unwrap(), Generation(1))), "{told:?}");
    assert!(told.contains(&NodeEvent::Joined(record("c", 1))), "{told:?}");
    settled(&cluster, &looks, 2).await;
    drop(stays);
}

#[tokio::test]
async fn an_etcd_that_has_forgotten_everything_is_told_again() {
    let cluster = EtcdCluster::start(1);
    let near = registry(&cluster);
    for _ in 0..20 {
        near.register(record("a", 1)).await.unwrap().release().await;
    }
    let _held = near.register(record("a", 2)).await.unwrap();
    let _other = registry(&cluster).register(record("b", 1)).await.unwrap();
    let looks = registry(&cluster);
    assert_eq!(looks.nodes().await.len(), 2);
    cluster.kill(0);
    cluster.forget(0);
    cluster.start_again(0);
    until("both of them", async || super::stored(&cluster).len() == 2).await;
    settled(&cluster, &looks, 2).await;
    assert_eq!(near.nodes().await.len(), 2, "what was written before the end is not waited for");
}

#[tokio::test]
async fn lists_are_compared_even_while_all_seems_well() {
    let cluster = EtcdCluster::start(1);
    let rhythm = Rhythm { reconcile: Duration::from_millis(200), ..Rhythm::of(TTL) };
    let looks = EtcdRegistry::with(&at(&cluster), rhythm).unwrap();
    let mut watch = looks.watch().await;
    assert_eq!(watch.next().await, NodeEvent::Resync(vec![]));
    let near = registry(&cluster);
    // Joins and leaves among the lists are told once each, and in order.
    for generation in 1..30 {
        let held = near.register(record("a", generation)).await.unwrap();
        assert_eq!(watch.next().await, NodeEvent::Joined(record("a", generation)));
        held.release().await;
        assert_eq!(watch.next().await, NodeEvent::Left("a".parse().unwrap(), Generation(generation)));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
