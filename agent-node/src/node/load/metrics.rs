//! What a node has in use, read when it is asked for.

use super::gate::Gate;
use crate::node::capacity::Places;
use capstan_types::load::{NodeLoad, Resource};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use std::fmt;

/// Reads the load of one node.
#[derive(Debug)]
pub(crate) struct LoadCollector {
    pub(crate) gate: Gate,
    pub(crate) places: Places,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Of {
    resource: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct In {
    state: &'static str,
}

impl Collector for LoadCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let load = self.gate.last_measured(self.places.load());
        sessions(&mut encoder, &load)?;
        resources(&mut encoder, &load)
    }
}

fn sessions(encoder: &mut DescriptorEncoder<'_>, load: &NodeLoad) -> Result<(), fmt::Error> {
    let family = Family::<In, Gauge>::default();
    for (state, count) in [("running", load.running), ("starting", load.starting), ("kept", load.kept)] {
        family.get_or_create(&In { state }).set(count.into());
    }
    write(encoder, "node_sessions", "Sessions, by how far they have come", &family)
}

fn resources(encoder: &mut DescriptorEncoder<'_>, load: &NodeLoad) -> Result<(), fmt::Error> {
    let (free, total, short) = (Family::<Of, Gauge>::default(), Family::<Of, Gauge>::default(), Family::<Of, Gauge>::default());
    let refused = Family::<Of, Counter>::default();
    for resource in Resource::ALL {
        let of = Of { resource: resource.name() };
        if let Some(room) = load.rooms.get(&resource) {
            free.get_or_create(&of).set(room.free.try_into().unwrap_or(i64::MAX));
            total.get_or_create(&of).set(room.total.try_into().unwrap_or(i64::MAX));
        }
        short.get_or_create(&of).set(load.short.contains(&resource).into());
        refused.get_or_create(&of).inc_by(load.refused.get(&resource).copied().unwrap_or_default());
    }
    write(encoder, "node_resource_free", "What is not in use: bytes of memory and disks, else a number", &free)?;
    write(encoder, "node_resource_limit", "What there is at all: bytes of memory and disks, else a number", &total)?;
    write(encoder, "node_resource_short", "1 where there is too little to start a session", &short)?;
    write(encoder, "node_starts_refused", "Starts that were refused for want of this", &refused)
}

fn write(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, metric: &impl EncodeMetric) -> Result<(), fmt::Error> {
    metric.encode(encoder.encode_descriptor(name, help, None, metric.metric_type())?)
}
