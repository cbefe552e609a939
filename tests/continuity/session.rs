//! What the node itself says of its sessions, asked by the test and not by what is tested.

use capstan_coordinator::nodes::host::NodeHost;
use capstan_coordinator::nodes::link::NodeLink;
use capstan_tools::host::{ExecHost, HostError};
use capstan_types::id::{Epoch, Generation};
use capstan_types::launch::SessionEnd;
use capstan_types::node::{Capacity, Fingerprint, JournalState, NodeAddress, NodeRecord};
use capstan_types::output::{Piece, Seq};
use capstan_types::session::{Authority, Listed, ListedState, SessionEvent};
use std::path::Path;
use tokio::runtime::Runtime;

/// Higher than any coordinator of a test gets.
const EPOCH: Epoch = Epoch(1_000_000);

/// Looks at a node.
pub(crate) struct Eye {
    runtime: Runtime,
    link: NodeLink,
}

/// A session's output and end, as they were found.
pub(crate) struct Found {
    pub(crate) pieces: Vec<Piece>,
    pub(crate) end: SessionEnd,
}

impl Eye {
    /// On the node that serves `socket`, or will.
    pub(crate) fn on(socket: &Path) -> Self {
        let record = NodeRecord {
            id: "far".parse().expect("it is a node id"),
            generation: Generation(1),
            address: NodeAddress::Unix(socket.display().to_string()),
            labels: [].into(),
            capacity: Capacity { sessions: 1, cpus: 1, memory_bytes: 1 },
            stock: capstan_types::stock::Stock::default(),
            fingerprint: Fingerprint::default(),
            journal: JournalState::default(),
            protocol: capstan_proto::protocol::CURRENT,
        };
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime starts");
        let link = runtime.block_on(async { NodeLink::by_address(record, None, None) }).expect("it is an address");
        Self { runtime, link }
    }

    /// The sessions that have ended and are kept, once none runs.
    pub(crate) fn ended(&self) -> Option<Vec<Listed>> {
        let (sessions, _) = self.runtime.block_on(self.link.sessions(None)).ok()?;
        sessions.iter().all(|listed| matches!(listed.state, ListedState::Ended(_))).then_some(sessions)
    }

    fn hands(&self, session: &Listed) -> NodeHost {
        let authority = Authority { thread: session.thread, epoch: EPOCH, owner: "test".to_owned() };
        NodeHost::new(self.link.clone(), authority)
    }

    /// All that is kept of a session; nothing when its coordinator, which has taken it all, has had it forgotten.
    pub(crate) fn read(&self, session: &Listed) -> Option<Found> {
        self.runtime.block_on(async {
            let mut reader = self.hands(session).attach(session.session, Seq(0)).await.map_or_else(forgotten, Some)?;
            let mut pieces = Vec::new();
            loop {
                match reader.next().await.map_or_else(forgotten, Some)? {
                    SessionEvent::Output(piece) => pieces.push(piece),
                    SessionEvent::Ended { end, .. } => return Some(Found { pieces, end }),
                    SessionEvent::Started { .. } | SessionEvent::Denied(_) => {}
                }
            }
        })
    }

    /// Has the node forget it.
    pub(crate) fn release(&self, session: &Listed) {
        self.runtime.block_on(self.hands(session).release(session.session)).expect("a session that has ended is released");
    }
}

fn forgotten<T>(error: HostError) -> Option<T> {
    if error == HostError::NoSession { None } else { panic!("a kept session cannot be read: {error}") }
}
