use super::*;
use crate::nodes::dialed::ShownAs;
use capstan_proto::token::Token;
use capstan_registry::{EmbeddedRegistry, Registry as _};
use capstan_types::node::{Capacity, Fingerprint, JournalState, NodeAddress};
use std::sync::Arc;
use tokio::sync::Semaphore;
use tonic::transport::Endpoint;

fn arrived(generation: u64) -> Arrived {
    Arrived {
        record: NodeRecord {
            id: "far".parse().unwrap(),
            generation: Generation(generation),
            address: NodeAddress::Dialed("c/1".to_owned()),
            labels: [].into(),
            capacity: Capacity { sessions: 1, cpus: 1, memory_bytes: 1 },
            fingerprint: Fingerprint::default(),
            stock: capstan_types::stock::Stock::default(),
            journal: JournalState::default(),
            protocol: capstan_proto::protocol::CURRENT,
        },
        channel: Endpoint::from_static("http://far.invalid").connect_lazy(),
        shown: ShownAs::Token(Token::parse("0123456789abcdef").unwrap()),
        open: Arc::new(Semaphore::new(1)),
    }
}

fn told(messages: Option<Vec<PoolMsg>>) -> Option<Vec<String>> {
    let word = |message: &PoolMsg| match message {
        PoolMsg::Dialed(record, _) => format!("{} {} is here", record.id, record.generation),
        PoolMsg::Undialed(id, generation) => format!("{id} {generation} is gone"),
        other => panic!("not what was expected: {other:?}"),
    };
    messages.map(|messages| messages.iter().map(word).collect())
}

#[tokio::test]
async fn a_node_is_there_until_its_last_connection_has_been_gone_for_a_while() {
    let (mut known, begin, id) = (Known::default(), Instant::now(), "far".parse().unwrap());
    assert_eq!(told(known.arrived(arrived(2))), Some(vec!["far 2 is here".to_owned()]));
    assert_eq!(told(known.arrived(arrived(2))), Some(Vec::new()), "the same life over a newer connection");
    assert_eq!(told(known.arrived(arrived(1))), None, "an older life");
    known.closed(&id, Generation(2), begin);
    assert!(known.gone(begin + 2 * GRACE).is_empty(), "one connection is left");
    known.closed(&id, Generation(2), begin);
    assert!(known.gone(begin + GRACE / 2).is_empty());
    known.arrived(arrived(2));
    assert!(known.gone(begin + 2 * GRACE).is_empty(), "it came back in time");
    known.closed(&id, Generation(2), begin);
    assert_eq!(told(Some(known.gone(begin + GRACE))), Some(vec!["far 2 is gone".to_owned()]));
    assert_eq!(told(known.arrived(arrived(2))), Some(vec!["far 2 is here".to_owned()]));
    assert_eq!(told(known.arrived(arrived(3))), Some(vec!["far 3 is here".to_owned()]), "a newer life");
    known.closed(&id, Generation(2), begin);
    assert!(known.gone(begin + GRACE).is_empty(), "the end of an older life's connection says nothing of a newer one");
}

#[tokio::test]
async fn a_record_is_put_by_one_and_tried_again_by_the_others() {
    let (registry, now, id) = (EmbeddedRegistry::empty(), Instant::now(), "far".parse().unwrap());
    let (mut one, mut other) = (Known::default(), Known::default());
    one.arrived(arrived(1));
    other.arrived(arrived(1));
    let record = one.unkept(8, now).pop().unwrap();
    assert!(one.unkept(8, now).is_empty(), "it is being tried");
    one.kept(&id, Generation(1), Kept::of(registry.register(record.clone()).await), now);
    assert!(one.unkept(8, now + 2 * AGAIN).is_empty(), "it is kept");
    let tried = Kept::of(registry.register(other.unkept(8, now).pop().unwrap()).await);
    assert!(matches!(tried, Kept::Elsewhere));
    other.kept(&id, Generation(1), tried, now);
    assert!(other.unkept(8, now).is_empty() && other.unkept(8, now + AGAIN).len() == 1);
    // Who keeps it dies.
    drop(one);
    other.kept(&id, Generation(1), Kept::of(registry.register(record).await), now + AGAIN);
    assert_eq!(registry.nodes().await.len(), 1);
    other.closed(&id, Generation(1), now);
    other.gone(now + GRACE);
    assert!(registry.nodes().await.is_empty(), "with the node goes its record");
}
