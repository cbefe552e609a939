#![expect(unsafe_code, reason = "the tests try what the proxy may not do")]

use super::*;
use capstan_types::launch::Denial;
use std::io::BufRead;
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(20);

fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

fn say(proxy: SocketAddr, text: &str) -> String {
    let mut stream = TcpStream::connect(proxy).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(text.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn eventually(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "{what}");
        thread::yield_now();
    }
}

fn status(pid: libc::pid_t) -> String {
    std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap()
}

#[test]
fn a_proxy_serves_tells_and_takes_the_network_with_it() {
    let ((host, host_at), (listening, at)) = (listener(), listener());
    // A name, so that the C library's lookup is seen to work where it is confined.
    let allowed = format!("localhost:{}", host_at.port());
    let proxy = EgressProcess::start(listening.into(), vec![format!("private:{allowed}").parse().unwrap()]).unwrap();
    let serving = thread::spawn(move || {
        let (mut stream, _) = host.accept().unwrap();
        stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let _ = stream.read_to_string(&mut String::new());
    });
    assert_eq!(say(at, &format!("GET http://{allowed}/ HTTP/1.0\r\n\r\n")), "HTTP/1.1 204 No Content\r\n\r\n");
    serving.join().unwrap();
    assert!(say(at, "CONNECT localhost:443 HTTP/1.1\r\n\r\n").ends_with("localhost:443 is not in the list of allowed hosts\n"));
    let mut line = String::new();
    io::BufReader::new(&proxy.denials).read_line(&mut line).unwrap();
    let denial: Denial = serde_json::from_str(&line).unwrap();
    assert_eq!(denial.to_string(), "connect to localhost:443 refused: not in the list of allowed hosts");

    process::kill(proxy.pid, libc::SIGKILL).unwrap();
    eventually("the killed proxy is still listening", || TcpStream::connect(at).is_err());
}

#[test]
fn a_proxy_has_no_powers_and_no_descriptors_of_the_holder() {
    let _held = File::open("/etc/hosts").unwrap();
    let (listening, _) = listener();
    let proxy = EgressProcess::start(listening.into(), Vec::new()).unwrap();
    let status = status(proxy.pid);
    let has = |line: &str| status.lines().any(|other| other.split_whitespace().eq(line.split_whitespace()));
    for line in
        ["NoNewPrivs: 1", "CapEff: 0000000000000000", "CapPrm: 0000000000000000", "Seccomp: 2", "SigBlk: 0000000000000000"]
    {
        assert!(has(line), "{line} is missing in {status}");
    }
    if process::user() == 0 {
        assert!(has("Uid: 65534 65534 65534 65534") && has("Gid: 65534 65534 65534 65534") && has("Groups:"), "{status}");
        // Three standard streams, the listener, the pipe. Only root may look at them, for the proxy is not dumpable.
        eventually("the proxy has other descriptors", || {
            std::fs::read_dir(format!("/proc/{}/fd", proxy.pid)).unwrap().count() == 5
        });
    } else {
        assert!(std::fs::read_dir(format!("/proc/{}/fd", proxy.pid)).is_err());
    }
    let pid = proxy.pid;
    drop(proxy);
    assert!(process::kill(pid, 0).is_err());
}

#[test]
fn a_proxy_dies_with_the_process_that_started_it() {
    let (listening, at) = listener();
    // SAFETY: the child starts a proxy and exits; it takes no lock of the test's other threads.
    let middle = unsafe { libc::fork() };
    if middle == 0 {
        let started = EgressProcess::start(listening.into(), Vec::new());
        let served = started.is_ok() && say(at, "GET / HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 400 ");
        // SAFETY: ends the process at once, without dropping the proxy.
        unsafe { libc::_exit(i32::from(!served)) };
    }
    drop(listening);
    assert_eq!(process::wait_for(middle).unwrap(), process::ExitStatus::Code(0));
    eventually("the proxy outlives its holder", || TcpStream::connect(at).is_err());
}

/// What a confined process can do: bit by bit, so that the exit code says which.
fn powers() -> i32 {
    let can = [
        File::create("/tmp/egress-proxy-may-not-write").is_ok(),
        File::open("/proc/self/status").is_ok(),
        std::fs::read_dir("/root").is_ok() || std::fs::read_dir("/home").is_ok(),
        File::open("/etc/hosts").is_err(),
        TcpListener::bind("127.0.0.1:0").is_ok() && crate::probe::landlock_abi().is_some_and(|abi| abi >= 4),
        // SAFETY: a child that is made against all expectation ends at once.
        unsafe { libc::fork() != -1 },
        // SAFETY: takes integers only.
        unsafe { libc::socket(libc::AF_PACKET, libc::SOCK_DGRAM, 0) != -1 },
    ];
    can.iter().enumerate().fold(0, |bits, (at, can)| bits | i32::from(*can) << at)
}

#[test]
fn a_confined_proxy_reads_little_writes_nothing_and_starts_nobody() {
    let holder = std::process::id();
    // SAFETY: the child restricts itself, tries a few calls and exits.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let code = match confine::confine([0, 1, 2], holder) {
            Ok(()) => powers(),
            Err(_) => 128,
        };
        // SAFETY: ends the process at once.
        unsafe { libc::_exit(code) };
    }
    assert_eq!(process::wait_for(child).unwrap(), process::ExitStatus::Code(0));
}
