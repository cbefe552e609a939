//! The registry against real etcds: whatever is done to them, the view ends where they are.

mod conforms;
mod faults;
mod gaps;
mod many;
mod users;
mod way;

use super::EtcdRegistry;
use super::follow::Rhythm;
use super::location::EtcdLocation;
use crate::conformance::record;
use crate::etcd_cluster::EtcdCluster;
use crate::registry::{Registration, Registry};
use std::time::{Duration, Instant};

/// Long enough for an etcd on a busy machine; reached only when a test fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// The shortest lease that etcd grants.
const TTL: Duration = Duration::from_secs(2);

fn at(cluster: &EtcdCluster) -> EtcdLocation {
    EtcdLocation { lease_ttl: TTL, ..EtcdLocation::open(cluster.url().parse().unwrap()) }
}

fn registry(cluster: &EtcdCluster) -> EtcdRegistry {
    EtcdRegistry::open(&at(cluster)).unwrap()
}

/// A registry whose rhythm is changed.
fn with(cluster: &EtcdCluster, change: impl FnOnce(&mut Rhythm)) -> EtcdRegistry {
    let mut rhythm = Rhythm::of(TTL);
    change(&mut rhythm);
    EtcdRegistry::with(&at(cluster), rhythm).unwrap()
}

/// So many nodes, each a process of its own as far as etcd can see.
async fn nodes(cluster: &EtcdCluster, count: usize) -> Vec<(EtcdRegistry, Registration)> {
    let mut all = Vec::new();
    for number in 0..count {
        let registry = registry(cluster);
        let held = registry.register(record(&format!("n{number:03}"), 1)).await.unwrap();
        all.push((registry, held));
    }
    all
}

async fn until<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let began = Instant::now();
    while !holds().await {
        assert!(began.elapsed() < PATIENCE, "not seen in time: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The names in a registry's view.
async fn names(registry: &EtcdRegistry) -> Vec<String> {
    registry.nodes().await.iter().map(|node| node.id.to_string()).collect()
}

/// The names in etcd itself.
fn stored(cluster: &EtcdCluster) -> Vec<String> {
    let keys = cluster.keys();
    let mut names: Vec<String> =
        keys.iter().filter_map(|key| key.strip_prefix("/capstan/v1/nodes/").map(str::to_owned)).collect();
    names.sort();
    names
}

/// Waits until the view is fresh, unsuspicious, and etcd's, with so many nodes.
async fn settled(cluster: &EtcdCluster, registry: &EtcdRegistry, count: usize) {
    until("a fresh view", async || {
        let standing = registry.standing();
        let believed = standing.stale.is_none() && standing.suspects.is_empty();
        // Compared as long as it takes: somebody may be on the way in either of them.
        believed && names(registry).await == stored(cluster) && stored(cluster).len() == count
    })
    .await;
}

/// How often, or for how long, where a proof takes longer than a run may.
fn from_environment(name: &str, usual: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}
