//! What happened to nodes.

use crate::convert::{Malformed, nonempty, parse};
use crate::wire::client as wire;
use capstan_types::id::NodeId;
use capstan_types::node_status::{ClusterEvent, EventKind, Told};
use capstan_types::selector::Selector;
use capstan_types::time::UnixMillis;
use wire::events_response::Told as WireTold;

impl From<Told> for wire::EventsResponse {
    fn from(told: Told) -> Self {
        let told = match told {
            Told::Event(event) => WireTold::Event(wire::NodeEvent {
                seq: event.seq,
                at_ms: event.at.0,
                kind: event.kind.to_string(),
                node_id: event.node.map(String::from).unwrap_or_default(),
                by: event.by.unwrap_or_default(),
                text: event.text,
            }),
            Told::Dropped(count) => WireTold::Dropped(count),
        };
        Self { told: Some(told) }
    }
}

/// Reads what a reader of events is told.
///
/// # Errors
/// It makes no sense.
pub fn told(wire: wire::EventsResponse) -> Result<Told, Malformed> {
    Ok(match wire.told.ok_or_else(|| Malformed::missing("told"))? {
        WireTold::Dropped(count) => Told::Dropped(count),
        WireTold::Event(event) => Told::Event(ClusterEvent {
            seq: event.seq,
            at: UnixMillis(event.at_ms),
            kind: EventKind::named(event.kind),
            node: nonempty(event.node_id).map(|id| parse("node_id", &id)).transpose()?,
            by: nonempty(event.by),
            text: event.text,
        }),
    })
}

/// Reads which events are wanted: of which labels, and of which nodes.
///
/// # Errors
/// The selector or a name is none.
pub fn event_filter(wire: &wire::EventsRequest) -> Result<(Selector, Vec<NodeId>), Malformed> {
    let nodes = wire.node_ids.iter().map(|id| parse("node_ids", id)).collect::<Result<_, _>>()?;
    Ok((parse("selector", &wire.selector)?, nodes))
}
