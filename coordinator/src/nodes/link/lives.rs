//! Says the newest life of each node to all who hold a link to an earlier one: threads and the readers of their sessions outlive their node's lives.

use super::{Life, NodeLink};
use capstan_types::id::NodeId;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::watch;

/// The newest life of each node that is there, or that somebody still has a link to.
#[derive(Debug, Default)]
pub(in crate::nodes) struct Lives(BTreeMap<NodeId, watch::Sender<Arc<Life>>>);

impl Lives {
    /// Says it, and gives the link back as one that will be told of later lives.
    pub(in crate::nodes) fn say(&mut self, link: &NodeLink) -> NodeLink {
        // Names that nobody has a link to are not kept for ever.
        self.0.retain(|_, life| !life.is_closed());
        let life = Arc::clone(&link.life);
        let sender = self.0.entry(life.record.id.clone()).or_insert_with(|| watch::Sender::new(Arc::clone(&life)));
        sender.send_replace(Arc::clone(&life));
        NodeLink { life, newest: Some(sender.subscribe()), doorway: link.doorway.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use capstan_proto::transport::pipe;
    use capstan_types::id::Generation;
    use capstan_types::node::{Capacity, Fingerprint, JournalState, NodeAddress, NodeRecord};
    use capstan_types::stock::Stock;
    use std::time::Duration;

    fn link(id: &str, generation: u64) -> NodeLink {
        let record = NodeRecord {
            id: id.parse().unwrap(),
            generation: Generation(generation),
            address: NodeAddress::Embedded,
            labels: [].into(),
            capacity: Capacity { sessions: 1, cpus: 1, memory_bytes: 1 },
            stock: Stock::default(),
            fingerprint: Fingerprint::default(),
            journal: JournalState::Kept,
            protocol: capstan_proto::protocol::CURRENT,
        };
        NodeLink::by_pipe(record, &pipe().0)
    }

    #[tokio::test]
    async fn an_old_link_leads_to_the_newest_life_of_its_node_and_of_no_other() {
        let mut lives = Lives::default();
        let first = lives.say(&link("a", 1));
        let _other = lives.say(&link("b", 7));
        assert_eq!(first.newest().record().generation, Generation(1));
        assert!(first.another(Duration::ZERO).await.is_none());
        let (found, _) = tokio::join!(first.another(Duration::from_secs(10)), async { lives.say(&link("a", 2)) });
        assert_eq!(found.unwrap().record().generation, Generation(2));
        assert_eq!(first.newest().record().generation, Generation(2));
        assert_eq!(first.record().generation, Generation(1));
    }

    #[tokio::test]
    async fn a_node_that_nobody_has_a_link_to_is_forgotten() {
        let mut lives = Lives::default();
        drop(lives.say(&link("a", 1)));
        let _kept = lives.say(&link("b", 1));
        assert_eq!(lives.0.len(), 1);
    }
}
