//! What keeps a client from its coordinator, told in a sentence before anything starts.

use super::{Daemon, exec, settled_text, workspace};
use crate::bad_input::assert_told;
use crate::scripted::{says, step, write};
use crate::stored::Stored;
use capstan_tests::capstan::{Capstan, Home};
use std::fmt::Write as _;
use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;

/// A client with a home of its own, so that nothing of the coordinator's helps it.
fn told(arguments: &[&str], roots: &[&Path]) -> String {
    let client = Home::new();
    fs::create_dir(workspace(&client)).expect("a directory can be made");
    let run = exec(&client).args(arguments.iter().copied()).run();
    run.assert_code(2);
    assert_told(&run);
    assert!(!client.path().join("node").exists() && !client.path().join("capstan.db").exists(), "something was started: {run}");
    let said = roots.iter().fold(run.stderr, |said, root| said.replace(&root.display().to_string(), "[DAEMON]"));
    settled_text(&said, client.root())
}

fn token(path: &Path, text: &str, mode: u32) -> String {
    fs::write(path, text).expect("a file can be written");
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("the file is ours");
    path.display().to_string()
}

#[test]
fn a_client_that_may_not_or_cannot_reach_the_coordinator_is_told_why() {
    let home = Home::new();
    write(home.root(), &[step([], [says("done")])]);
    let daemon = Daemon::start(home, &["--listen", "127.0.0.1:0"]);
    let root = daemon.home.root().to_owned();
    let good = fs::read_to_string(daemon.token_file.as_ref().expect("there is a token")).expect("the token can be read");
    let wrong = token(&root.join("wrong"), "0123456789abcdef0123456789abcdef\n", 0o600);
    let open = token(&root.join("open"), &good, 0o644);
    let tcp = daemon.places[1].clone();
    let no_socket = format!("unix://{}/no.sock", root.display());
    // A kernel accepts for it, and nobody ever answers in our language.
    let deaf = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let deaf_place = deaf.local_addr().expect("it is bound").to_string();
    std::thread::spawn(move || {
        for stream in deaf.incoming().flatten() {
            let _ = std::io::Write::write_all(&mut &stream, b"SSH-2.0-something\r\n");
        }
    });
    let mut all = String::new();
    for (what, arguments) in [
        ("a wrong token", ["--coordinator", &tcp, "--coordinator-token-file", &wrong].as_slice()),
        ("no token", &["--coordinator", &tcp]),
        ("a token that others may read", &["--coordinator", &tcp, "--coordinator-token-file", &open]),
        ("nothing that listens", &["--coordinator", "127.0.0.1:1"]),
        ("no socket", &["--coordinator", &no_socket]),
        ("another host", &["--coordinator", "10.0.0.1:80"]),
        ("no address", &["--coordinator", "nonsense"]),
        ("another protocol", &["--coordinator", &deaf_place]),
    ] {
        let _ = writeln!(all, "# {what}\n{}", told(arguments, &[&root]));
    }
    insta::assert_snapshot!(all);
    assert!(!all.contains(good.trim()));
    assert_eq!(Stored::read(&daemon.home).threads, [], "something was started");
}

#[test]
fn what_belongs_to_the_coordinator_is_refused_flag_by_flag() {
    let daemon = Daemon::playing(&[step([], [says("done")])]);
    let mut all = String::new();
    for arguments in [
        ["--script", "f"].as_slice(),
        &["--record", "f"],
        &["--oss"],
        &["--node", "127.0.0.1:1"],
        &["--ephemeral"],
        &["-c", "ownerless_timeout_ms=1"],
        &["-c", "model_providers.corp.base_url=\"http://h\""],
    ] {
        let with = [&["--coordinator", daemon.socket()], arguments].concat();
        let _ = writeln!(all, "# {}\n{}", arguments.join(" "), told(&with, &[daemon.home.root()]));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn a_coordinator_that_cannot_serve_says_why() {
    let first = Daemon::playing(&[step([], [says("done")])]);
    let mut all = String::new();
    for (what, arguments) in [
        ("all the world", ["--listen", "0.0.0.0:0"].as_slice()),
        ("a socket in no directory", &["--listen", "unix:///no/such/place.sock"]),
        ("a script that is none", &["--script", "/etc/hostname"]),
        ("a node that is not there", &["--node", "unix:///no/such/node.sock"]),
    ] {
        let home = Home::new();
        let run = Capstan::new(&home).arg("coordinator").args(arguments.iter().copied()).env("CAPSTAN_LOG", "off").run();
        run.assert_code(2);
        assert_told(&run);
        assert!(!home.path().join("coordinator.sock").exists(), "its socket is left: {run}");
        let _ = writeln!(all, "# {what}\n{}", settled_text(&run.stderr, home.root()));
    }
    let second = super::command(&first.home).run();
    second.assert_code(2);
    assert_told(&second);
    let _ = writeln!(all, "# a second one on a home\n{}", settled_text(&second.stderr, first.home.root()));
    insta::assert_snapshot!(all);
    first.exec().run().assert_code(0);
}

/// Only root can be somebody else here, and only root could open their socket.
#[test]
fn neither_side_speaks_to_another_user() {
    if !fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0) {
        return;
    }
    let home = Home::new();
    write(home.root(), &[step([], [says("done")])]);
    for path in [home.root().to_owned(), home.path(), home.user_dir()] {
        chown(path, Some(65534), Some(65534)).expect("root gives away");
    }
    let as_nobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"];
    let running = super::command(&home).through(&as_nobody).start();
    capstan_tests::wait::until_true(super::SERVES_WITHIN, "a coordinator that serves", || !running.stdout().is_empty());
    let socket = format!("unix://{}", home.path().join("coordinator.sock").display());
    let said = told(&["--coordinator", &socket], &[home.root()]);
    insta::assert_snapshot!(said);
    // And a client that does not look is not let in: its connection is closed without a word.
    let mut stream = std::os::unix::net::UnixStream::connect(home.path().join("coordinator.sock")).expect("root may connect");
    let mut all = Vec::new();
    stream.set_read_timeout(Some(super::SOON)).expect("a time can be set");
    assert_eq!(std::io::Read::read_to_end(&mut stream, &mut all).expect("it is closed in time"), 0, "{all:?}");
    capstan_tests::wait::until_true(super::SOON, "a line in the log", || running.stderr().contains("another user (uid 0)"));
}
