//! Certificates are renewed while streams run over them, and no stream notices.

use crate::house::{Seat, runtime};
use capstan_coordinator::nodes::host::NodeHost;
use capstan_coordinator::nodes::link::NodeLink;
use capstan_identity::audit::Audit;
use capstan_identity::live::Live;
use capstan_identity::membership::Membership;
use capstan_proto::wire::node as wire;
use capstan_tools::host::{ExecHost, StartSession};
use capstan_types::grant::{Act, Asked, policy_digest};
use capstan_types::id::{Attempt, CallId, Epoch, ThreadId};
use capstan_types::launch::Stdio;
use capstan_types::limits::SessionLimits;
use capstan_types::output::{Piece, Seq};
use capstan_types::policy::SandboxPolicy;
use capstan_types::session::{Authority, SessionEvent, StartCall};
use std::fs;
use std::time::Duration;

/// How many lines the stream has, one every so often.
const EVERY: &str = "0.02";

fn session(script: &str) -> StartSession {
    StartSession {
        call: CallId::generate(),
        attempt: Attempt(1),
        argv: ["sh", "-c", script].map(str::to_owned).into(),
        cwd: "/tmp".parse().expect("a path"),
        env: [].into(),
        stdio: Stdio::PipesNoInput,
        policy: SandboxPolicy::workspace_write(Vec::new()),
        limits: SessionLimits::default(),
    }
}

fn call(authority: &Authority, script: &str) -> StartCall {
    let StartSession { call, attempt, argv, cwd, env, stdio, policy, limits } = session(script);
    StartCall { authority: authority.clone(), call, attempt, argv, cwd, env, stdio, policy, limits, from: Seq(0) }
}

/// `CAPSTAN_ROTATIONS` says how often; an ordinary run does a share.
#[test]
fn renewed_certificates_drop_no_stream() {
    let rotations: usize = std::env::var("CAPSTAN_ROTATIONS").map_or(40, |text| text.parse().expect("a number"));
    // Short enough that the node and the coordinator renew theirs meanwhile.
    let seat = Seat::with_certificates("6s");
    let node = seat.node("far");
    let dir = tempfile::tempdir().expect("a directory");
    let live = Live::held(seat.credentials("capstan://c1/coordinator/test"), seat.trust());
    let audit = Audit::open(dir.path().join("audit.jsonl")).expect("a log");
    let membership = Membership { live: live.clone(), audit };
    let own = || fs::read(node.home.path().join("identity/node.far/identity.pem")).expect("the node has an identity");
    let first = own();
    runtime().block_on(async {
        let link = NodeLink::by_address(node.record("far"), None, Some(&membership)).expect("an address");
        let authority = Authority { thread: ThreadId::generate(), epoch: Epoch(1), owner: "test".to_owned() };
        let host = NodeHost::new(link.clone(), authority.clone());
        let until = dir.path().join("stop");
        let script = format!("n=0; while [ ! -e {0} ]; do echo $n; n=$((n+1)); sleep {EVERY}; done; echo end", until.display());
        // A policy that shows the file to be waited for.
        let policy = SandboxPolicy::workspace_write(vec![dir.path().to_str().expect("text").parse().expect("a path")]);
        // Read without the coordinator's patience, which would take a broken stream up again without a word.
        let call = StartCall { policy, ..call(&authority, &script) };
        let digest = policy_digest(&call.policy, Some(&call.limits));
        let asked = Asked { authority: &authority, act: Act::Start(call.call, call.attempt), policy: Some(digest) };
        let started = link.exec_for(&asked).start(wire::StartRequest::from(&call)).await;
        let mut stream = started.expect("it starts").into_inner();
        let reading = async {
            let mut text = Vec::new();
            loop {
                let event = stream.message().await.expect("the stream is never lost").expect("it ends with the session's end");
                match SessionEvent::try_from(event).expect("an event") {
                    SessionEvent::Output(Piece::Bytes { bytes, .. }) => text.extend_from_slice(&bytes),
                    SessionEvent::Output(gap @ Piece::Gap { .. }) => panic!("something is missing: {gap:?}"),
                    SessionEvent::Ended { .. } => return String::from_utf8(text).expect("text"),
                    SessionEvent::Started { .. } | SessionEvent::Denied(_) => {}
                }
            }
        };
        let rotating = async {
            for _ in 0..rotations {
                let fresh = tokio::task::block_in_place(|| seat_credentials(&seat));
                live.renewed(fresh).expect("it is taken");
                // What is asked goes by the new certificate, while the stream runs on the old one.
                let mut asked = host.start(session("true")).await.expect("a session starts");
                while !matches!(asked.next().await.expect("the stream is whole"), SessionEvent::Ended { .. }) {}
            }
            // At least one certificate of the node's own was renewed as well.
            while own() == first {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            fs::write(&until, "").expect("a file");
        };
        let (text, ()) =
            tokio::time::timeout(Duration::from_secs(500), async { tokio::join!(reading, rotating) }).await.expect("in time");
        let lines: Vec<&str> = text.lines().collect();
        let (last, numbers) = lines.split_last().expect("lines");
        assert_eq!(*last, "end");
        assert!(numbers.iter().enumerate().all(|(at, line)| line.parse() == Ok(at)), "a line is missing or comes twice");
    });
    let said = fs::read_to_string(dir.path().join("audit.jsonl")).expect("a log");
    assert_eq!(said, "", "somebody was refused");
}

/// The runtime of the test is entered already, so the authority is asked from another thread.
fn seat_credentials(seat: &Seat) -> capstan_identity::credentials::Credentials {
    std::thread::scope(|scope| {
        scope.spawn(|| seat.credentials("capstan://c1/coordinator/test")).join().expect("a certificate is made")
    })
}
