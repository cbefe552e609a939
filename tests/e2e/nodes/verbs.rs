//! What operators order holds wherever it is looked at, outlives the node, and is refused with a sentence where it makes no sense.

use super::{Fleet, SOON, waiting};
use capstan_tests::capstan::Capstan;
use capstan_tests::process::Signal;
use capstan_tests::wait;
use std::fs;

#[test]
fn labels_and_taints_of_operators_place_work_and_outlive_node_and_coordinator() {
    let mut fleet = Fleet::start(&["a", "b"], None, &waiting(), &[None]);
    fs::write(fleet.work().join("go"), "").expect("a file can be written");
    assert_eq!(
        fleet.does(&["nodes", "label", "a", "zone=x", "disk=ssd"]),
        "node a: label zone is x now\nnode a: label disk is ssd now\n"
    );
    assert_eq!(fleet.does(&["nodes", "taint", "b", "gpu:NoSchedule"]), "node b: taint gpu:NoSchedule is set\n");
    assert_eq!(fleet.does(&["nodes", "list", "-l", "zone=x", "-o", "name"]), "node/a\n");
    let placed = |words: &[&str]| fleet.exec(0, words).run().items_of("command_execution")[0]["capstan"]["node"].clone();
    for _ in 0..3 {
        assert_eq!(placed(&[]), "a", "a taint keeps work away");
    }
    assert_eq!(placed(&["--selector", "zone!=x", "--toleration", "gpu"]), "b");
    // The others' word, by the same names.
    assert_eq!(fleet.does(&["nodes", "cordon", "a", "--reason", "disks"]), "node a: cordoned\n");
    assert_eq!(fleet.does(&["nodes", "cordon", "a"]), "node a is closed already\n");
    fleet.restart_node(0);
    fleet.restart_seat(0);
    wait::until_true(SOON, "both nodes", || fleet.does(&["nodes", "list", "--no-headers"]).matches("Ready").count() == 2);
    let status = fleet.status("a");
    assert_eq!(status["labels"], serde_json::json!({ "zone": "x", "disk": "ssd" }));
    assert_eq!((&status["closed"]["how"], &status["closed"]["reason"]), (&"cordoned".into(), &"disks".into()));
    let events = fleet.does(&["events", "a", "-o", "json"]);
    assert!(events.contains("\"event\":\"cordoned\"") && events.contains("\"by\":\"ann (uid "), "{events}");
    // A node that is gone stays known by what is ordered for it.
    let running = fleet.nodes[0].running.take().expect("it runs");
    running.send(Signal::Terminate);
    running.wait().assert_code(0);
    wait::until_true(SOON, "a node that is gone", || fleet.does(&["nodes", "list"]).contains("a     Absent,Cordoned"));
    assert_eq!(
        fleet.does(&["nodes", "label", "a", "zone-", "disk-"]),
        "node a: label zone is gone\nnode a: label disk is gone\n"
    );
    assert_eq!(fleet.does(&["nodes", "uncordon", "a", "b"]), "node a: uncordoned\nnode b is open already\n");
    assert_eq!(fleet.does(&["nodes", "list", "-o", "name"]), "node/b\n");
}

#[test]
fn what_cannot_be_ordered_is_refused_with_a_sentence() {
    let fleet = Fleet::start(&["a"], None, &waiting(), &[None]);
    fleet.does(&["nodes", "label", "a", "zone=x"]);
    let mut all = String::new();
    for words in [
        ["nodes", "list", "b"].as_slice(),
        &["nodes", "list", "A b"],
        &["nodes", "list", "-l", "zone=="],
        &["nodes", "list", "-o", "xml"],
        &["nodes", "cordon"],
        &["nodes", "cordon", "b"],
        &["nodes", "cordon", "-l", "zone=y"],
        &["nodes", "cordon", "a", "-l", "zone=x"],
        &["nodes", "label", "a"],
        &["nodes", "label", "a", "zo ne=x"],
        &["nodes", "label", "a", "zone=y"],
        &["nodes", "label", "a", "nope-"],
        &["nodes", "taint", "a", "gpu=a100"],
        &["nodes", "taint", "a", "gpu:Never"],
        &["nodes", "taint", "a", "gpu-"],
        &["nodes", "drain"],
        &["nodes", "drain", "b"],
        &["nodes", "drain", "a", "--force"],
        &["nodes", "drain", "a", "--deadline", "soon"],
        &["nodes", "drain", "a", "--deadline", "1s", "--force", "--wait"],
        &["nodes", "describe"],
        &["events", "--since", "yesterday"],
        &["events", "B b"],
    ] {
        let run = fleet.capstan(words);
        let code = run.status.code().unwrap_or(-1);
        all.push_str(&format!("$ capstan {}\n{}exit {code}\n\n", words.join(" "), run.stderr));
    }
    let alone = Capstan::new(&fleet.here).args(["nodes", "list"]).run();
    alone.assert_code(2);
    all.push_str(&format!(
        "$ capstan nodes list, without a coordinator\n{}",
        alone.stderr.replace(&fleet.here.path().display().to_string(), "[HOME]")
    ));
    insta::assert_snapshot!(all);
    assert!(fleet.status("a")["closed"].is_null(), "something was ordered after all");
}

#[test]
fn a_local_node_obeys_orders_too_and_they_outlive_its_coordinator() {
    let home = capstan_tests::capstan::Home::new();
    let start = || {
        let running = Capstan::new(&home).arg("coordinator").deadline(std::time::Duration::from_secs(300)).start();
        super::until_it_says(&running, "coordinator listens at ");
        running
    };
    let does = |words: &[&str]| {
        let run = Capstan::new(&home).args(words.iter().copied()).run();
        run.assert_code(0);
        run.stdout
    };
    let running = start();
    does(&["nodes", "label", "local", "zone=here"]);
    does(&["nodes", "cordon", "local"]);
    running.send(Signal::Terminate);
    running.wait().assert_code(0);
    let _running = start();
    let listed = does(&["nodes", "list", "-l", "zone=here", "--no-headers"]);
    assert!(listed.starts_with("local  Ready,Cordoned  0/"), "{listed}");
}
