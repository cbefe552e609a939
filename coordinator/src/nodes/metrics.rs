//! What the coordinator sees of its nodes.

use super::pulse::LinkState;
use capstan_registry::Registry;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeLabelValue, EncodeMetric as _};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry as Metrics;
use std::fmt;
use std::sync::{Arc, LazyLock};

static NODES: LazyLock<Gauge> = LazyLock::new(Gauge::default);
static LINKS: LazyLock<Family<Linked, Gauge>> = LazyLock::new(Family::default);

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Linked {
    state: Link,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
enum Link {
    New,
    Alive,
    Late,
    Silent,
}

/// Registers what is known of the nodes of a coordinator that follows `registry`.
pub fn register(metrics: &mut Metrics, registry: Arc<dyn Registry>) {
    metrics.register("nodes", "Nodes that the coordinator knows", NODES.clone());
    // All of them from the first moment on, so that an alert on one sees it.
    [LinkState::New, LinkState::Alive, LinkState::Late, LinkState::Silent]
        .into_iter()
        .for_each(|state| drop(LINKS.get_or_create(&linked(state))));
    metrics.register("node_links", "Links to nodes of other processes, by how their heartbeats are", LINKS.clone());
    metrics.register_collector(Box::new(Followed(registry)));
}

/// A link is in another state than before; one that is new was in none, one that is gone is in none.
pub(super) fn link(before: Option<LinkState>, after: Option<LinkState>) {
    before.into_iter().for_each(|state| _ = LINKS.get_or_create(&linked(state)).dec());
    after.into_iter().for_each(|state| _ = LINKS.get_or_create(&linked(state)).inc());
}

const fn linked(state: LinkState) -> Linked {
    let state = match state {
        LinkState::New => Link::New,
        LinkState::Alive => Link::Alive,
        LinkState::Late => Link::Late,
        LinkState::Silent => Link::Silent,
    };
    Linked { state }
}

/// So many nodes are known now.
pub(super) fn known(nodes: usize) {
    NODES.set(i64::try_from(nodes).unwrap_or(i64::MAX));
}

#[derive(Debug)]
struct Followed(Arc<dyn Registry>);

impl Collector for Followed {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let standing = self.0.standing();
        let (stale, suspects) = (Gauge::<i64>::default(), Gauge::<i64>::default());
        stale.set(standing.stale.is_some().into());
        suspects.set(i64::try_from(standing.suspects.len()).unwrap_or(i64::MAX));
        let help = "1 while the registry says nothing, so that nothing new is placed by what it said";
        stale.encode(encoder.encode_descriptor("registry_stale", help, None, stale.metric_type())?)?;
        let help = "Nodes that vanished from the registry together with many others, and are not given up yet";
        suspects.encode(encoder.encode_descriptor("registry_suspects", help, None, suspects.metric_type())?)
    }
}
