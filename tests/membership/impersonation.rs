//! The ways of passing for somebody who may. Each is refused, and each refusal is in the node's audit log with who tried it.

use crate::attacker::{Attacker, believes_anybody};
use crate::house::{Seat, audited, runtime};
use capstan_identity::grant::sign;
use capstan_identity::time_now::now_ms;
use capstan_types::grant::{Grant, LONGEST_MS};
use capstan_types::id::{Attempt, CallId, Epoch, Generation, SessionId, ThreadId};
use capstan_types::policy::SandboxPolicy;
use capstan_types::session::StartCall;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;
use tonic::Code;

const START: &str = "/capstan.node.v1.Exec/Start";

#[test]
fn whoever_is_no_coordinator_is_refused_and_audited() {
    let seat = Seat::new();
    let node = seat.node("far");
    let log = node.audit_file("far");
    let runtime = runtime();
    let refused = |name: &str, at_ms: u64| {
        let (credentials, trust) = (seat.credentials_at(name, at_ms), seat.trust());
        let serial = credentials.own().serial.to_string();
        let _inside = runtime.enter();
        let attacker = Attacker::with(credentials, trust, &node);
        let call = attacker.call("true");
        let grant = attacker.grant(&call);
        let refused = runtime.block_on(attacker.start_granted(&call, &grant)).expect_err("it was let in");
        (refused, serial)
    };
    let (status, serial) = refused("capstan://c1/client/me", now_ms());
    assert_eq!((status.code(), status.message()), (Code::PermissionDenied, "a client may not call this method"));
    audited(&log, &["refused", "capstan://c1/client/me", &serial, START, "a client may not call this method"]);
    let (status, serial) = refused("capstan://c1/node/other", now_ms());
    assert_eq!((status.code(), status.message()), (Code::PermissionDenied, "a node may not call this method"));
    audited(&log, &["refused", "capstan://c1/node/other", &serial, START]);
    let (status, serial) = refused("capstan://c1/coordinator/old", now_ms() - 7_200_000);
    assert_ne!(status.code(), Code::Ok);
    audited(&log, &["refused", "capstan://c1/coordinator/old", &serial, "\"connect\"", "its certificate was valid until"]);
    let (_, serial) = refused("capstan://c1/coordinator/early", now_ms() + 7_200_000);
    audited(&log, &["refused", "capstan://c1/coordinator/early", &serial, "set the clocks of both hosts"]);
    let other = Seat::new();
    let stranger = other.credentials("capstan://c1/coordinator/seat");
    let _inside = runtime.enter();
    let attacker = Attacker::with(stranger, seat.trust(), &node);
    let call = attacker.call("true");
    runtime.block_on(attacker.start_granted(&call, &attacker.grant(&call))).expect_err("an authority of another cluster");
    audited(&log, &["refused", "capstan://c1/coordinator/seat", "was not made by this cluster's authority"]);
}

#[test]
fn whoever_has_no_certificate_does_not_even_shake_hands() {
    let seat = Seat::new();
    let node = seat.node("far");
    let config = believes_anybody();
    let name = "member.invalid".try_into().expect("a name");
    let mut session = rustls::ClientConnection::new(config, name).expect("a connection");
    let mut stream = TcpStream::connect(&node.address).expect("somebody listens");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a socket");
    let mut tls = rustls::Stream::new(&mut session, &mut stream);
    let _ = tls.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    assert!(tls.read(&mut [0; 64]).is_err(), "it was let in");
    audited(&node.audit_file("far"), &["refused", "\"connect\"", "127.0.0.1:", "no certificates"]);
    let mut plain = TcpStream::connect(&node.address).expect("somebody listens");
    plain.set_read_timeout(Some(Duration::from_secs(20))).expect("a socket");
    plain.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").expect("it takes it");
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer);
    assert!(!answer.starts_with(&[0, 0]), "it speaks HTTP/2 without TLS");
}

