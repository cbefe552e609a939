//! The connection is cut again and again.

use super::proxy::Proxy;
use super::{Daemon, SOON, exec, workspace};
use crate::scripted::{command, contains, says, step, write};
use crate::two_processes::settled;
use capstan_tests::capstan::{Capstan, Home};
use capstan_tests::wait;
use serde_json::Value;
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Calls that each wait for a cut of their own.
const CALLS: u32 = 11;

/// What the call of that number waits for.
fn cut_file(daemon: &Daemon, number: u32) -> PathBuf {
    daemon.file(&format!("cut-{number}"))
}

fn steps() -> Vec<Value> {
    let mut steps = vec![step([], [says("I begin."), command("call_0", "seq 300")])];
    for number in 1..=CALLS {
        let before = format!("call_{}", number - 1);
        let run = format!("echo {number} >> log; until test -e cut-{number}; do sleep 0.02; done; seq 300");
        let next = command(&format!("call_{number}"), &run);
        steps.push(step([contains(&before, "300")], [says(&format!("Step {number}.")), next]));
    }
    steps.push(step([contains(&format!("call_{CALLS}"), "300")], [says("done")]));
    steps
}

#[test]
fn however_often_the_connection_is_cut_every_event_is_told_once() {
    let home = Home::new();
    fs::create_dir(workspace(&home)).expect("a directory can be made");
    write(home.root(), &steps());
    let daemon = Daemon::start(home, &["--listen", "127.0.0.1:0"]);
    let address: SocketAddr = daemon.places[1].trim_start_matches("http://").parse().expect("an address");
    let token = daemon.token_file.clone().expect("there is a token");
    let over = |place: String| -> Capstan {
        exec(&daemon.home).args(["--coordinator", &place]).arg("--coordinator-token-file").arg(token.clone())
    };
    (1..=CALLS).for_each(|number| fs::write(cut_file(&daemon, number), "").expect("it can be written"));
    let whole = over(address.to_string()).run();
    whole.assert_code(0);
    (1..=CALLS).for_each(|number| fs::remove_file(cut_file(&daemon, number)).expect("it was written"));
    fs::remove_file(daemon.file("log")).expect("it was written");
    let proxy = Proxy::before(address);
    let client = over(proxy.address.to_string()).start();
    // Once it has been let in: before that a cut is a coordinator that does not answer.
    client.until_line("a thread", |line| line["type"] == "thread.started");
    let (mut cuts, mut last) = (0, Instant::now());
    wait::until_true(SOON * 4, "the last event", || {
        if last.elapsed() >= Duration::from_millis(40) {
            (cuts, last) = (cuts + u32::from(proxy.cut() > 0), Instant::now());
            if (1..=CALLS).contains(&cuts) {
                fs::write(cut_file(&daemon, cuts), "").expect("it can be written");
            }
        }
        client.stdout().contains("\"turn.completed\"")
    });
    let run = client.wait();
    run.assert_code(0);
    assert!(cuts >= CALLS, "only {cuts} cuts");
    let lines = |run: &capstan_tests::capstan::Run| settled(run.lines(), daemon.home.root());
    assert_eq!(lines(&run), lines(&whole), "{run}");
    let log = fs::read_to_string(daemon.file("log")).expect("it was written");
    assert_eq!(log.lines().count(), 11, "a call ran twice: {log}");
}
