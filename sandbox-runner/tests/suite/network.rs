//! Sockets with and without a network.

use crate::acts::{playing, results};
use crate::session::Launch;
use capstan_types::control::Report;
use capstan_types::launch::Denial;
use capstan_types::policy::SandboxPolicy;
use std::net::TcpListener;

const CLOSED: [&str; 10] = ["tcp", "tcp6", "udp", "mptcp", "netlink", "vsock", "packet", "plain", "fast-open", "mptcp-connect"];

#[test]
fn without_a_network_no_kind_of_socket_reaches_a_host() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    for policy in [SandboxPolicy::read_only(), SandboxPolicy::workspace_write(Vec::new())] {
        let session = playing("sockets").env("PORT", &port).policy(policy).start();
        assert!(session.enforced.network_closed);
        let found = results(&session.attach(0).read_to_end().text());
        for name in CLOSED {
            assert_eq!(found[name], libc::EPERM.to_string(), "{name}");
        }
        assert_eq!((found["unix"].as_str(), found["pair"].as_str()), ("ok", "ok"));
    }
    listener.set_nonblocking(true).unwrap();
    assert!(listener.accept().is_err(), "somebody connected");
}

#[test]
fn with_a_network_the_internet_opens_and_nothing_stranger() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let policy = SandboxPolicy { network: capstan_types::policy::Network::Full, ..SandboxPolicy::workspace_write(Vec::new()) };
    let session = playing("sockets").env("PORT", &port).policy(policy).start();
    assert!(!session.enforced.network_closed);
    let found = results(&session.attach(0).read_to_end().text());
    for name in ["unix", "pair", "tcp", "udp", "netlink", "plain", "fast-open"] {
        assert_eq!(found[name], "ok", "{name}");
    }
    for name in ["vsock", "packet"] {
        assert_eq!(found[name], libc::EPERM.to_string(), "{name}");
    }
    listener.accept().unwrap();
}

/// Asks the session's proxy for a host, as a program does that the environment tells of it, and stays.
const ASK: &str =
    "exec 3<>/dev/tcp/127.0.0.1/3128; printf 'CONNECT example.com:443 HTTP/1.1\\r\\n\\r\\n' >&3; cat <&3; sleep 1000";

#[test]
fn a_host_that_is_not_listed_is_refused_and_whoever_watches_is_told_at_once() {
    let policy = SandboxPolicy { network: "crates.io".parse().unwrap(), ..SandboxPolicy::read_only() };
    let session = Launch::new(&["bash", "-c", ASK]).policy(policy).at_full().start();
    let mut client = session.attach(0);
    let told = loop {
        if let Report::Denied(denial) = client.next().unwrap() {
            break denial;
        }
    };
    let expected = Denial { act: "connect to example.com:443".to_owned(), reason: "not in the list of allowed hosts".to_owned() };
    assert_eq!(told, expected);
}
