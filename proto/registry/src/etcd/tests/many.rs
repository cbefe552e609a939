//! Many at once: leases that end together, and processes that come back together.

use super::{names, nodes, registry, settled, until, with};
use crate::etcd_cluster::EtcdCluster;
use crate::registry::Registry as _;
use crate::view::NodeEvent;
use std::time::Duration;

const NODES: usize = 40;

#[tokio::test]
async fn nodes_that_vanish_together_stay_as_suspects_until_their_grace_is_over() {
    let cluster = EtcdCluster::start(1);
    let all = nodes(&cluster, 6).await;
    let looks = with(&cluster, |rhythm| rhythm.brake.grace = Duration::from_secs(4));
    assert_eq!(names(&looks).await.len(), 6);
    // Nothing of them runs between these, so that no goodbye is said.
    drop(all);
    until("suspects", async || looks.standing().suspects.len() == 6).await;
    assert_eq!(names(&looks).await.len(), 6, "they are known still");
    // Two come back.
    let back = nodes(&cluster, 2).await;
    until("two that are trusted again", async || looks.standing().suspects.len() == 4).await;
    until("the end of the others' grace", async || names(&looks).await == ["n000", "n001"]).await;
    settled(&cluster, &looks, 2).await;
    drop(back);
}

#[tokio::test]
async fn nodes_that_say_goodbye_together_are_no_reason_for_doubt() {
    let cluster = EtcdCluster::start(1);
    let all = nodes(&cluster, 6).await;
    let looks = registry(&cluster);
    let mut watch = looks.watch().await;
    assert!(matches!(watch.next().await, NodeEvent::Resync(nodes) if nodes.len() == 6));
    for (_registry, held) in all {
        held.release().await;
    }
    for _ in 0..6 {
        assert!(matches!(watch.next().await, NodeEvent::Left(..)));
    }
    assert!(looks.standing().suspects.is_empty());
    settled(&cluster, &looks, 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_of_ended_leases_passes_and_everybody_is_there_again() {
    let cluster = EtcdCluster::start(3);
    let _all = nodes(&cluster, NODES).await;
    let looks = registry(&cluster);
    assert_eq!(names(&looks).await.len(), NODES);
    for _ in 0..super::from_environment("CAPSTAN_STORMS", 2) {
        let leases = cluster.ctl(&["lease", "list"]);
        let leases: Vec<&str> = leases.lines().skip(1).map(str::trim).filter(|line| !line.is_empty()).collect();
        assert_eq!(leases.len(), NODES, "one lease for each process");
        for lease in leases {
            // One that ended meanwhile by itself is as good.
            let _ = cluster.try_ctl(&["lease", "revoke", lease]);
        }
        until("everybody", async || super::stored(&cluster).len() == NODES).await;
        settled(&cluster, &looks, NODES).await;
    }
}
