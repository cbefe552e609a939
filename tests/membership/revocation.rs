//! A certificate that was taken back is refused within seconds, on connections that are open too.

use crate::attacker::Attacker;
use crate::house::{Seat, audited, runtime};
use capstan_coordinator::nodes::link::NodeLink;
use capstan_identity::audit::Audit;
use capstan_identity::live::Live;
use capstan_identity::membership::Membership;
use capstan_proto::wire::node as wire;
use capstan_tests::capstan::Capstan;
use capstan_types::grant::{Act, Asked, policy_digest};
use std::time::{Duration, Instant};

/// The promise.
const WITHIN: Duration = Duration::from_secs(5);

#[test]
fn a_revoked_coordinator_loses_its_stream_and_is_not_let_in_again() {
    let seat = Seat::new();
    let node = seat.node("far");
    let (lost, kept) = (seat.credentials("capstan://c1/coordinator/lost"), seat.credentials("capstan://c1/coordinator/kept"));
    let trust = seat.trust();
    runtime().block_on(async {
        let kept = Attacker::with(kept, trust.clone(), &node);
        let attacker = Attacker::with(lost.clone(), trust.clone(), &node);
        let running = attacker.call("sleep 300");
        let mut stream = attacker.start_granted(&running, &attacker.grant(&running)).await.expect("it is a coordinator still");
        stream.message().await.expect("the stream is whole").expect("it started");
        let beside = kept.call("sleep 20");
        let mut untouched = kept.start_granted(&beside, &kept.grant(&beside)).await.expect("it is a coordinator");
        untouched.message().await.expect("the stream is whole").expect("it started");
        tokio::task::spawn_blocking({
            let (home, serial) = (seat.home.path(), lost.own().serial.to_string());
            move || revoke(&home, &serial)
        })
        .await
        .expect("it was revoked");
        let began = Instant::now();
        let broken =
            tokio::time::timeout(WITHIN, async { while stream.message().await.is_ok_and(|event| event.is_some()) {} }).await;
        assert!(broken.is_ok(), "the stream lives on after {:?}", began.elapsed());
        let again = Attacker::with(lost.clone(), trust, &node);
        let call = again.call("true");
        again.start_granted(&call, &again.grant(&call)).await.expect_err("it was let in again");
        let call = kept.call("true");
        kept.start_granted(&call, &kept.grant(&call)).await.expect("others are let in as before");
        let still = tokio::time::timeout(Duration::from_millis(200), untouched.message()).await;
        assert!(!matches!(still, Ok(Err(_))), "the stream of another was broken: {still:?}");
    });
    let serial = lost.own().serial.to_string();
    audited(&node.audit_file("far"), &["refused", "capstan://c1/coordinator/lost", &serial, "its certificate was revoked"]);
}

fn revoke(home: &std::path::Path, serial: &str) {
    use capstan_identity::issuer::Issuer;
    use capstan_identity::ledger::Denied;
    let issuer = Issuer::open(&home.join("cluster")).expect("the authority is there");
    let denied = Denied { serial: serial.parse().expect("a serial"), at_ms: capstan_identity::time_now::now_ms() };
    assert!(runtime().block_on(issuer.ledger().deny(denied)).expect("the records can be written"));
}

#[test]
fn the_command_takes_a_certificate_back() {
    let seat = Seat::new();
    let node = seat.node("far");
    let member = seat.credentials("capstan://c1/coordinator/lost");
    seat.revoke(&member);
    let trust = seat.trust();
    assert!(trust.denied.contains(&member.own().serial));
    let runtime = runtime();
    let began = Instant::now();
    loop {
        let _inside = runtime.enter();
        let attacker = Attacker::with(member.clone(), trust.clone(), &node);
        let call = attacker.call("true");
        if runtime.block_on(attacker.start_granted(&call, &attacker.grant(&call))).is_err() {
            break;
        }
        assert!(began.elapsed() < WITHIN, "it is let in {:?} after it was revoked", began.elapsed());
    }
}

/// A node that was taken over still answers on the connections that it has; what it says is not to be taken.
#[test]
fn a_revoked_node_loses_the_streams_that_coordinators_have_open_to_it() {
    let seat = Seat::new();
    let node = seat.node("far");
    let dir = tempfile::tempdir().expect("a directory");
    let live = Live::held(seat.credentials("capstan://c1/coordinator/test"), seat.trust());
    let audit = Audit::open(dir.path().join("audit.jsonl")).expect("a log");
    let membership = Membership { live: live.clone(), audit };
    runtime().block_on(async {
        let link = NodeLink::by_address(node.record("far"), None, Some(&membership)).expect("an address");
        let attacker = Attacker::with(seat_credentials(&seat), live.trust().as_ref().clone(), &node);
        let call = attacker.call("sleep 300");
        let digest = policy_digest(&call.policy, Some(&call.limits));
        let asked = Asked { authority: &call.authority, act: Act::Start(call.call, call.attempt), policy: Some(digest) };
        let mut stream = link.exec_for(&asked).start(wire::StartRequest::from(&call)).await.expect("it starts").into_inner();
        stream.message().await.expect("the stream is whole").expect("it started");
        tokio::task::block_in_place(|| {
            let words = ["cluster", "cert", "revoke", "node/far"];
            let run = Capstan::new(&seat.home).args(words).run();
            run.assert_code(0);
            assert_eq!(run.stdout, "1 certificate of the node `far` revoked; it comes back with a new token only\n");
        });
        // As the coordinator hears it from the authority.
        live.believe(&tokio::task::block_in_place(|| {
            std::thread::scope(|scope| scope.spawn(|| seat.trust()).join().expect("the records can be read"))
        }));
        let broken =
            tokio::time::timeout(WITHIN, async { while stream.message().await.is_ok_and(|event| event.is_some()) {} }).await;
        assert!(broken.is_ok(), "the stream lives on");
        link.describer().describe(wire::DescribeRequest {}).await.expect_err("it is asked again");
    });
}

fn seat_credentials(seat: &Seat) -> capstan_identity::credentials::Credentials {
    std::thread::scope(|scope| {
        scope.spawn(|| seat.credentials("capstan://c1/coordinator/other")).join().expect("a certificate is made")
    })
}
