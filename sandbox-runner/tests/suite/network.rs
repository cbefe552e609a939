//! Sockets with and without a network.

use crate::acts::{playing, results};
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
