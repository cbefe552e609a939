//! Ending a session ends all of it.

use crate::acts::playing;
use crate::client::Client;
use crate::session::{AT_FULL, Launch, Session, lives, marker, running, send, wait_until};
use capstan_types::control::Request;
use capstan_types::launch::SessionEnd;
use std::io::{Read, Write};

/// What a pipe of the kernel's default size holds.
const PIPE_BYTES: usize = 64 * 1024;

fn children_of_holder(session: &Session) -> String {
    children_of(&session.holder.process.id().to_string())
}

fn children_of(pid: &str) -> String {
    std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap()
}

fn kill(session: &Session) -> SessionEnd {
    let mut client = session.attach(0);
    client.send(&Request::Kill { by: "a test".into() });
    client.read_to_end().end
}

#[test]
fn a_kill_takes_descendants_that_left_their_parents_session_and_signals_behind() {
    let marker = marker();
    let daemon = format!("trap '' HUP TERM INT; sleep {marker} & sleep {marker}");
    let script = format!(
        "for i in 1 2 3 4 5; do (setsid sh -c \"(setsid sh -c \\\"{daemon}\\\" &)\" &); done; echo ready; sleep {marker}"
    );
    let session = Launch::shell(&script).start();
    session.attach(0).until("ready\n");
    wait_until("all ten daemons", || running(&format!("sleep\0{marker}")) == 11);
    assert_eq!(kill(&session), SessionEnd::Killed { by: "a test".into() });
    assert_eq!(running(&marker), 0);
    assert_eq!(children_of_holder(&session), "", "unreaped children");
}

#[test]
fn a_kill_takes_processes_that_fork_faster_than_they_can_be_named() {
    let session = playing("flee").start();
    session.attach(0).until("act: flee ok\n");
    assert_eq!(kill(&session), SessionEnd::Killed { by: "a test".into() });
    assert_eq!(children_of_holder(&session), "", "somebody got away");
}

#[test]
fn a_kill_takes_processes_that_replace_each_other() {
    let session = playing("guard").start();
    session.attach(0).until("act: all ok\n");
    assert_eq!(kill(&session), SessionEnd::Killed { by: "a test".into() });
    assert_eq!(children_of_holder(&session), "", "somebody got away");
}

#[test]
fn daemons_end_with_their_session_even_when_the_program_ended_well() {
    let marker = marker();
    let session = Launch::shell(&format!("(setsid sleep {marker} > /dev/null 2>&1 < /dev/null &); echo done")).terminal().start();
    assert_eq!(session.attach(0).read_to_end().end, SessionEnd::Exited { code: 0 });
    assert_eq!(running(&marker), 0);
    // The first process of a namespace may be reaped after the end was told: it is the last, and runs nothing.
    wait_until("the end of all children", || children_of_holder(&session).is_empty());
}

#[test]
fn orphans_are_reaped_while_the_session_runs() {
    let session = Launch::shell("for i in 1 2 3 4 5 6 7 8; do (true &); done; echo ready; sleep 1000").start();
    session.attach(0).until("ready\n");
    let program = session.pid.to_string();
    // They are the holder's, or those of the only process beside the program: the first one of its process namespace.
    let others = || children_of_holder(&session).split_whitespace().filter(|pid| *pid != program).map(str::to_owned).collect();
    wait_until("the last orphan's burial", || {
        let others: Vec<String> = others();
        others.len() == usize::from(AT_FULL) && others.iter().all(|first| children_of(first).is_empty())
    });
}

#[test]
fn a_holder_that_is_terminated_ends_its_session_and_says_so() {
    let mut session = Launch::shell("trap '' TERM HUP; echo ready; sleep 1000; sleep 1000").start();
    let mut client = session.attach(0);
    client.until("ready\n");
    assert_eq!(send(session.holder.process.id(), libc::SIGTERM), 0);
    assert_eq!(client.read_to_end().end, SessionEnd::Killed { by: "holder terminated".into() });
    assert_eq!(session.end_record().end, SessionEnd::Killed { by: "holder terminated".into() });
    session.gone();
    assert!(!session.dir().join("control.sock").exists());
}

#[test]
fn a_holder_that_is_terminated_before_it_has_answered_ends_its_session() {
    let marker = marker();
    let launch = Launch::shell(&format!("sleep {marker} & sleep {marker} & wait"));
    let (mut reader, mut writer) = std::io::pipe().unwrap();
    // A full pipe: the answer waits, while the program runs.
    writer.write_all(&[b' '; PIPE_BYTES]).unwrap();
    let mut command = crate::session::runner("hold");
    let mut process = command.stdin(std::process::Stdio::piped()).stdout(writer).spawn().unwrap();
    drop(command);
    serde_json::to_writer(process.stdin.take().unwrap(), &launch.spec).unwrap();
    wait_until("both children", || running(&format!("sleep\0{marker}")) == 2);
    assert_eq!(send(process.id(), libc::SIGTERM), 0);
    let mut answer = String::new();
    reader.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("started"), "{}", answer.trim());
    assert!(process.wait().unwrap().success());
    assert_eq!(running(&marker), 0);
    let record = std::fs::read_to_string(launch.dir.path().join("end.json")).unwrap();
    assert!(record.contains("holder terminated"), "{record}");
}

#[test]
fn a_holder_that_is_killed_takes_its_program_along() {
    let session = Launch::shell("trap '' HUP TERM; echo ready; while :; do sleep 0.1; done").terminal().start();
    session.attach(0).until("ready");
    let pid = session.pid;
    assert_eq!(send(session.holder.process.id(), libc::SIGKILL), 0);
    wait_until("the program's end", || !lives(pid));
}

#[test]
fn a_hang_up_or_an_interrupt_of_the_caller_does_not_reach_the_holder() {
    let session = Launch::shell("echo ready; sleep 1000").start();
    session.attach(0).until("ready\n");
    for number in [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGPIPE] {
        send(session.holder.process.id(), number);
    }
    assert_eq!(kill(&session), SessionEnd::Killed { by: "a test".into() });
}

#[test]
fn a_program_whose_start_nobody_learned_of_is_ended() {
    let marker = marker();
    let launch = Launch::new(&["sleep", &marker]);
    let mut command = crate::session::runner("hold");
    let (reader, writer) = std::io::pipe().unwrap();
    let mut process = command.stdin(std::process::Stdio::piped()).stdout(writer).spawn().unwrap();
    drop(command);
    drop(reader);
    serde_json::to_writer(process.stdin.take().unwrap(), &launch.spec).unwrap();
    assert!(process.wait().unwrap().success());
    assert_eq!(running(&marker), 0);
    let record = std::fs::read_to_string(launch.dir.path().join("end.json")).unwrap();
    assert!(record.contains("nobody took its answer"), "{record}");
    assert!(std::os::unix::net::UnixStream::connect(launch.dir.path().join("control.sock")).is_err());
}

#[test]
fn a_kill_after_the_end_changes_nothing() {
    let session = Launch::shell("exit 5").start();
    assert_eq!(session.attach(0).read_to_end().end, SessionEnd::Exited { code: 5 });
    let mut late = Client::attach(session.dir(), 0);
    late.send(&Request::Kill { by: "late".into() });
    assert_eq!(late.read_to_end().end, SessionEnd::Exited { code: 5 });
    assert_eq!(session.end_record().end, SessionEnd::Exited { code: 5 });
}
