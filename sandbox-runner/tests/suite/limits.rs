//! Deadlines, which the holder keeps with every watcher gone.

use crate::client::Client;
use crate::session::{Launch, marker, running};
use capstan_types::control::{Report, Request, VERSION, Wants};
use capstan_types::launch::{SessionEnd, SessionLimit};
use capstan_types::limits::SessionLimits;
use capstan_types::output::Seq;
use capstan_types::time::Millis;
use std::time::{Duration, Instant};

const SHORT: Millis = Millis(300);

fn limited(script: &str, change: impl FnOnce(&mut SessionLimits)) -> Launch {
    let mut launch = Launch::shell(script);
    change(&mut launch.spec.limits);
    launch
}

#[test]
fn a_session_lives_no_longer_than_its_total_time() {
    let marker = marker();
    let begun = Instant::now();
    let seen = limited(&format!("trap '' TERM HUP; echo on; while :; do echo on; sleep 0.05; done; : {marker}"), |limits| {
        limits.total = Some(SHORT);
    })
    .seen();
    assert_eq!(seen.end, SessionEnd::Limit(SessionLimit::Total));
    assert!(begun.elapsed() >= SHORT.as_duration());
    assert_eq!(running(&marker), 0);
    assert!(seen.text().starts_with("on\n"));
}

#[test]
fn silence_ends_a_session_and_sound_keeps_it() {
    let idle = |script: &str| limited(script, |limits| limits.idle = Some(Millis(500))).seen();
    assert_eq!(idle("echo once; sleep 1000").end, SessionEnd::Limit(SessionLimit::Idle));
    let chatty = idle("for i in 1 2 3 4 5 6 7 8; do echo $i; sleep 0.1; done");
    assert_eq!(chatty.end, SessionEnd::Exited { code: 0 });
}

#[test]
fn a_session_without_an_owner_ends_and_one_with_an_owner_does_not() {
    let launch = || limited("sleep 1000", |limits| limits.ownerless = SHORT);
    let alone = launch().start();
    assert_eq!(alone.end_record().end, SessionEnd::Limit(SessionLimit::Ownerless));

    let session = launch().start();
    let mut owner = session.attach(0);
    // Greeted, heard, but never attached: no owner.
    let mut onlooker = Client::connect(session.dir());
    onlooker.send(&Request::CloseInput);
    std::thread::sleep(3 * SHORT.as_duration());
    assert!(!session.dir().join("end.json").exists(), "ended though it had an owner");
    owner.send(&Request::CloseInput);
    drop(owner);
    let left = Instant::now();
    assert_eq!(onlooker.next(), Some(Report::Ended(SessionEnd::Limit(SessionLimit::Ownerless))));
    assert!(left.elapsed() >= SHORT.as_duration() - Duration::from_millis(50));
}

#[test]
fn who_only_looks_sees_all_and_is_no_owner() {
    let session = limited("echo seen; sleep 1000", |limits| limits.ownerless = SHORT).start();
    let mut viewer = Client::connect(session.dir());
    let wants = Wants { looks: true, ..Wants::default() };
    viewer.send(&Request::Attach { version: VERSION, from: Seq(0), wants });
    let seen = viewer.read_to_end();
    assert_eq!((seen.text(), seen.end), ("seen\n".to_owned(), SessionEnd::Limit(SessionLimit::Ownerless)));
}

#[test]
fn an_owner_that_died_with_its_input_held_up_is_no_owner() {
    let session = {
        let mut launch = Launch::new(&["sleep", "1000"]).stdio(capstan_types::launch::Stdio::Pipes);
        launch.spec.limits.ownerless = SHORT;
        launch.start()
    };
    let client = session.attach(0);
    client.stream.set_write_timeout(Some(Duration::from_millis(200))).unwrap();
    let mut frame = bytes::BytesMut::new();
    Request::Input(vec![7; 60_000].into()).encode(&mut frame);
    while std::io::Write::write_all(&mut &client.stream, &frame).is_ok() {}
    drop(client);
    assert_eq!(session.end_record().end, SessionEnd::Limit(SessionLimit::Ownerless));
}

#[test]
fn an_ended_session_is_kept_for_the_ownerless_time_and_then_forgotten() {
    let mut session = limited("echo kept", |limits| limits.ownerless = Millis(600)).start();
    let seen = session.attach(0).read_to_end();
    assert_eq!(seen.text(), "kept\n");
    let again = session.attach(0).read_to_end();
    assert_eq!(again.text(), "kept\n");
    let left = Instant::now();
    session.gone();
    assert!(left.elapsed() >= Duration::from_millis(500));
    assert!(!session.dir().join("control.sock").exists());
    assert_eq!(session.end_record().end, SessionEnd::Exited { code: 0 });
}

#[test]
fn a_released_session_leaves_only_its_end_behind() {
    let session = Launch::shell("echo done").start();
    session.end_record();
    let dir = session.release();
    let left: Vec<_> = std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["end.json"]);
}

#[test]
fn a_running_session_cannot_be_released() {
    let session = Launch::shell("echo ready; read line; echo $line").stdio(capstan_types::launch::Stdio::Pipes).start();
    let mut client = session.attach(0);
    client.until("ready\n");
    client.send(&Request::Release);
    client.type_in("still here\n");
    assert_eq!(client.read_to_end().text(), "still here\n");
    client.send(&Request::Attach { version: VERSION, from: Seq(0), wants: Wants::default() });
    assert_eq!(client.read_to_end().text(), "ready\nstill here\n");
}