#[test]
fn what_a_person_does_is_audited_with_the_member_that_asked_for_it() {
    let seat = Seat::new();
    let node = seat.node("far");
    let (credentials, trust) = (seat.credentials("capstan://c1/coordinator/desk"), seat.trust());
    runtime().block_on(async {
        let desk = Attacker::with(credentials, trust, &node);
        let session = SessionId::generate();
        let status = desk.kill_as("ann", ThreadId::generate(), session).await;
        assert_eq!(status.code(), Code::NotFound, "{status:?}");
        let said = ["operated", "capstan://c1/coordinator/desk", "Operate/Kill", "said to be ann", &session.to_string()];
        audited(&node.audit_file("far"), &said);
    });
}

#[test]
fn a_coordinator_with_another_grant_is_refused_and_audited() {
    let seat = Seat::new();
    let node = seat.node("far");
    let log = node.audit_file("far");
    let runtime = runtime();
    let owner = seat.credentials("capstan://c1/coordinator/owner");
    let thief = seat.credentials("capstan://c1/coordinator/thief");
    let trust = seat.trust();
    runtime.block_on(async {
        let owner = Attacker::with(owner, trust.clone(), &node);
        let thief = Attacker::with(thief, trust, &node);
        let call = owner.call("true");
        let good = owner.grant(&call);
        let changed = |change: &dyn Fn(&mut Grant)| {
            let mut grant = good.clone();
            change(&mut grant);
            grant
        };
        let wrong: [(&str, Grant); 7] = [
            ("is for another node", changed(&|grant| grant.node = "other".parse().expect("an id"))),
            ("is for another node, or an earlier life", changed(&|grant| grant.generation = Generation(0))),
            ("is for another thread", changed(&|grant| grant.thread = ThreadId::generate())),
            ("is of another epoch", changed(&|grant| grant.epoch = Epoch(8))),
            ("is for another policy", changed(&|grant| grant.policy = None)),
            ("has expired", changed(&|grant| grant.not_after_ms = now_ms() - LONGEST_MS)),
            ("has expired, or is good for longer", changed(&|grant| grant.not_after_ms = now_ms() + 3 * LONGEST_MS)),
        ];
        for (why, grant) in &wrong {
            let status = owner.start_granted(&call, grant).await.expect_err(why);
            assert!(status.code() == Code::PermissionDenied && status.message().contains(why), "{why}: {status:?}");
            audited(&log, &["refused", "capstan://c1/coordinator/owner", START, why, &call.authority.thread.to_string()]);
        }
        let missing = owner.start(&call, None).await.expect_err("no grant");
        assert!(missing.message().contains("carries no grant"), "{missing:?}");
        audited(&log, &["refused", "carries no grant"]);
        let signed = sign(&good, &owner.credentials).expect("the key signs");
        let stolen = thief.start(&call, Some(&signed)).await.expect_err("a stolen grant");
        assert!(stolen.message().contains("is not signed by the coordinator that sent it"), "{stolen:?}");
        audited(&log, &["refused", "capstan://c1/coordinator/thief", "is not signed by the coordinator"]);
        let again = thief.start_granted(&call, &good).await.expect_err("a grant of another's");
        assert!(again.message().contains("was given to another coordinator"), "{again:?}");
        let other = StartCall { call: CallId::generate(), ..call.clone() };
        let retry = StartCall { attempt: Attempt(2), ..call.clone() };
        let wider = StartCall { policy: SandboxPolicy::full_access(), ..call.clone() };
        for (asked, why) in [(&other, "another call"), (&retry, "another call"), (&wider, "another policy")] {
            let replayed = owner.start(asked, Some(&signed)).await.expect_err(why);
            assert!(replayed.message().contains(why), "{replayed:?}");
        }
        // And the one that it was for.
        let mut events = owner.start(&call, Some(&signed)).await.expect("the grant covers it");
        while events.message().await.expect("the stream is whole").is_some() {}
        audited(&log, &["granted", "capstan://c1/coordinator/owner", START, &call.call.to_string(), "\"epoch\":7"]);
    });
}
