//! A client, a second coordinator and a node, each a member by its own token: a turn runs, and no session can read a key.

use crate::house::{SOON, Seat};
use capstan_tests::capstan::{Capstan, Home};
use capstan_tests::wait::until;
use serde_json::{Value, json};
use std::fs;
use std::time::Duration;

pub(crate) fn script(dir: &std::path::Path, command: &str, expected: &str) -> String {
    let arguments = json!({ "cmd": command, "login": false, "yield_time_ms": 30_000 });
    let steps = json!([
        { "expect": [], "answer": [{ "type": "call", "id": "c1", "tool": "exec_command", "arguments": arguments }],
          "usage": { "input_tokens": 1, "output_tokens": 1 } },
        { "expect": [{ "output_of": "c1", "contains": expected }], "answer": [{ "type": "message", "text": "done" }],
          "usage": { "input_tokens": 1, "output_tokens": 1 } },
    ]);
    let path = dir.join("script.json");
    fs::write(&path, json!({ "version": 1, "steps": steps }).to_string()).expect("a file");
    path.display().to_string()
}

#[test]
fn a_turn_runs_over_three_hops_and_its_session_sees_no_key() {
    let seat = Seat::new();
    let node = seat.node("far");
    let (home, client) = (Home::new(), Home::new());
    let keys = [
        seat.cluster_dir().join("ca.key"),
        node.home.path().join("identity/node.far/identity.pem"),
        home.path().join("identity/coordinator.second/identity.pem"),
    ];
    let looks: Vec<String> = keys.iter().map(|key| format!("cat {} 2>/dev/null", key.display())).collect();
    let command = format!("({}; grep -l 'PRIVATE KEY' /proc/*/environ 2>/dev/null) | wc -c", looks.join("; "));
    let script = script(home.root(), &command, "\n0\n");
    let token = seat.token(&["--role", "coordinator"]);
    let at = format!("https://{}", node.address);
    let words = ["coordinator", "--name", "second", "--listen", "https://127.0.0.1:0", "--join", &token, &seat.address];
    let second = Capstan::new(&home).args(words).args(["--node", &at, "--script", &script]);
    let second = second.deadline(Duration::from_secs(300)).start();
    let address = until(SOON, "a second coordinator", || {
        second.stdout().lines().next().and_then(|line| line.split("https://").nth(1)).map(str::to_owned)
    });
    for key in &keys {
        assert!(key.exists(), "{} is not where it is looked for", key.display());
    }
    let token = seat.token(&["--role", "client", "--name", "me"]);
    Capstan::new(&client).args(["cluster", "join", "--name", "me", &token, &seat.address]).run().assert_code(0);
    let work = client.root().join("work");
    fs::create_dir(&work).expect("a directory");
    let at = format!("https://{address}");
    let exec = Capstan::exec(&client, "Look for keys.").args(["-s", "workspace-write", "--coordinator", &at]).in_dir(&work);
    let run = exec.run();
    run.assert_code(0);
    let command: Value = run
        .lines()
        .into_iter()
        .find(|line| line["item"]["type"] == "command_execution" && line["type"] == "item.completed")
        .expect("a command");
    assert_eq!(command["item"]["capstan"]["node"], "far", "{run}");
    // Somebody who is no member is told so.
    let stranger = Capstan::new(&Home::new()).args(["threads", "list", "--coordinator", &at]).run();
    stranger.assert_code(2);
    // The seat is for its own members as well: a client's certificate is no node's.
    let kept = fs::read_to_string(node.audit_file("far")).expect("a log");
    assert!(kept.contains("granted") && kept.contains("capstan://c1/coordinator/second"), "{kept}");
}
