//! A newcomer's way: a cluster, a node by its token, a label, a turn there, a drain; and what is said where a step is wrong.

use crate::house::{Member, SOON, Seat};
use crate::whole_path::script;
use capstan_tests::capstan::{Capstan, Home, Run};
use capstan_tests::etcd::EtcdCluster;
use capstan_tests::wait::until_true;
use serde_json::Value;
use std::fmt::Write as _;
use std::fs;

#[test]
fn a_newcomer_joins_a_node_labels_it_runs_there_and_drains_it() {
    let (etcd, here, client) = (EtcdCluster::start(1), Home::new(), Home::new());
    let script = script(here.root(), "pwd > here; echo there", "there");
    let seat = Seat::with("1h", &["--registry", &etcd.url(), "--script", &script]);
    let far = node(&seat, &etcd, "far");
    let near = node(&seat, &etcd, "near");
    let token = seat.token(&["--role", "client", "--name", "me"]);
    Capstan::new(&client).args(["cluster", "join", "--name", "me", &token, &seat.address]).run().assert_code(0);
    let at = format!("https://{}", seat.address);
    let does = |words: &[&str]| -> Run {
        Capstan::new(&client).args(words.iter().copied()).env("CAPSTAN_COORDINATOR", &at).env("USER", "ann").run()
    };
    until_true(SOON, "both nodes", || does(&["nodes", "list", "--no-headers"]).stdout.matches("  Ready").count() == 2);
    does(&["nodes", "label", "far", "zone=b"]).assert_code(0);
    let work = client.root().join("work");
    fs::create_dir(&work).expect("a directory");
    let words = ["-s", "workspace-write", "--selector", "zone=b", "--coordinator", &at, "-C"];
    let run = Capstan::exec(&client, "Look around.").args(words).arg(&work).run();
    run.assert_code(0);
    let command: Vec<Value> = run.items_of("command_execution");
    assert_eq!(command[0]["capstan"]["node"], "far", "{run}");
    assert_eq!(fs::read_to_string(work.join("here")).expect("it was there").trim(), work.display().to_string());
    let drain = does(&["nodes", "drain", "far", "--deadline", "1m"]);
    drain.assert_code(0);
    assert!(drain.stdout.ends_with("node far: drained; 0 sessions ended, 0 were cancelled\n"), "{drain}");
    // It keeps its orders when it is started anew.
    let Member { home, running, .. } = far;
    let _ = running.crash();
    let _far = Member::start(home, "far", &["--registry", &etcd.url()]);
    until_true(SOON, "a new life of the node", || {
        let list = does(&["nodes", "list", "far", "-o", "wide", "--no-headers"]).stdout;
        list.contains("Ready,Drained") && list.contains("zone=b*")
    });
    let nowhere = Capstan::exec(&client, "Look around.").args(words).arg(&work).run();
    nowhere.assert_code(2);
    assert!(nowhere.to_string().contains("1 is cordoned"), "{nowhere}");

    // Nobody but clients orders anything, and not without a certificate.
    let stranger = Capstan::new(&Home::new()).args(["nodes", "cordon", "far", "--coordinator", &at]).run();
    stranger.assert_code(2);
    let mut all = String::new();
    let mut tell = |what: &str, run: &Run| {
        run.assert_code(2);
        let said = run.stderr.replace(&seat.address, "[SEAT]").replace(&near.address, "[NEAR]");
        let _ = writeln!(all, "# {what}\n{said}");
    };
    tell("who is no member", &stranger);
    let taken = ["node", "--name", "other", "--listen", &format!("https://{}", near.address), "--join"].map(str::to_owned);
    let token = seat.token(&["--role", "node", "--name", "other"]);
    let words: Vec<String> = taken.into_iter().chain([token, seat.address.clone()]).collect();
    tell("a port that is taken", &Capstan::new(&Home::new()).args(words).run());
    let token = seat.token(&["--role", "coordinator", "--name", "second"]);
    let words = ["coordinator", "--name", "second", "--registry", "etcd://127.0.0.1:1", "--join", &token, &seat.address];
    tell("an etcd that is missing", &Capstan::new(&Home::new()).args(words).run());
    let words = ["nodes", "list", "--coordinator", &format!("https://{}", near.address)];
    tell("a certificate of somebody else", &Capstan::new(&client).args(words).run());
    tell("a node that is none", &does(&["nodes", "drain", "fra"]));
    tell("a label that is none", &does(&["nodes", "label", "far", "zo ne=b"]));
    tell("a taint that is none", &does(&["nodes", "taint", "far", "gpu=a100"]));
    insta::assert_snapshot!(all);
}

fn node(seat: &Seat, etcd: &EtcdCluster, name: &str) -> Member {
    let token = seat.token(&["--role", "node", "--name", name]);
    let home = Home::new();
    home.configure("[registry]\nlease_ttl_ms = 2000\n");
    Member::start(home, name, &["--join", &token, &seat.address, "--registry", &etcd.url()])
}
