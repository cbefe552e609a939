//! The fork server: what it does as `hold` does, who may ask it, and what lives and dies with it.

use crate::client::Client;
use crate::server::{Server, ask};
use crate::session::{Launch, lives, runner, running, wait_until};
use capstan_types::control::Request;
use capstan_types::launch::{EndRecord, LaunchAnswer, Refusal, SessionEnd};
use std::io::{ErrorKind, Read, Write};
use std::process::Stdio;

fn started(answer: &LaunchAnswer) -> (u32, u32) {
    match answer {
        LaunchAnswer::Started { pid, holder, .. } => (*pid, *holder),
        LaunchAnswer::Refused(refusal) => panic!("refused: {refusal}"),
    }
}

/// Whether a connection closes, as it does when its holder ends.
/// Waits until a holder has gone, whatever it says before.
fn closes(mut stream: impl Read) -> bool {
    stream.read_to_end(&mut Vec::new()).is_ok() || panic!("it did not close")
}

#[test]
fn a_session_knows_nothing_of_the_server() {
    for prepared in [0, 1] {
        let server = Server::start(prepared);
        let launch = Launch::shell("echo $PPID ${DAEMON_SECRET-none}; umask; echo /proc/self/fd/*; ps -o stat= -p $$").terminal();
        let (answer, _life) = server.launch(&launch.spec);
        let text = Client::attach(launch.dir.path(), 0).read_to_end().text();
        let by_hold =
            Launch::shell("echo $PPID ${DAEMON_SECRET-none}; umask; echo /proc/self/fd/*; ps -o stat= -p $$").terminal();
        let [ours, theirs] = [text, by_hold.text()].map(|text| text.split_once(' ').unwrap().1.to_owned());
        assert_eq!(ours, theirs, "what a session is given depends on who started it");
        assert!(ours.starts_with("none"), "{ours}");
        assert!(server.holders().contains(&started(&answer).1));
    }
}

#[test]
fn a_waiting_holder_is_taken_and_another_takes_its_place() {
    let server = Server::start(1);
    let [waiting] = server.await_holders(1)[..] else { panic!() };
    let launch = Launch::new(&["sleep", "1000"]);
    let (answer, _life) = server.launch(&launch.spec);
    assert_eq!(started(&answer).1, waiting, "another process holds the session");
    assert_eq!(server.await_holders(2).iter().filter(|pid| **pid != waiting).count(), 1);
}

#[test]
fn two_hundred_sessions_start_at_once_and_leave_nothing() {
    for prepared in [0, 2] {
        let server = Server::start(prepared);
        std::thread::scope(|scope| {
            for number in 0..200 {
                let server = &server;
                scope.spawn(move || {
                    let launch = Launch::shell(&format!("exit {}", number % 100));
                    let (answer, life) = server.launch(&launch.spec);
                    started(&answer);
                    assert_eq!(Client::attach(launch.dir.path(), 0).read_to_end().end, SessionEnd::Exited { code: number % 100 });
                    Client::connect(launch.dir.path()).send(&Request::Release);
                    assert!(closes(life));
                });
            }
        });
        server.await_holders(prepared);
    }
}

#[test]
fn an_answer_that_nobody_takes_ends_its_session() {
    for prepared in [0, 1] {
        let server = Server::start(prepared);
        let launch = Launch::new(&["sleep", "1000"]);
        let mut stream = server.connect().unwrap();
        let (program, holder) = started(&ask(&mut stream, &serde_json::to_vec(&launch.spec).unwrap()));
        assert!(lives(program));
        drop(stream);
        wait_until("the end of the session", || !lives(program) && !lives(holder));
    }
}

#[test]
fn the_servers_death_ends_who_waits_and_no_session() {
    let mut server = Server::start(2);
    let launch = Launch::new(&["cat"]).stdio(capstan_types::launch::Stdio::Pipes);
    server.await_holders(2);
    let (answer, life) = server.launch(&launch.spec);
    let (program, holder) = started(&answer);
    let waiting = server.await_holders(3).into_iter().filter(|pid| *pid != holder).collect::<Vec<_>>();
    server.process.kill().unwrap();
    server.process.wait().unwrap();
    wait_until("the end of who waits", || !waiting.iter().any(|pid| lives(*pid)));
    // What they were making dies with them, a moment later.
    wait_until("the end of all who listen", || server.connect().is_err());
    let mut client = Client::attach(launch.dir.path(), 0);
    client.type_in("still here\n");
    client.until("still here\n");
    client.send(&Request::Kill { by: "the test".into() });
    assert_eq!(client.read_to_end().end, SessionEnd::Killed { by: "the test".into() });
    client.send(&Request::Release);
    assert!(closes(life) && !lives(program));
}

