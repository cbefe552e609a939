//! What the model asks for in each turn: a session that waits for its input, two commands with a patch between them, the input, a look.

use serde_json::{Value, json};
use std::fs;
use std::path::Path;

/// What each command writes into the file `log`, once.
pub(crate) const TOKENS: [&str; 3] = ["held", "first", "second"];

/// What the held session writes when it has its input.
pub(crate) const GOT: &str = "got hello";

/// The file that the patch adds, and its content.
pub(crate) const PATCHED: (&str, &str) = ("patched", "by the patch\n");

fn command(id: &str, cmd: &str) -> Value {
    json!({ "type": "call", "id": id, "tool": "exec_command", "arguments": { "cmd": cmd, "login": false, "yield_time_ms": 30_000 } })
}

fn step(expect: &Value, answer: &Value) -> Value {
    json!({ "expect": expect, "answer": answer, "usage": { "input_tokens": 10, "output_tokens": 1 } })
}

fn input(id: &str, chars: &str) -> Value {
    let arguments = json!({ "session_id": 1000, "chars": chars, "yield_time_ms": 1000 });
    json!({ "type": "call", "id": id, "tool": "write_stdin", "arguments": arguments })
}

/// Writes the script. What a step expects is what a model must have been told, whoever was killed.
pub(crate) fn write(path: &Path) {
    let wait = "echo held >> log; echo ready; read line; echo got $line >> log; echo bye";
    let arguments = json!({ "cmd": wait, "login": false, "stdin": true, "yield_time_ms": 250 });
    let held = json!({ "type": "call", "id": "held", "tool": "exec_command", "arguments": arguments });
    let patch = "*** Begin Patch\n*** Add File: patched\n+by the patch\n*** End Patch\n";
    let patch = json!({ "type": "call", "id": "patch", "tool": "apply_patch", "arguments": { "input": patch } });
    let says = |text: &str| json!({ "type": "message", "text": text });
    let contains = |id: &str, text: &str| json!({ "output_of": id, "contains": text });
    let steps = [
        step(&json!([]), &json!([says("I begin with a session that waits."), held])),
        step(
            &json!([contains("held", "session ID 1000")]),
            &json!([
                says("Two commands and a patch."),
                command("first", "echo first >> log; seq 100; sleep 0.1; seq 200"),
                patch,
                command("second", "cat patched; echo second >> log"),
            ]),
        ),
        step(
            &json!([
                contains("first", "Process exited with code 0\n"),
                contains("patch", "Success."),
                contains("second", "by the patch\n"),
            ]),
            &json!([input("tell", "hello\n")]),
        ),
        step(&json!([]), &json!([input("look", "")])),
        step(&json!([]), &json!([says("done")])),
    ];
    let text = json!({ "version": 1, "steps": steps }).to_string();
    fs::write(path, text).expect("the script can be written");
}

/// Writes a script whose first turn waits in a command until the file `go` is there; `turns` others follow, of one answer each.
pub(crate) fn write_waiting(path: &Path, turns: usize) {
    let wait = "echo began >> log; until [ -e go ]; do sleep 0.05; done; echo went >> log";
    let says = |text: &str| step(&json!([]), &json!([{ "type": "message", "text": text }]));
    let waited = json!([{ "output_of": "wait" }]);
    let done = step(&waited, &json!([{ "type": "message", "text": "done" }]));
    let first = [step(&json!([]), &json!([command("wait", wait)])), done];
    let steps: Vec<Value> = first.into_iter().chain((0..turns).map(|_| says("done"))).collect();
    fs::write(path, json!({ "version": 1, "steps": steps }).to_string()).expect("the script can be written");
}
