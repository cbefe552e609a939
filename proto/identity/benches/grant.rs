//! What a grant adds to a request: signing it, opening it, and holding it against what is asked.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark that cannot run says why and stops; its figures are its output"
)]

use capstan_identity::credentials::Credentials;
use capstan_identity::{authority, grant, request};
use capstan_types::grant::{Act, Asked, Grant, Here};
use capstan_types::id::{Attempt, CallId, Epoch, Generation, NodeId, ThreadId};
use capstan_types::session::Authority;
use std::time::{Duration, Instant};

const ROUNDS: u32 = 5000;
const NOW: u64 = 1_800_000_000_000;

fn main() {
    let (key, certificate) = authority::make(&"c1".parse().expect("a name"), NOW).expect("an authority");
    let authority = authority::Authority::new(&key, certificate).expect("an authority");
    let (key, request) = request::make().expect("a key");
    let name = "capstan://c1/coordinator/a".parse().expect("a name");
    let leaf = authority.issue(&request, &name, NOW, Duration::from_secs(60)).expect("a certificate");
    let credentials = Credentials::new(key, vec![leaf.clone()]).expect("they belong together");
    let node: NodeId = "n1".parse().expect("a node id");
    let act = Act::Start(CallId::from_u128(4), Attempt(1));
    let authority = Authority { thread: ThreadId::from_u128(1), epoch: Epoch(3), owner: "a".to_owned() };
    let granted = Grant {
        thread: authority.thread,
        node: node.clone(),
        generation: Generation(2),
        epoch: authority.epoch,
        act: act.clone(),
        policy: None,
        not_after_ms: NOW + 240_000,
        holder: credentials.own().thumbprint,
    };
    let asked = Asked { authority: &authority, act, policy: None };
    let here = Here { node: &node, generation: Generation(2), peer: credentials.own().thumbprint, now_ms: NOW };
    let signed = grant::sign(&granted, &credentials).expect("the key signs");
    let each = |what: &str, work: &dyn Fn()| {
        let began = Instant::now();
        (0..ROUNDS).for_each(|_| work());
        println!("{what:<28} {:>8.1} us", began.elapsed().as_secs_f64() * 1e6 / f64::from(ROUNDS));
    };
    each("signed by the coordinator", &|| drop(grant::sign(&granted, &credentials).expect("the key signs")));
    each("opened by the node", &|| drop(grant::open(&signed, &leaf).expect("it is signed")));
    each("held against what is asked", &|| granted.covers(&asked, &here).expect("it covers it"));
}
