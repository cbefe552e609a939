//! Threads that go on: resumed, forked, steered and queued, taken over, found, named, put away, exported and deleted, through the real
//! binary and the real stores.

mod asked;
mod found;
mod resumed;
mod steered;
mod taken_over;

use crate::stage::Stage;
use crate::stored::{Stored, StoredThread};
use capstan_tests::capstan::{Capstan, Home, Run};
use capstan_tests::responses_server::RecordedRequest;
use serde_json::Value;
use std::time::Duration;

/// How long anything may take on a busy machine.
const SOON: Duration = Duration::from_secs(30);

/// `capstan exec --json` with these words, in the workspace of a stage, which it may write.
fn exec(stage: &Stage, words: &[&str]) -> Capstan {
    let capstan = Capstan::new(&stage.home).args(["exec", "--json", "--skip-git-repo-check", "-s", "workspace-write"]);
    capstan.args(words.iter().copied()).env(Home::KEY_VARIABLE, Home::KEY).in_dir(&stage.workspace())
}

/// The same to its end, which must be a good one.
fn done(stage: &Stage, words: &[&str]) -> Run {
    let run = stage.run(exec(stage, words));
    run.assert_code(0);
    run
}

/// `capstan threads` with these words.
fn threads(home: &Home, words: &[&str]) -> Run {
    Capstan::new(home).arg("threads").args(words.iter().copied()).run()
}

fn thread_of(run: &Run) -> String {
    run.lines()[0]["thread_id"].as_str().unwrap_or_else(|| panic!("no thread: {run}")).to_owned()
}

fn stored(stage: &Stage, thread: &str) -> StoredThread {
    let all = Stored::read(&stage.home).threads;
    all.into_iter().find(|stored| stored.record.id.to_string() == thread).unwrap_or_else(|| panic!("there is no {thread}"))
}

/// What people said in a request, in order.
fn said(request: &RecordedRequest) -> Vec<String> {
    let users = request.input().iter().filter(|item| item["role"] == "user");
    let text = |item: &Value| match &item["content"] {
        Value::String(text) => text.clone(),
        parts => parts.as_array().into_iter().flatten().filter_map(|part| part["text"].as_str()).collect(),
    };
    users.map(text).collect()
}

/// What the developer said in a request, as one text.
fn told(request: &RecordedRequest) -> String {
    request.input().iter().filter(|item| item["role"] == "system" || item["role"] == "developer").map(Value::to_string).collect()
}

/// The ids of the threads that a list shows.
fn listed(run: &Run) -> Vec<String> {
    run.assert_code(0);
    let list: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("not JSON ({error}): {run}"));
    let threads = list["threads"].as_array().unwrap_or_else(|| panic!("no threads: {run}"));
    threads.iter().filter_map(|thread| thread["thread"].as_str()).map(str::to_owned).collect()
}
