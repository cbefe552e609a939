//! Script files for `--script`: what the scripted model says, and what the output of its calls must have been before it goes on. A run
//! that plays its script to the end has therefore really done what the script asked for.

use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

/// A call of `exec_command`, in a shell that reads no profile.
pub(crate) fn command(id: &str, cmd: &str) -> Value {
    // As long as it may be: the first compilation on a busy machine takes its time.
    call(id, "exec_command", &json!({ "cmd": cmd, "login": false, "yield_time_ms": 30_000 }))
}

/// A call of `exec_command` that is not waited for.
pub(crate) fn command_left_running(id: &str, cmd: &str) -> Value {
    call(id, "exec_command", &json!({ "cmd": cmd, "login": false, "yield_time_ms": 250 }))
}

/// A call of `apply_patch`.
pub(crate) fn patch(id: &str, patch: &str) -> Value {
    call(id, "apply_patch", &json!({ "input": patch }))
}

/// A call of any tool.
pub(crate) fn call(id: &str, tool: &str, arguments: &Value) -> Value {
    json!({ "type": "call", "id": id, "tool": tool, "arguments": arguments })
}

/// A message.
pub(crate) fn says(text: &str) -> Value {
    json!({ "type": "message", "text": text })
}

/// The output of a call must hold this text.
pub(crate) fn contains(id: &str, text: &str) -> Value {
    json!({ "output_of": id, "contains": text })
}

/// The output of a call must match this regular expression.
pub(crate) fn matches(id: &str, pattern: &str) -> Value {
    json!({ "output_of": id, "matches": pattern })
}

/// A command must have ended with this code.
pub(crate) fn exited(id: &str, code: i32) -> Value {
    contains(id, &format!("Process exited with code {code}\n"))
}

/// One answer of the model, after these expectations.
pub(crate) fn step<const E: usize, const A: usize>(expect: [Value; E], answer: [Value; A]) -> Value {
    json!({ "expect": expect.as_slice(), "answer": answer.as_slice(), "usage": { "input_tokens": 100, "output_tokens": 10 } })
}

/// Writes a script, and returns its path.
pub(crate) fn write(dir: &Path, steps: &[Value]) -> PathBuf {
    let path = dir.join("script.json");
    let text = serde_json::to_string_pretty(&json!({ "version": 1, "steps": steps })).expect("a script is JSON");
    fs::write(&path, text).expect("the script can be written");
    path
}
