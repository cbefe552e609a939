//! The control socket: who may use it, and what a bad peer can do.

use crate::acts::{playing, results};
use crate::client::Client;
use crate::session::Launch;
use capstan_types::control::{Report, Request};
use capstan_types::launch::SessionEnd;
use capstan_types::limits::ByteCap;
use capstan_types::policy::SandboxPolicy;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;

#[test]
fn a_sandboxed_program_commands_no_holder() {
    let session = Launch::shell("echo ready; sleep 1000").start();
    session.attach(0).until("ready\n");
    let socket = session.dir().join("control.sock");
    let act = format!("connect {}", socket.display());
    let greeted = |launch: Launch| results(&launch.text()).remove("greeted").unwrap();
    assert_ne!(greeted(playing(&act)), "1", "a sandboxed program was greeted");
    assert_eq!(
        greeted(playing(&act).policy(SandboxPolicy::full_access())),
        "1",
        "a free one is, so that the refusal means something"
    );
}

#[test]
fn the_socket_and_the_output_are_their_owners_alone() {
    let mut launch = Launch::shell("echo ready; sleep 1000");
    launch.spec.limits.head = ByteCap::new(1).unwrap();
    let session = launch.start();
    session.attach(0).until("ready\n");
    let mode = std::fs::metadata(session.dir().join("control.sock")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    for file in ["head", "tail"] {
        assert_eq!(std::fs::metadata(session.dir().join(file)).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn nonsense_costs_its_sender_the_connection_and_nobody_else_anything() {
    let session = Launch::shell("echo ready; sleep 1000").start();
    let mut good = session.attach(0);
    good.until("ready\n");
    for nonsense in [&b"\xff\xff\xff\xff\x03"[..], b"\0\0\0\x01\x09", b"\0\0\0\0", b"\0\0\0\x03\x03{]"] {
        let mut bad = Client::connect(session.dir());
        bad.stream.write_all(nonsense).unwrap();
        assert_eq!(bad.next(), None);
    }
    good.send(&Request::Kill { by: "me".into() });
    assert_eq!(good.read_to_end().end, SessionEnd::Killed { by: "me".into() });
}

#[test]
fn there_are_twelve_connections_and_one_more_is_sent_away() {
    let session = Launch::new(&["sleep", "1000"]).start();
    let mut twelve: Vec<_> = (0..12).map(|_| Client::connect(session.dir())).collect();
    assert_eq!(Client::connect_silently(session.dir()).next(), None);
    twelve.pop();
    crate::session::wait_until("room", || matches!(Client::connect_silently(session.dir()).next(), Some(Report::Hello { .. })));
}

#[test]
fn the_greeting_names_the_program() {
    let session = Launch::new(&["sleep", "1000"]).start();
    let mut client = Client::connect_silently(session.dir());
    assert!(matches!(client.next(), Some(Report::Hello { pid, .. }) if pid == session.pid));
}

#[test]
fn a_directory_with_a_very_long_name_is_no_obstacle() {
    let mut launch = Launch::shell("echo hi");
    let long = launch.dir.path().join("x".repeat(100)).join("y".repeat(100));
    std::fs::create_dir_all(&long).unwrap();
    launch.spec.dir = crate::session::abs(&long);
    let (answer, holder) = launch.answer_of(|_| {});
    assert!(matches!(answer, capstan_types::launch::LaunchAnswer::Started { .. }));
    // As a node reaches it: through a descriptor of the directory, whose name is short.
    let dir = std::fs::File::open(&long).unwrap();
    let short = std::path::PathBuf::from(format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&dir)));
    assert_eq!(Client::attach(&short, 0).read_to_end().text(), "hi\n");
    drop(holder);
}
