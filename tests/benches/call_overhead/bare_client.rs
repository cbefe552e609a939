//! The baseline: a client that does what must be done and nothing else.
//!
//! It posts the history so far, reads the stream to its end, spawns what the answer calls, and posts again. It stores nothing, confines
//! nothing, shows nothing, and has one thread.

use serde_json::{Value, json};
use std::process::Stdio;

/// The argument that makes the benchmark's program play this role; the server's base URL follows it.
pub(crate) const ROLE: &str = "bare-client";

/// Runs the turn.
///
/// # Panics
/// When the server is not the one that the benchmark started.
pub(crate) fn run(base_url: &str) {
    // This HTTP client asks for a provider of cryptography when it is made, though nothing here is encrypted.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be made");
    runtime.block_on(turn(&format!("{base_url}/responses")));
}

async fn turn(url: &str) {
    let client = reqwest::Client::builder().no_proxy().build().expect("a client can be made");
    let mut input = vec![json!({"type": "message", "role": "user", "content": [{"type": "input_text", "text": "go"}]})];
    loop {
        let body = json!({"model": "scripted-model", "stream": true, "store": false, "input": input, "tools": []});
        let answer = client.post(url).json(&body).send().await.expect("the server answers");
        let stream = answer.text().await.expect("the stream can be read");
        let calls: Vec<Value> = stream.lines().filter_map(finished_call).collect();
        if calls.is_empty() {
            return;
        }
        for call in calls {
            let output = spawn(&call).await;
            let result = json!({"type": "function_call_output", "call_id": call["call_id"], "output": output});
            input.extend([call, result]);
        }
    }
}

fn finished_call(line: &str) -> Option<Value> {
    let event: Value = serde_json::from_str(line.strip_prefix("data: ")?).ok()?;
    let item = (event["type"] == "response.output_item.done").then(|| event["item"].clone())?;
    (item["type"] == "function_call").then_some(item)
}

async fn spawn(call: &Value) -> String {
    let arguments: Value = serde_json::from_str(call["arguments"].as_str().expect("arguments are text")).expect("they are JSON");
    let program = arguments["cmd"].as_str().expect("there is a command");
    #[expect(clippy::disallowed_methods, reason = "the baseline spawns by itself: that is what Capstan is compared with")]
    let mut shell = tokio::process::Command::new("bash");
    let output = shell.args(["-c", program]).stdin(Stdio::null()).output().await.expect("bash can be started");
    assert!(output.status.success(), "the command succeeds");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
