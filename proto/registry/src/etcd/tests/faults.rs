//! Members die, freeze and come back; nobody who is alive leaves the view.

use super::{from_environment, names, nodes, registry, settled, until};
use crate::etcd_cluster::EtcdCluster;
use crate::registry::Registry as _;
use crate::view::{NodeEvent, NodeWatch};
use std::time::Duration;

const NODES: usize = 5;

/// Nothing was told of any node: `next` is what comes first after what happened.
async fn undisturbed(watch: &mut NodeWatch) {
    let told = tokio::time::timeout(Duration::ZERO, watch.next()).await;
    assert!(told.is_err(), "{told:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leaders_are_killed_one_after_the_other_and_no_node_leaves() {
    let cluster = EtcdCluster::start(3);
    let _nodes = nodes(&cluster, NODES).await;
    let looks = registry(&cluster);
    let mut watch = looks.watch().await;
    assert!(matches!(watch.next().await, NodeEvent::Resync(nodes) if nodes.len() == NODES));
    for _ in 0..from_environment("CAPSTAN_LEADERS", 3) {
        let leader = cluster.leader();
        cluster.kill(leader);
        let _next = cluster.leader();
        settled(&cluster, &looks, NODES).await;
        cluster.start_again(leader);
        cluster.wait();
    }
    settled(&cluster, &looks, NODES).await;
    undisturbed(&mut watch).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_all_of_etcd_is_away_the_view_stays_and_says_that_it_is_old() {
    let cluster = EtcdCluster::start(3);
    let _nodes = nodes(&cluster, NODES).await;
    let looks = registry(&cluster);
    let mut watch = looks.watch().await;
    assert!(matches!(watch.next().await, NodeEvent::Resync(nodes) if nodes.len() == NODES));
    cluster.kill_all();
    until("a view that is stale", async || looks.standing().stale.is_some()).await;
    tokio::time::sleep(Duration::from_secs(from_environment("CAPSTAN_OUTAGE_SECONDS", 4))).await;
    let stale = looks.standing().stale.expect("it stays stale");
    assert!(stale.to_string().contains("has said nothing for"), "{stale}");
    assert_eq!(names(&looks).await.len(), NODES);
    cluster.start_all();
    settled(&cluster, &looks, NODES).await;
    undisturbed(&mut watch).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_that_freezes_is_left_for_another() {
    let cluster = EtcdCluster::start(3);
    let _nodes = nodes(&cluster, NODES).await;
    let looks = registry(&cluster);
    let mut watch = looks.watch().await;
    assert!(matches!(watch.next().await, NodeEvent::Resync(nodes) if nodes.len() == NODES));
    for member in 0..cluster.members() {
        cluster.freeze(member);
        // Whoever used it notices by the silence; the others choose another leader meanwhile, if they must.
        let _more = nodes_named(&cluster, &format!("more{member}")).await;
        until("the node that came meanwhile", async || names(&looks).await.contains(&format!("more{member}"))).await;
        cluster.thaw(member);
        cluster.wait();
    }
    until("the others' goodbyes", async || names(&looks).await.len() == NODES).await;
    settled(&cluster, &looks, NODES).await;
}

async fn nodes_named(cluster: &EtcdCluster, name: &str) -> (super::EtcdRegistry, super::Registration) {
    let registry = registry(cluster);
    let held = registry.register(super::record(name, 1)).await.unwrap();
    (registry, held)
}
