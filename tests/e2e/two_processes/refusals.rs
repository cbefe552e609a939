//! What keeps two processes from working together, told in a sentence.

use super::{Node, exec, workspace};
use crate::bad_input::assert_told;
use crate::scripted::{says, step};
use capstan_tests::capstan::{Capstan, Home};
use std::fmt::Write as _;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// What an `exec` with these arguments is told.
fn told(arguments: &[&str], node: &Node) -> String {
    let client = Home::new();
    let run = exec(&client, &[step([], [says("done")])]).args(arguments.iter().copied()).run();
    run.assert_code(2);
    assert_told(&run);
    assert!(!client.path().join("node").exists(), "a node was embedded: {run}");
    let stored = crate::stored::Stored::read(&client);
    assert_eq!(stored.threads, [], "{run}");
    let said = run.stderr.replace(&node.home.root().display().to_string(), "[NODE]").replace(&node.address, "[ADDRESS]");
    said.replace(&client.root().display().to_string(), "[ROOT]")
}

fn token(path: &Path, text: &str, mode: u32) -> String {
    fs::write(path, text).expect("a file can be written");
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("the file is ours");
    path.display().to_string()
}

#[test]
fn a_client_that_may_not_or_cannot_reach_the_node_is_told_why() {
    let node = Node::listening("127.0.0.1:0");
    let root = node.home.root().to_owned();
    let good = fs::read_to_string(node.token_file.as_ref().expect("there is a token")).expect("the token can be read");
    let wrong = token(&root.join("wrong"), "0123456789abcdef0123456789abcdef\n", 0o600);
    let open = token(&root.join("open"), &good, 0o644);
    let short = token(&root.join("short"), "abc\n", 0o600);
    let missing = root.join("missing").display().to_string();
    let no_socket = format!("unix://{}/no.sock", root.display());
    let mut all = String::new();
    for (what, arguments) in [
        ("a wrong token", ["--node", &node.address, "--node-token-file", &wrong].as_slice()),
        ("no token", &["--node", &node.address]),
        ("a token that others may read", &["--node", &node.address, "--node-token-file", &open]),
        ("a token that is too short", &["--node", &node.address, "--node-token-file", &short]),
        ("a missing token", &["--node", &node.address, "--node-token-file", &missing]),
        ("nothing that listens", &["--node", "127.0.0.1:1", "--node-token-file", &wrong]),
        ("no socket", &["--node", &no_socket]),
    ] {
        let _ = writeln!(all, "# {what}\n{}", told(arguments, &node));
    }
    insta::assert_snapshot!(all);
    assert!(!all.contains(good.trim()));
}

#[test]
fn a_node_that_cannot_serve_says_why() {
    let mut all = String::new();
    for (what, listen, more) in [
        ("all the world", "0.0.0.0:0", [].as_slice()),
        ("a token that others may read", "127.0.0.1:0", &["--token-file", "open"]),
        ("a token that is too short", "127.0.0.1:0", &["--token-file", "short"]),
        ("a token in no directory", "127.0.0.1:0", &["--token-file", "no/such/token"]),
        ("a socket in no directory", "unix:///no/such/node.sock", &[]),
        ("a port that is not ours", "127.0.0.1:99999", &[]),
    ] {
        let home = Home::new();
        fs::create_dir(workspace(&home)).expect("a directory can be made");
        token(&workspace(&home).join("open"), "0123456789abcdef0123456789abcdef\n", 0o644);
        token(&workspace(&home).join("short"), "abc\n", 0o600);
        let node = Capstan::new(&home).args(["node", "--name", "far", "--listen", listen]).args(more.iter().copied());
        let run = node.in_dir(&workspace(&home)).run();
        run.assert_code(2);
        assert_told(&run);
        let _ = writeln!(all, "# {what}\n{}", run.stderr.replace(&home.root().display().to_string(), "[ROOT]"));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn a_second_node_in_the_same_place_is_refused() {
    let first = Node::listening("127.0.0.1:0");
    let second = Capstan::new(&first.home).args(["node", "--name", "far", "--listen", "127.0.0.1:0"]).run();
    second.assert_code(2);
    assert_told(&second);
    let said = second.stderr.replace(&first.home.root().display().to_string(), "[NODE]");
    insta::assert_snapshot!(said);
    let again = Capstan::new(&first.home).args(["node", "--name", "other", "--listen", &first.address]).run();
    again.assert_code(2);
    assert_told(&again);
    assert!(again.stderr.contains("in use"), "{again}");
}

#[test]
fn a_workspace_that_the_node_does_not_have_is_told() {
    let node = Node::listening("unix://[ROOT]/node.sock");
    let said = told(&["--node", &node.address, "-C", "/no/such/place"], &node);
    insta::assert_snapshot!(said);
}
