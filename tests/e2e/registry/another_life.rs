//! A node begins another life on another port while a thread on it is open: the thread goes on there, and so does its session.

use super::{Coordinator, Node, token};
use crate::scripted::{self, call, command, contains, says, step};
use capstan_tests::capstan::Home;
use capstan_tests::etcd::EtcdCluster;
use serde_json::json;
use std::fs;

#[test]
fn an_open_thread_follows_its_node_to_another_port() {
    let (etcd, here) = (EtcdCluster::start(1), Home::new());
    let token = token(here.root());
    let left = json!({ "cmd": "read line; echo heard $line", "login": false, "tty": true, "yield_time_ms": 250 });
    let input = json!({ "session_id": 1000, "chars": "words\n", "yield_time_ms": 30_000 });
    let steps = [
        step([], [call("left", "exec_command", &left)]),
        step([contains("left", "Process running with session ID 1000")], [says("Begun.")]),
        step([], [command("echo", "echo in the second life"), call("input", "write_stdin", &input)]),
        step([contains("echo", "in the second life\n"), contains("input", "heard words")], [says("Done.")]),
    ];
    let script = scripted::write(here.root(), &steps);
    let Node { home, running } = Node::start("one", &etcd, &token);
    let coordinator = Coordinator::start(&etcd, &token, &script, None);
    coordinator.until_it_knows(&["one"]);
    let work = here.root().join("work");
    fs::create_dir(&work).expect("a directory can be made");
    let first = coordinator.exec(&work).run();
    first.assert_code(0);
    let thread = first.lines()[0]["thread_id"].as_str().expect("a thread").to_owned();

    let place = |said: String| said.split_once("listens at ").expect("a node says where it listens").1.to_owned();
    let before = place(running.stdout());
    let _ = running.crash();
    let node = Node::again(home, "one", &etcd, &token);
    assert_ne!(place(node.running.stdout()), before, "it is on the same port by chance");
    let second = coordinator.resume(&work, &thread).run();
    second.assert_code(0);
    assert_eq!(second.final_message().as_deref(), Some("Done."), "{second}");
}
