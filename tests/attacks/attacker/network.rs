//! Attacks that reach somebody else over a socket. The host's side sees what arrives; making an exotic socket is an escape in itself.

use crate::call::{call, of, works};
use crate::facts::Attack;
use crate::facts::Facts;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsRawFd, FromRawFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixStream};
use std::time::Duration;

const FASTOPEN: usize = 0x2000_0000;

pub(crate) const ATTACKS: &[(&str, Attack)] = &[
    ("tcp", |f| reach(TcpStream::connect_timeout(&([127, 0, 0, 1], f.number("TCP") as u16).into(), SHORT))),
    ("tcp6", |f| reach(TcpStream::connect_timeout(&(std::net::Ipv6Addr::LOCALHOST, f.number("TCP6") as u16).into(), SHORT))),
    ("tcp-mapped", |f| {
        let mapped = std::net::Ipv4Addr::LOCALHOST.to_ipv6_mapped();
        reach(TcpStream::connect_timeout(&(mapped, f.number("TCP") as u16).into(), SHORT))
    }),
    ("tcp-any", |f| reach(TcpStream::connect_timeout(&([0, 0, 0, 0], f.number("TCP") as u16).into(), SHORT))),
    ("mptcp", |f| connected(f, 2, 1, 262)),
    ("fast-open", |f| {
        let sent = call(libc::SYS_socket, &[2, 1, 0])
            .and_then(|fd| call(libc::SYS_sendto, &[fd, of(b"exfil"), 5, FASTOPEN, of(&ipv4(f.number("TCP"))), 16]));
        quiet(sent)
    }),
    ("udp", |f| udp(|socket| socket.send_to(b"exfil", ("127.0.0.1", f.number("UDP") as u16)))),
    ("udp-connected", |f| {
        udp(|socket| socket.connect(("127.0.0.1", f.number("UDP") as u16)).and_then(|()| socket.send(b"exfil")))
    }),
    ("udp-sendmsg", |f| {
        let sent = call(libc::SYS_socket, &[2, 2, 0]).and_then(|fd| {
            let (address, text) = (ipv4(f.number("UDP")), b"exfil");
            let part = [of(text), 5];
            let message = [of(&address), 16, of(&part), 1, 0, 0, 0];
            call(libc::SYS_sendmsg, &[fd, of(&message), 0])
        });
        quiet(sent)
    }),
    ("udp-sendmmsg", |f| {
        let sent = call(libc::SYS_socket, &[2, 2, 0]).and_then(|fd| {
            let (address, text) = (ipv4(f.number("UDP")), b"exfil");
            let part = [of(text), 5];
            let message = [of(&address), 16, of(&part), 1, 0, 0, 0, 0];
            call(libc::SYS_sendmmsg, &[fd, of(&message), 1, 0])
        });
        quiet(sent)
    }),
    ("abstract-stream", |f| reach(abstract_name(f, "s").and_then(|name| UnixStream::connect_addr(&name)))),
    ("abstract-datagram", |f| {
        reach(
            abstract_name(f, "d")
                .and_then(|name| UnixDatagram::unbound().and_then(|socket| socket.send_to_addr(b"inject", &name))),
        )
    }),
    ("path-stream", |f| reach(UnixStream::connect(f.outside("docker.sock")))),
    ("path-datagram", |f| reach(UnixDatagram::unbound().and_then(|socket| socket.send_to(b"inject", f.outside("log.sock"))))),
    ("path-datagram-connected", |f| {
        reach(UnixDatagram::unbound().and_then(|socket| {
            socket.connect(f.outside("log.sock"))?;
            socket.send(b"inject")
        }))
    }),
    ("path-datagram-sendmsg", sendmsg_to_path),
    ("path-through-link", |f| {
        let _new = std::os::unix::fs::symlink(f.outside("docker.sock"), f.inside("linked.sock"));
        reach(UnixStream::connect(f.inside("linked.sock")))
    }),
    ("path-through-proc", |f| reach(UnixStream::connect(format!("/proc/self/root{}", f.outside("docker.sock"))))),
    ("path-through-victim", |f| reach(UnixStream::connect(format!("/proc/{}/cwd/docker.sock", f.victim())))),
    ("passed-descriptor", passed_descriptor),
    ("raw", |_| ["1", "255"].iter().flat_map(|p| made(2, 3, p.parse().unwrap_or(1), "a raw socket")).collect()),
    ("ping", |_| made(2, 2, 1, "a ping socket")),
    ("packet", |_| made(17, 3, 768, "a packet socket")),
    ("vsock", |_| made(40, 1, 0, "a socket to the hypervisor")),
    ("xdp", |_| made(44, 3, 0, "an XDP socket")),
    ("netlink-uevent", |_| made(16, 3, 15, "the kernel's events")),
    ("netlink-audit", |_| made(16, 3, 9, "the audit system")),
    ("netlink-netfilter", |_| made(16, 3, 12, "the firewall")),
    ("netlink-diag", netlink_diag),
    ("socket-table", |f| seen("/proc/net/tcp", &format!(":{:04X} ", f.number("TCP")), "the host's listening socket")),
    ("unix-table", |f| seen("/proc/net/unix", &format!("capstan-s-{}", f.text("TAG")), "the host's abstract socket")),
    ("listen", |_| {
        serve(TcpListener::bind(("0.0.0.0", 0)));
        Vec::new()
    }),
    ("listen-unbound", |_| {
        let listening = call(libc::SYS_socket, &[2, 1, 0]).and_then(|fd| call(libc::SYS_listen, &[fd, 5]).map(|_| fd));
        serve(listening.map(listener).map_err(std::io::Error::from_raw_os_error));
        Vec::new()
    }),
];

