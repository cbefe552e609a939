//! One authority takes over from another while everybody works, and nobody is cut off.

use crate::house::{SOON, Seat, runtime};
use capstan_coordinator::nodes::host::NodeHost;
use capstan_coordinator::nodes::link::NodeLink;
use capstan_identity::audit::Audit;
use capstan_identity::credentials::Credentials;
use capstan_identity::live::Live;
use capstan_identity::membership::Membership;
use capstan_identity::trust::Trust;
use capstan_proto::wire::node as wire;
use capstan_tests::capstan::Capstan;
use capstan_tools::host::{ExecHost, StartSession};
use capstan_types::grant::{Act, Asked, policy_digest};
use capstan_types::id::{Attempt, CallId, Epoch, ThreadId};
use capstan_types::launch::Stdio;
use capstan_types::limits::SessionLimits;
use capstan_types::output::{Piece, Seq};
use capstan_types::policy::SandboxPolicy;
use capstan_types::session::{Authority, SessionEvent, StartCall};
use std::fs;
use std::time::{Duration, Instant};

/// A certificate's life: a change takes four of these.
const LIFE: &str = "5s";

fn status(seat: &Seat) -> String {
    let run = Capstan::new(&seat.home).args(["cluster", "ca", "status"]).run();
    run.assert_code(0);
    run.stdout
}

/// What the seat knows, asked by a thread of its own: the test's runtime is entered already.
fn of_seat(seat: &Seat) -> (Credentials, Trust) {
    std::thread::scope(|scope| {
        let asked = scope.spawn(|| (seat.credentials("capstan://c1/coordinator/test"), seat.trust()));
        asked.join().expect("the authority is there")
    })
}

#[test]
fn an_authority_takes_over_under_load_and_no_stream_is_dropped() {
    let seat = Seat::with_certificates(LIFE);
    let node = seat.node("far");
    let dir = tempfile::tempdir().expect("a directory");
    let (credentials, trust) = of_seat(&seat);
    let live = Live::held(credentials, trust);
    let audit = Audit::open(dir.path().join("audit.jsonl")).expect("a log");
    let membership = Membership { live: live.clone(), audit };
    assert_eq!(status(&seat).lines().count(), 2);
    let begun = Capstan::new(&seat.home).args(["cluster", "ca", "rotate"]).run();
    begun.assert_code(0);
    assert!(begun.stdout.contains("It signs in 10 s") && begun.stdout.contains("believed for 20 s"), "{begun}");
    let again = Capstan::new(&seat.home).args(["cluster", "ca", "rotate"]).run();
    again.assert_code(2);
    assert!(again.stderr.contains("is being changed already"), "{again}");
    let runtime = runtime();
    let calls = runtime.block_on(async {
        let link = NodeLink::by_address(node.record("far"), None, Some(&membership)).expect("an address");
        let authority = Authority { thread: ThreadId::generate(), epoch: Epoch(1), owner: "test".to_owned() };
        let host = NodeHost::new(link.clone(), authority.clone());
        let until = dir.path().join("stop");
        let script = format!("n=0; while [ ! -e {0} ]; do echo $n; n=$((n+1)); sleep 0.05; done; echo end", until.display());
        let policy = SandboxPolicy::workspace_write(vec![dir.path().to_str().expect("text").parse().expect("a path")]);
        let call = StartCall {
            authority: authority.clone(),
            call: CallId::generate(),
            attempt: Attempt(1),
            argv: ["sh", "-c", &script].map(str::to_owned).into(),
            cwd: "/tmp".parse().expect("a path"),
            env: [].into(),
            stdio: Stdio::PipesNoInput,
            policy,
            limits: SessionLimits::default(),
            from: Seq(0),
        };
        let digest = policy_digest(&call.policy, Some(&call.limits));
        let asked = Asked { authority: &authority, act: Act::Start(call.call, call.attempt), policy: Some(digest) };
        let mut stream = link.exec_for(&asked).start(wire::StartRequest::from(&call)).await.expect("it starts").into_inner();
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
        let working = async {
            let (began, mut calls) = (Instant::now(), 0);
            // Until the old authority is gone.
            while !tokio::task::block_in_place(|| status(&seat)).contains("gone: nobody believes it") {
                assert!(began.elapsed() < SOON, "the change does not end: {}", status(&seat));
                let (fresh, trust) = tokio::task::block_in_place(|| of_seat(&seat));
                live.hear(&trust.proof).expect("an authority that is believed has signed it");
                live.renewed(fresh).expect("it is taken");
                let mut asked = host.start(session()).await.expect("a session starts");
                while !matches!(asked.next().await.expect("the stream is whole"), SessionEvent::Ended { .. }) {}
                calls += 1;
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
            fs::write(&until, "").expect("a file");
            calls
        };
        let (text, calls) = tokio::time::timeout(2 * SOON, async { tokio::join!(reading, working) }).await.expect("in time");
        let lines: Vec<&str> = text.lines().collect();
        let (last, numbers) = lines.split_last().expect("lines");
        assert_eq!(*last, "end");
        assert!(numbers.iter().enumerate().all(|(at, line)| line.parse() == Ok(at)), "a line is missing or comes twice");
        calls
    });
    assert!(calls > 10, "{calls}");
    // The node renewed by itself, and the old key is no more.
    let own = fs::read_to_string(node.home.path().join("identity/node.far/identity.pem")).expect("it is kept");
    let first = fs::read_to_string(seat.cluster_dir().join("ca.pem")).expect("the old certificate is kept");
    assert!(!own.contains(first.trim()), "the node has a certificate of the old authority");
    assert!(!seat.cluster_dir().join("ca.key").exists());
    let said = fs::read_to_string(dir.path().join("audit.jsonl")).expect("a log");
    assert_eq!(said, "", "somebody was refused");
    // And the next one joins under the new one.
    let other = seat.node("near");
    live.hear(&seat.trust().proof).expect("an authority that is believed has signed it");
    assert_eq!(live.trust().authorities.len(), 1);
    drop(other);
}

fn session() -> StartSession {
    StartSession {
        call: CallId::generate(),
        attempt: Attempt(1),
        argv: ["true"].map(str::to_owned).into(),
        cwd: "/tmp".parse().expect("a path"),
        env: [].into(),
        stdio: Stdio::PipesNoInput,
        policy: SandboxPolicy::workspace_write(Vec::new()),
        limits: SessionLimits::default(),
    }
}
