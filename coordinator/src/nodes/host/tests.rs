use super::*;
use crate::nodes::link::lives::Lives;
use capstan_proto::transport::{PipeConnector, pipe};
use capstan_types::id::{Attempt, CallId, Epoch, Generation, ThreadId};
use capstan_types::launch::Stdio;
use capstan_types::limits::SessionLimits;
use capstan_types::node::{Capacity, Fingerprint, JournalState, NodeAddress, NodeRecord};
use capstan_types::policy::SandboxPolicy;
use futures::future::join_all;
use futures::stream::{BoxStream, StreamExt as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tonic::Request;
use tonic::transport::Server;
use wire::exec_server::{Exec, ExecServer};

/// A node that refuses so many requests, each with the same status and the same wait, and then takes them.
#[derive(Debug)]
struct Full {
    refusals: AtomicU32,
    code: Code,
    retry_after_ms: u64,
    asked: AtomicU32,
}

impl Full {
    fn answer<T: Default>(&self) -> Result<Response<T>, Status> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let refuses = self.refusals.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok();
        if refuses {
            let mut status = Status::new(self.code, "it is full");
            status.metadata_mut().insert("retry-after-ms", self.retry_after_ms.into());
            return Err(status);
        }
        Ok(Response::new(T::default()))
    }
}

/// The served half of a [`Full`] node.
#[derive(Debug)]
struct Served(Arc<Full>);

type Events = BoxStream<'static, Result<wire::SessionEvent, Status>>;

#[tonic::async_trait]
impl Exec for Served {
    type StartStream = Events;
    type AttachStream = Events;

    async fn start(&self, _: Request<wire::StartRequest>) -> Result<Response<Events>, Status> {
        // A session begins with an event.
        let begun = futures::stream::iter([Ok(wire::SessionEvent::default())]);
        self.0.answer::<()>().map(|_| Response::new(begun.boxed()))
    }
    async fn attach(&self, _: Request<wire::AttachRequest>) -> Result<Response<Events>, Status> {
        Err(Status::unimplemented("attach"))
    }
    async fn write(&self, _: Request<wire::WriteRequest>) -> Result<Response<wire::WriteResponse>, Status> {
        self.0.answer()
    }
    async fn signal(&self, _: Request<wire::SignalRequest>) -> Result<Response<wire::SignalResponse>, Status> {
        self.0.answer()
    }
    async fn resize(&self, _: Request<wire::ResizeRequest>) -> Result<Response<wire::ResizeResponse>, Status> {
        self.0.answer()
    }
    async fn kill(&self, _: Request<wire::KillRequest>) -> Result<Response<wire::KillResponse>, Status> {
        self.0.answer()
    }
    async fn release(&self, _: Request<wire::ReleaseRequest>) -> Result<Response<wire::ReleaseResponse>, Status> {
        self.0.answer()
    }
    async fn list(&self, _: Request<wire::ListRequest>) -> Result<Response<wire::ListResponse>, Status> {
        self.0.answer()
    }
}

/// A host whose node refuses the first `refusals` requests, and that node. The tasks serve it.
fn host(refusals: u32, retry_after_ms: u64) -> (NodeHost, Arc<Full>, JoinSet<()>) {
    let (connector, full, serving) = served(refusals, retry_after_ms, Code::ResourceExhausted);
    (NodeHost::new(NodeLink::by_pipe(record(), &connector), authority()), full, serving)
}

fn authority() -> Authority {
    Authority { thread: ThreadId::generate(), epoch: Epoch(1), owner: "tester".into() }
}

fn served(refusals: u32, retry_after_ms: u64, code: Code) -> (PipeConnector, Arc<Full>, JoinSet<()>) {
    let full = Arc::new(Full { refusals: AtomicU32::new(refusals), code, retry_after_ms, asked: AtomicU32::new(0) });
    let (connector, listener) = pipe();
    let server = Server::builder().add_service(ExecServer::new(Served(Arc::clone(&full))));
    let mut serving = JoinSet::new();
    serving.spawn(async move {
        let _ = server.serve_with_incoming(listener).await;
    });
    (connector, full, serving)
}

