//! What clients that are many, slow or silent can hold: as much as the bounds say.

use crate::world::{ANSWER, PATIENCE, host, proxy_with};
use capstan_egress::Bounds;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::{Duration, Instant};

/// The threads of this process, once there are no more than `most`, or after a while that is shorter than a slow client is borne: one that
/// has given up its place is still counted until the kernel has ended it.
fn threads(most: usize) -> usize {
    let begun = Instant::now();
    loop {
        let count = std::fs::read_dir("/proc/self/task").unwrap().count();
        if count <= most || begun.elapsed() > Duration::from_millis(500) {
            return count;
        }
        std::thread::yield_now();
    }
}

#[test]
fn a_thousand_slow_clients_hold_no_more_than_the_bound_and_not_for_ever() {
    let host = host("\r\n\r\n");
    let bounds =
        Bounds { connections: 64, patience: Duration::from_millis(1), head: Duration::from_secs(1), ..Bounds::default() };
    let rule = format!("127.0.0.1:{}", host.port);
    let world = proxy_with(&[&rule], &[&["127.0.0.1"]], bounds);
    let before = threads(0);
    let mut most = 0;
    let clients: Vec<_> = (0..1000)
        .map(|at| {
            let mut client = world.connect();
            // A client that is turned away may be gone before it has spoken.
            let _ = client.write_all(b"GET http://127.0.0.1/ HTTP/1.1\r\nX: ");
            if at % 50 == 0 {
                most = most.max(threads(before + 64));
            }
            client
        })
        .collect();
    most = most.max(threads(before + 64));
    assert!(most <= before + 64, "{most} threads, {before} before");
    for mut client in clients {
        let mut said = Vec::new();
        let _ = client.read_to_end(&mut said);
        assert!(said.is_empty() || said.starts_with(b"HTTP/1.1 503 "), "{said:?}");
    }
    assert_eq!(world.say(format!("GET http://{rule}/ HTTP/1.1\r\n\r\n")), ANSWER);
}

#[test]
fn a_tunnel_in_which_nobody_speaks_is_closed() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let rule = format!("127.0.0.1:{}", listener.local_addr().unwrap().port());
    let bounds = Bounds { idle: Duration::from_millis(200), ..Bounds::default() };
    let world = proxy_with(&[&rule], &[&["127.0.0.1"]], bounds);
    let started = Instant::now();
    let mut client = world.connect();
    client.write_all(format!("CONNECT {rule} HTTP/1.1\r\n\r\n").as_bytes()).unwrap();
    let (mut host, _) = listener.accept().unwrap();
    let mut said = Vec::new();
    client.read_to_end(&mut said).unwrap();
    assert!(said.starts_with(b"HTTP/1.1 200 "));
    host.read_to_end(&mut said).unwrap();
    assert!((Duration::from_millis(200)..PATIENCE).contains(&started.elapsed()), "{:?}", started.elapsed());
}

#[test]
fn two_hundred_refusals_are_told_in_fifty_and_one() {
    let world = proxy_with(&[], &[&["127.0.0.1"]], Bounds::default());
    for at in 0..200 {
        assert!(world.say(format!("CONNECT a{at}.test:443 HTTP/1.1\r\n\r\n")).starts_with("HTTP/1.1 403 "));
    }
    let told: Vec<_> = world.denials.try_iter().collect();
    assert_eq!(told.len(), 51);
    assert!(told[50].reason.contains("not listed"), "{}", told[50]);
}
