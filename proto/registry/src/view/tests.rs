//! A watcher that follows the events must end where the list is, whatever happened and however slowly it read.

use super::{NodeEvent, NodeView, NodeWatch};
use crate::conformance::record;
use capstan_types::id::{Generation, NodeId};
use capstan_types::node::NodeRecord;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::task::{Context, Poll, Waker};

#[derive(Debug, Clone)]
enum Step {
    Join(u8, u64),
    Leave(u8, u64),
    Flap(u16),
    Read(u8),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0..4u8, 1..6u64).prop_map(|(node, generation)| Step::Join(node, generation)),
        3 => (0..4u8, 1..6u64).prop_map(|(node, generation)| Step::Leave(node, generation)),
        1 => (1..400u16).prop_map(Step::Flap),
        3 => (1..20u8).prop_map(Step::Read),
    ];
    prop::collection::vec(step, 0..60)
}

/// What a watcher believes, and a check that no event is nonsense.
#[derive(Debug, Default, PartialEq)]
struct Belief(BTreeMap<NodeId, NodeRecord>);

impl Belief {
    fn apply(&mut self, event: NodeEvent) {
        match event {
            NodeEvent::Resync(nodes) => self.0 = nodes.into_iter().map(|node| (node.id.clone(), node)).collect(),
            NodeEvent::Joined(node) => assert_eq!(self.0.insert(node.id.clone(), node), None, "joined without leaving"),
            NodeEvent::Left(id, generation) => {
                assert_eq!(self.0.remove(&id).map(|node| node.generation), Some(generation), "left without being there");
            }
        }
    }

    fn read(&mut self, watch: &mut NodeWatch, at_most: usize) {
        for _ in 0..at_most {
            let mut next = std::pin::pin!(watch.next());
            match next.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(event) => self.apply(event),
                Poll::Pending => return,
            }
        }
    }
}

proptest! {
    #[test]
    fn a_watcher_ends_where_the_list_is(steps in steps()) {
        let view = NodeView::empty();
        let mut watch = view.watch();
        let mut belief = Belief::default();
        for step in steps {
            match step {
                Step::Join(node, generation) => drop(view.join(record(&format!("n{node}"), generation))),
                Step::Leave(node, generation) => view.leave(&format!("n{node}").parse().unwrap(), Generation(generation)),
                Step::Flap(times) => (0..times).for_each(|_| {
                    view.join(record("flapping", 1)).unwrap();
                    view.leave(&"flapping".parse().unwrap(), Generation(1));
                }),
                Step::Read(events) => belief.read(&mut watch, events.into()),
            }
        }
        belief.read(&mut watch, usize::MAX);
        prop_assert_eq!(belief.0.into_values().collect::<Vec<_>>(), view.nodes());
    }
}