/// What a start comes to whose node refuses it once with this code, and is then heard of in another life.
async fn started_in_two_lives(code: Code, journal: JournalState) -> (Result<(), HostError>, u32) {
    let (connector, full, _serving) = served(1, 0, code);
    let mut lives = Lives::default();
    let host = NodeHost::new(lives.say(&NodeLink::by_pipe(record(), &connector)), authority());
    let restarted = async {
        while full.asked.load(Ordering::Relaxed) == 0 {
            tokio::task::yield_now().await;
        }
        lives.say(&NodeLink::by_pipe(NodeRecord { generation: Generation(2), journal, ..record() }, &connector))
    };
    let (started, _link) = tokio::join!(host.start(session()), restarted);
    (started.map(drop), full.asked.load(Ordering::Relaxed))
}

#[tokio::test(start_paused = true)]
async fn a_start_that_an_earlier_life_may_have_done_is_repeated_only_to_a_life_that_would_know() {
    let (started, asked) = started_in_two_lives(Code::Unavailable, JournalState::Kept).await;
    assert_eq!((started, asked), (Ok(()), 2));
    let (started, asked) = started_in_two_lives(Code::Unavailable, JournalState::Lost).await;
    assert!(matches!(started, Err(HostError::Lost { reason, .. }) if reason.contains("lost its journal")));
    assert_eq!(asked, 1);
}

#[tokio::test(start_paused = true)]
async fn a_start_that_was_denied_is_asked_of_the_next_life_whatever_that_has_kept() {
    let (started, asked) = started_in_two_lives(Code::PermissionDenied, JournalState::Lost).await;
    assert_eq!((started, asked), (Ok(()), 2));
}

fn record() -> NodeRecord {
    NodeRecord {
        id: "n1".parse().unwrap(),
        generation: Generation(1),
        address: NodeAddress::Embedded,
        labels: [].into(),
        capacity: Capacity { sessions: 1, cpus: 1, memory_bytes: 1 },
        stock: capstan_types::stock::Stock::default(),
        fingerprint: Fingerprint::default(),
        journal: JournalState::default(),
        protocol: capstan_proto::protocol::CURRENT,
    }
}

fn session() -> StartSession {
    StartSession {
        call: CallId::generate(),
        attempt: Attempt(1),
        argv: vec!["true".into()],
        cwd: AbsPath::new("/w").unwrap(),
        env: [].into(),
        stdio: Stdio::PipesNoInput,
        policy: SandboxPolicy::workspace_write(vec![]),
        limits: SessionLimits::default(),
    }
}

#[tokio::test(start_paused = true)]
async fn a_start_waits_for_a_full_node_as_long_as_that_says_and_then_runs() {
    let (host, full, _serving) = host(3, 4000);
    let begun = Instant::now();
    host.start(session()).await.unwrap();
    assert_eq!((begun.elapsed().as_secs(), full.asked.load(Ordering::Relaxed)), (12, 4));
}

#[tokio::test(start_paused = true)]
async fn a_start_is_told_to_the_model_as_refused_when_the_node_stays_full_for_20_s() {
    let (host, full, _serving) = host(u32::MAX, 4000);
    let begun = Instant::now();
    let refused = host.start(session()).await.unwrap_err();
    assert_eq!((begun.elapsed().as_secs(), full.asked.load(Ordering::Relaxed)), (20, 6));
    assert_eq!(refused.to_string(), "node n1 has no room for another session (it is full); try again in 4 s");
}

#[tokio::test(start_paused = true)]
async fn all_of_512_releases_get_through_to_a_node_that_refuses_most_of_them_at_first() {
    let (host, full, _serving) = host(1000, 500);
    let released = join_all((0..512).map(|_| host.release(SessionId::generate()))).await;
    assert!(released.iter().all(Result::is_ok), "{:?}", released.iter().find(|released| released.is_err()));
    assert_eq!(full.asked.load(Ordering::Relaxed), 1512);
}

#[tokio::test(start_paused = true)]
async fn whatever_is_said_to_a_session_is_said_again_and_not_without_end() {
    let session = SessionId::generate();
    let (patient, full, _serving) = host(4, 500);
    patient.kill(session, "ann").await.unwrap();
    patient.signal(session, 15).await.unwrap();
    patient.write(session, "x".into(), Input::StaysOpen).await.unwrap();
    assert_eq!(full.asked.load(Ordering::Relaxed), 7);
    let (stuck, _, _serving) = host(u32::MAX, 500);
    let begun = Instant::now();
    assert!(matches!(stuck.kill(session, "ann").await, Err(HostError::Busy { .. })));
    assert_eq!(begun.elapsed().as_secs(), 10);
}
