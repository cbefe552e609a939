//! A node begins another life while a thread on it is open: what the thread asks from then on is asked of that life.

use crate::house::{SOON, Seat};
use capstan_tests::capstan::{Capstan, Home};
use capstan_tests::wait::until_true;
use serde_json::{Value, json};
use std::fs;
use std::time::Duration;

fn call(id: &str, tool: &str, arguments: &Value) -> Value {
    json!({ "type": "call", "id": id, "tool": tool, "arguments": arguments })
}

fn step(expect: &[Value], answer: &[Value]) -> Value {
    json!({ "expect": expect, "answer": answer, "usage": { "input_tokens": 1, "output_tokens": 1 } })
}

fn contains(id: &str, text: &str) -> Value {
    json!({ "output_of": id, "contains": text })
}

#[test]
fn an_open_thread_goes_on_with_the_next_life_of_its_node_and_so_do_its_sessions() {
    let seat = Seat::new();
    let node = seat.node("far");
    let home = Home::new();
    let work = home.root().join("work");
    fs::create_dir(&work).expect("a directory");
    let left = json!({ "cmd": "read line; echo heard $line", "login": false, "tty": true, "yield_time_ms": 250 });
    let echo = json!({ "cmd": "echo in the second life", "login": false, "yield_time_ms": 30_000 });
    let input = json!({ "session_id": 1000, "chars": "words\n", "yield_time_ms": 30_000 });
    let patch = json!({ "input": "*** Begin Patch\n*** Add File: made\n+new\n*** End Patch" });
    let done = [json!({ "type": "message", "text": "done" })];
    let steps = [
        step(&[], &[call("left", "exec_command", &left)]),
        step(&[contains("left", "Process running with session ID 1000")], &done),
        step(
            &[],
            &[call("echo", "exec_command", &echo), call("input", "write_stdin", &input), call("patch", "apply_patch", &patch)],
        ),
        step(&[contains("echo", "in the second life\n"), contains("input", "heard words"), contains("patch", "A made")], &done),
    ];
    let script = home.root().join("script.json");
    fs::write(&script, json!({ "version": 1, "steps": steps }).to_string()).expect("a file");
    let token = seat.token(&["--role", "coordinator"]);
    let at = format!("https://{}", node.address);
    let second = Capstan::new(&home).args(["coordinator", "--name", "second", "--join", &token, &seat.address, "--node", &at]);
    let second = second.arg("--script").arg(&script).deadline(Duration::from_secs(300)).start();
    let socket = home.path().join("coordinator.sock");
    until_true(SOON, "a second coordinator", || second.stdout().contains("listens at"));

    let at = format!("unix://{}", socket.display());
    let exec = |words: &[&str]| {
        let exec = Capstan::new(&home).args(["exec", "--json", "--skip-git-repo-check", "-m", "scripted", "--coordinator", &at]);
        exec.args(["-s", "workspace-write"]).args(words.iter().copied()).in_dir(&work).run()
    };
    let first = exec(&["Begin."]);
    first.assert_code(0);
    let thread = first.lines()[0]["thread_id"].as_str().expect("a thread").to_owned();

    let _node = node.killed_and_started_again("far");
    let second = exec(&["resume", &thread, "Go on."]);
    second.assert_code(0);
    assert_eq!(second.final_message().as_deref(), Some("done"), "{second}");
}
