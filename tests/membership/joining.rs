//! How one gets in, and the errors on the way.

use crate::house::{Member, Seat, audited};
use capstan_tests::capstan::{Capstan, Home};
use capstan_tests::process::Signal;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

fn no_file_of_others(dir: &Path) {
    for entry in fs::read_dir(dir).expect("a directory").map(|entry| entry.expect("an entry")) {
        let mode = entry.metadata().expect("it is there").permissions().mode();
        assert_eq!(mode & 0o077, 0, "{} can be read by others", entry.path().display());
        if entry.path().is_dir() {
            no_file_of_others(&entry.path());
        }
    }
}

#[test]
fn a_node_joins_once_and_comes_back_without_a_token() {
    let seat = Seat::new();
    let node = seat.node("far");
    let identity = node.home.path().join("identity");
    no_file_of_others(&identity);
    no_file_of_others(&seat.cluster_dir());
    let before = fs::read(identity.join("node.far/identity.pem")).expect("the identity is kept");
    node.running.send(Signal::Terminate);
    node.running.wait().assert_code(0);
    let node = Member::start(node.home, "far", &[]);
    assert!(node.running.stdout().contains("(generation 2)"));
    assert!(fs::read(identity.join("node.far/identity.pem")).expect("it is kept") == before);
    let list = Capstan::new(&seat.home).args(["cluster", "cert", "list"]).run();
    list.assert_code(0);
    assert!(list.stdout.contains("capstan://c1/node/far") && list.stdout.contains("capstan://c1/coordinator/seat"), "{list}");
    audited(&seat.home.path().join("identity/coordinator.seat/audit.jsonl"), &["issued", "node `far` joined with token"]);
}

/// What is said where something on the way is wrong.
#[test]
fn each_error_on_the_way_says_what_to_do() {
    let (seat, other) = (Seat::new(), Seat::new());
    let joined_with = |token: &str, address: &str, name: &str| {
        let home = Home::new();
        let words = ["node", "--name", name, "--listen", "https://127.0.0.1:0", "--join", token, address];
        let run = Capstan::new(&home).args(words).run();
        run.assert_code(2);
        assert!(!home.path().join(format!("identity/node.{name}/identity.pem")).exists(), "{run}");
        run.stderr.replace(&seat.address, "[SEAT]").replace(&other.address, "[OTHER]")
    };
    let mut all = String::new();
    let used = seat.token(&["--role", "node"]);
    let _first = Member::start(Home::new(), "first", &["--join", &used, &seat.address]);
    let revoked = seat.token(&["--role", "node"]);
    let id = revoked.split('.').nth(2).expect("an id");
    Capstan::new(&seat.home).args(["cluster", "token", "revoke", id]).run().assert_code(0);
    let expired = seat.token(&["--role", "node", "--ttl", "1ms"]);
    for (what, token, address, name) in [
        ("a token that was used", used.as_str(), &seat.address, "far"),
        ("a token that was revoked", &revoked, &seat.address, "far"),
        ("a token that has expired", &expired, &seat.address, "far"),
        ("a token for clients", &seat.token(&["--role", "client"]), &seat.address, "far"),
        ("a token for another name", &seat.token(&["--role", "node", "--name", "near"]), &seat.address, "far"),
        ("a token of another cluster", &other.token(&["--role", "node"]), &seat.address, "far"),
        ("no token", "nonsense", &seat.address, "far"),
        ("no address", &used, &"nonsense".to_owned(), "far"),
        ("nobody there", &used, &"127.0.0.1:1".to_owned(), "far"),
    ] {
        let _ = writeln!(all, "# {what}\n{}", joined_with(token, address, name));
    }
    let home = Home::new();
    for (what, words) in [
        ("a node without a certificate", ["node", "--name", "far", "--listen", "https://127.0.0.1:0"].as_slice()),
        ("a coordinator without a certificate", &["coordinator", "--listen", "https://127.0.0.1:0"]),
        ("a client without a certificate", &["threads", "list", "--coordinator", "https://127.0.0.1:1"]),
        ("a token without a cluster", &["cluster", "token", "create", "--role", "node"]),
        ("an unknown role", &["cluster", "token", "create", "--role", "admin"]),
        ("a time without a unit", &["cluster", "token", "create", "--role", "node", "--ttl", "15"]),
        ("a name that is none", &["cluster", "init", "--name", "C 1"]),
    ] {
        let run = Capstan::new(&home).args(words.iter().copied()).run();
        run.assert_code(2);
        let _ = writeln!(all, "# {what}\n{}", run.stderr.replace(&home.root().display().to_string(), "[ROOT]"));
    }
    Capstan::new(&home).args(["cluster", "init"]).run().assert_code(0);
    let again = Capstan::new(&home).args(["cluster", "init"]).run();
    let _ = writeln!(all, "# a second cluster\n{}", again.stderr.replace(&home.root().display().to_string(), "[ROOT]"));
    insta::assert_snapshot!(all);
}

#[test]
fn what_the_cluster_commands_print_is_as_it_was() {
    let home = Home::new();
    let mut all = String::new();
    for words in [
        ["cluster", "--help"].as_slice(),
        &["cluster", "init", "--help"],
        &["cluster", "token", "create", "--help"],
        &["cluster", "cert", "--help"],
        &["cluster", "join", "--help"],
        &["cluster", "init", "--name", "c1"],
        &["cluster", "token", "list"],
        &["cluster", "cert", "list"],
    ] {
        let run = Capstan::new(&home).args(words.iter().copied()).run();
        run.assert_code(0);
        let _ = writeln!(all, "$ capstan {}\n{}", words.join(" "), run.stdout);
    }
    insta::assert_snapshot!(all.replace(&home.root().display().to_string(), "[ROOT]"));
}