const SHORT: Duration = Duration::from_secs(2);

/// A `sockaddr_in` of the loopback.
fn ipv4(port: usize) -> [u8; 16] {
    let [high, low] = u16::try_from(port).expect("a port").to_be_bytes();
    [2, 0, high, low, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]
}

/// The host's side tells whether it was reached.
fn reach<T>(answer: std::io::Result<T>) -> Vec<String> {
    answer.map_or_else(|_| Vec::new(), |_| vec!["a peer answered".to_owned()])
}

/// Nothing is said here: the host's side sees what arrives.
fn quiet<T>(_answer: Result<T, i32>) -> Vec<String> {
    Vec::new()
}

fn udp(send: impl Fn(&UdpSocket) -> std::io::Result<usize>) -> Vec<String> {
    let _sent = UdpSocket::bind("127.0.0.1:0").and_then(|socket| send(&socket));
    Vec::new()
}

fn connected(facts: &Facts, family: usize, kind: usize, protocol: usize) -> Vec<String> {
    let socket = call(libc::SYS_socket, &[family, kind, protocol]);
    quiet(socket.and_then(|fd| call(libc::SYS_connect, &[fd, of(&ipv4(facts.number("TCP"))), 16])))
}

fn made(family: usize, kind: usize, protocol: usize, what: &str) -> Vec<String> {
    works(what, call(libc::SYS_socket, &[family, kind, protocol]))
}

fn abstract_name(facts: &Facts, kind: &str) -> std::io::Result<SocketAddr> {
    SocketAddr::from_abstract_name(format!("capstan-{kind}-{}", facts.text("TAG")))
}

fn sendmsg_to_path(facts: &Facts) -> Vec<String> {
    let sent = call(libc::SYS_socket, &[1, 2, 0]).and_then(|fd| {
        let mut address = [0_u8; 110];
        let path = facts.outside("log.sock");
        address[0] = 1;
        address[2..2 + path.len()].copy_from_slice(path.as_bytes());
        let part = [of(b"inject"), 6];
        let message = [of(&address), 110, of(&part), 1, 0, 0, 0];
        call(libc::SYS_sendmsg, &[fd, of(&message), 0])
    });
    quiet(sent)
}

/// Asks a host's service for a descriptor; the service answers whoever comes.
fn passed_descriptor(facts: &Facts) -> Vec<String> {
    let Ok(service) = UnixStream::connect(facts.outside("agent.sock")) else { return Vec::new() };
    let peer = std::fs::read_link(format!("/proc/self/fd/{}", service.as_raw_fd()));
    vec![format!("connected to a service that hands out descriptors ({peer:?})")]
}

fn netlink_diag(_facts: &Facts) -> Vec<String> {
    made(16, 3, 4, "the table of all sockets")
}

fn seen(path: &str, what: &str, name: &str) -> Vec<String> {
    let table = std::fs::read_to_string(path).unwrap_or_default();
    if table.contains(what) { vec![format!("{path} shows {name}")] } else { Vec::new() }
}

#[expect(unsafe_code, reason = "a descriptor from a raw call gets its owner")]
fn listener(fd: usize) -> TcpListener {
    // SAFETY: the descriptor has just been made and has no other owner.
    unsafe { TcpListener::from_raw_fd(i32::try_from(fd).expect("a descriptor")) }
}

/// Tells the port, and waits a little for somebody to come.
fn serve(listener: std::io::Result<TcpListener>) {
    let Ok(listener) = listener else { return };
    let Ok(address) = listener.local_addr() else { return };
    println!("PORT {}", address.port());
    let mut entry = [listener.as_raw_fd() as u32 as u64 | (1 << 32)];
    let _ready = call(libc::SYS_poll, &[of(&mut entry), 1, 1500]);
}