#[test]
fn the_server_goes_with_its_keeper_and_leaves_the_sessions() {
    let mut server = Server::start(1);
    let launch = Launch::new(&["sleep", "1000"]);
    let (answer, _life) = server.launch(&launch.spec);
    let (program, holder) = started(&answer);
    let waiting = server.await_holders(2).into_iter().find(|pid| *pid != holder).unwrap();
    assert_eq!(server.leave(), Some(0));
    wait_until("the end of who waits", || !lives(waiting));
    assert!(lives(program) && lives(holder));
    Client::connect(launch.dir.path()).send(&Request::Kill { by: "the test".into() });
    wait_until("the end of the session", || !lives(program) && launch.dir.path().join(EndRecord::FILE).exists());
    Client::connect(launch.dir.path()).send(&Request::Release);
    wait_until("the holder's leaving", || !lives(holder));
}

#[test]
fn a_holder_of_the_server_is_ended_by_a_signal_with_its_whole_tree() {
    let marker = crate::session::marker();
    let server = Server::start(1);
    let launch = Launch::shell(&format!("(setsid sleep {marker} &); sleep {marker}"));
    let (answer, life) = server.launch(&launch.spec);
    wait_until("the start of both", || running(&marker) >= 2);
    assert_eq!(crate::session::send(started(&answer).1, libc::SIGTERM), 0);
    assert!(closes(life));
    assert_eq!(running(&marker), 0);
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the server, behind a shell of the test's own")]
fn only_the_process_that_started_the_server_is_served() {
    for prepared in ["0", "1"] {
        // The server's parent is the shell, and so the test is a stranger.
        let mut shell = runner("unused");
        let program = shell.get_program().to_owned();
        shell = std::process::Command::new("sh");
        shell.args(["-c", "exec 3<&0; \"$0\" serve --prepared \"$1\" <&3 3<&- & wait"]).arg(program).arg(prepared);
        let server = Server::started_by(shell);
        let mut stream = server.connect().unwrap();
        let document = serde_json::to_vec(&Launch::new(&["true"]).spec).unwrap();
        let _ = stream.write_all(&u32::try_from(document.len()).unwrap().to_be_bytes());
        let _ = stream.write_all(&document);
        let said = stream.read(&mut [0]);
        assert!(matches!(&said, Ok(0)) || said.is_err_and(|error| error.kind() == ErrorKind::ConnectionReset));
    }
}

#[test]
fn a_refusal_leaves_nothing_and_the_server_goes_on() {
    let server = Server::start(1);
    let launch = Launch::new(&["/no/such/program"]);
    let (answer, stream) = server.launch(&launch.spec);
    assert!(matches!(answer, LaunchAnswer::Refused(Refusal::Program { .. })), "{answer:?}");
    assert!(closes(stream));
    assert_eq!(std::fs::read_dir(launch.dir.path()).unwrap().count(), 0, "a refused launch left files");
    let mut nonsense = server.connect().unwrap();
    assert!(matches!(ask(&mut nonsense, b"nonsense"), LaunchAnswer::Refused(Refusal::Document { .. })));
    let mut endless = server.connect().unwrap();
    assert!(matches!(ask(&mut endless, &vec![b' '; (1 << 20) + 1]), LaunchAnswer::Refused(Refusal::Document { .. })));
    started(&server.launch(&Launch::new(&["true"]).spec).0);
}

#[test]
fn a_server_without_a_socket_says_so() {
    let output = runner("serve").stdin(Stdio::null()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("no listening Unix socket"), "{output:?}");
    let output = runner("serve").args(["--prepared", "65"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
}

/// The memory that is a process's alone, in kibibytes; nothing when this user may not see it.
fn private_kib(pid: u32) -> Option<u64> {
    let rollup = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
    let private = rollup.lines().filter(|line| line.starts_with("Private_Clean:") || line.starts_with("Private_Dirty:"));
    private.map(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok()).sum()
}

#[test]
fn a_holder_takes_little_memory_of_its_own_waiting_or_with_a_session() {
    let server = Server::start(2);
    let waiting = server.await_holders(2)[0];
    let (answer, _life) = server.launch(&Launch::new(&["sleep", "1000"]).terminal().spec);
    let holder = started(&answer).1;
    for pid in [waiting, holder] {
        // Nothing to see for an ordinary user: holders hide their memory.
        assert!(private_kib(pid).is_none_or(|kib| kib < 300), "{pid}: {:?} KiB", private_kib(pid));
    }
}
