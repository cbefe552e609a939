//! What cannot be used is told in a sentence, with exit code 2.

use super::{Node, token};
use capstan_tests::capstan::{Capstan, Home, Run};
use capstan_tests::etcd::EtcdCluster;

fn told(home: &Home, words: &[&str]) -> Run {
    let run = Capstan::new(home).args(words.iter().copied()).run();
    run.assert_code(2);
    assert_eq!(run.stderr.lines().filter(|line| line.starts_with("error: ")).count(), 1, "{run}");
    run
}

#[test]
fn an_etcd_that_is_not_there_is_named() {
    let home = Home::new();
    for words in [
        &["node", "--name", "n", "--listen", "127.0.0.1:0", "--registry", "etcd://127.0.0.1:1"][..],
        &["coordinator", "--registry", "etcd://127.0.0.1:1"],
    ] {
        let run = told(&home, words);
        assert!(run.stderr.contains("the registry (etcd at http://127.0.0.1:1) does not answer"), "{run}");
        assert!(run.stderr.contains("is etcd running, and is its address right?"), "{run}");
    }
}

#[test]
fn a_name_that_another_node_has_is_told() {
    let (etcd, here) = (EtcdCluster::start(1), Home::new());
    let node = Node::start("one", &etcd, &token(here.root()));
    let run = told(&here, &["node", "--name", "one", "--listen", "127.0.0.1:0", "--registry", &etcd.url()]);
    assert!(run.stderr.contains("node one is already registered as generation 1"), "{run}");
    drop(node);
}

#[test]
fn words_that_do_not_go_together_are_told() {
    let home = Home::new();
    let said = told(&home, &["node", "--listen", "127.0.0.1:0", "--registry", "127.0.0.1:2379"]).stderr;
    assert!(said.contains("--registry: `127.0.0.1:2379` is no endpoint of etcd"), "{said}");
    let said = told(&home, &["coordinator", "--registry", "etcd://a", "--node", "127.0.0.1:1"]).stderr;
    assert!(said.contains("--registry"), "{said}");
    let said = told(&home, &["coordinator", "--node-token-file", "/dev/null"]).stderr;
    assert!(said.contains("token"), "{said}");
    home.configure("[registry]\nendpoints = [\"127.0.0.1:2379\"]\nmood = 1\n");
    let said = told(&home, &["coordinator"]).stderr;
    assert!(said.contains("registry.mood") && said.contains("the key is not known"), "{said}");
    home.configure("[registry]\nendpoints = [\"127.0.0.1:2379\"]\n");
    let said = told(&home, &["coordinator", "--node", "127.0.0.1:1"]).stderr;
    assert!(said.contains("the registry that is configured finds them"), "{said}");
}
