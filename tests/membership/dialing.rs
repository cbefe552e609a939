//! Who may call a coordinator in order to be asked.

use crate::house::{Seat, audited, runtime};
use capstan_identity::audit::Audit;
use capstan_identity::live::Live;
use capstan_identity::membership::Membership;
use capstan_proto::transport::dial::{DialError, DialOut, DialedOut};
use capstan_types::id::Generation;
use capstan_types::node::{Capacity, Fingerprint, JournalState, NodeAddress, NodeRecord};
use std::sync::Arc;
use tokio::sync::Semaphore;

fn record(id: &str) -> NodeRecord {
    NodeRecord {
        id: id.parse().expect("a node id"),
        generation: Generation(1),
        address: NodeAddress::Embedded,
        labels: [].into(),
        capacity: Capacity { sessions: 1, cpus: 1, memory_bytes: 1 },
        fingerprint: Fingerprint::default(),
        stock: capstan_types::stock::Stock::default(),
        journal: JournalState::default(),
        protocol: capstan_proto::protocol::CURRENT,
    }
}

fn dial(seat: &Seat, as_whom: &str, record: &NodeRecord) -> Result<DialedOut, DialError> {
    let dir = tempfile::tempdir().expect("a directory");
    let audit = Audit::open(dir.path().join("audit.jsonl")).expect("a log");
    let membership = Membership { live: Live::held(seat.credentials(as_whom), seat.trust()), audit };
    let place = Arc::new(Semaphore::new(1)).try_acquire_owned().expect("a place");
    runtime().block_on(DialOut::Member(seat.address.clone(), membership).dial(record, place))
}

#[test]
fn only_the_node_itself_may_call_in_its_name() {
    let seat = Seat::new();
    let log = seat.home.path().join("identity/coordinator.seat/audit.jsonl");
    dial(&seat, "capstan://c1/client/me", &record("me")).expect_err("a client is no node");
    audited(&log, &["refused", "capstan://c1/client/me", "only a node may dial in to be asked"]);
    dial(&seat, "capstan://c1/coordinator/x", &record("x")).expect_err("a coordinator is no node");
    let said = dial(&seat, "capstan://c1/node/near", &record("far")).expect_err("it is another node").to_string();
    assert_eq!(said, "the coordinator does not let this node in: its certificate is another's than that of the node `far`");
    audited(&log, &["refused", "capstan://c1/node/near", "another's than that of the node `far`"]);
    let come = dial(&seat, "capstan://c1/node/near", &record("near")).expect("it is the node");
    assert!(!come.coordinator.is_empty());
}
