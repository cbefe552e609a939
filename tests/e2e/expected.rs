//! The lines that `--json` should print, and the lines it printed without what differs from run to run.

use capstan_tests::capstan::Run;
use serde_json::{Value, json};

/// What a run printed. The thread's id is named, and of what we tell about a command beyond Codex's fields its end and reason are kept,
/// once the rest was found to be there.
pub(crate) fn told(run: &Run) -> Vec<Value> {
    run.lines().into_iter().map(settled).collect()
}

fn settled(mut line: Value) -> Value {
    if let Some(id) = line.get_mut("thread_id") {
        assert!(id.as_str().is_some_and(|id| id.len() == 36), "not a thread's id: {id}");
        *id = json!("THREAD");
    }
    if line["item"]["type"] == "command_execution" {
        let extras = line["item"]["capstan"].take();
        let ran = !extras["end"].is_null();
        assert_eq!(extras["node"], "local", "{extras}");
        assert!(!ran || (extras["duration_ms"].is_u64() && extras["enforced"].is_object()), "{extras}");
        line["item"]["capstan"] = json!({"end": extras["end"], "reason": extras["reason"]});
    }
    let ends_turn = line["type"].as_str().is_some_and(|kind| kind == "turn.completed" || kind == "turn.failed");
    if let Some(spending) = line.as_object_mut().filter(|_| ends_turn).and_then(|line| line.remove("capstan")) {
        assert!(spending["turn"]["cost_usd"].is_string() && spending["thread"]["cost_usd"].is_string(), "{spending}");
    }
    line
}

/// The lines of one turn, in order.
#[derive(Default)]
pub(crate) struct Turn {
    lines: Vec<Value>,
    items: usize,
}

impl Turn {
    /// A thread and a turn that have begun.
    pub(crate) fn begun() -> Self {
        let lines = vec![json!({"type": "thread.started", "thread_id": "THREAD"}), json!({"type": "turn.started"})];
        Self { lines, items: 0 }
    }

    /// A failed try, after which there is another.
    pub(crate) fn again(self, attempt: u32, of: u32, reason: &str) -> Self {
        self.line(json!({"type": "error", "message": format!("Reconnecting... {attempt}/{of} ({reason})")}))
    }

    /// A message.
    pub(crate) fn message(self, text: &str) -> Self {
        self.whole(json!({"type": "agent_message", "text": text}))
    }

    /// A summary of reasoning.
    pub(crate) fn reasoning(self, text: &str) -> Self {
        self.whole(json!({"type": "reasoning", "text": text}))
    }

    /// A command that ran to its end, with nothing between its start and that.
    pub(crate) fn command(self, command: &str, output: &str, code: i32) -> Self {
        let number = self.items;
        self.command_started(command).command_exited(number, command, output, code)
    }

    /// A command that begins to run.
    pub(crate) fn command_started(self, command: &str) -> Self {
        let item = execution(command, "", &Value::Null, "in_progress", &Value::Null, &Value::Null);
        let number = self.items;
        Self { items: number + 1, ..self }.item("item.started", number, item)
    }

    /// The end of a command that exited.
    pub(crate) fn command_exited(self, number: usize, command: &str, output: &str, code: i32) -> Self {
        let status = if code == 0 { "completed" } else { "failed" };
        let end = json!({"exited": {"code": code}});
        self.item("item.completed", number, execution(command, output, &json!(code), status, &end, &Value::Null))
    }

    /// The end of a command in another way.
    pub(crate) fn command_ended(
        self,
        number: usize,
        command: &str,
        output: &str,
        code: &Value,
        end: &Value,
        reason: &str,
    ) -> Self {
        self.item("item.completed", number, execution(command, output, code, "failed", end, &json!(reason)))
    }

    /// A command for which nothing was started.
    pub(crate) fn command_not_run(self, command: &str, status: &str, reason: &str) -> Self {
        let number = self.items;
        let item = execution(command, "", &Value::Null, status, &Value::Null, &json!(reason));
        self.command_started(command).item("item.completed", number, item)
    }

    /// A patch: its changes, and how it ended.
    pub(crate) fn change(self, changes: &Value, status: &str, reason: Option<&str>) -> Self {
        let number = self.items;
        let mut end = json!({"type": "file_change", "changes": changes, "status": status});
        if let Some(reason) = reason {
            end["capstan"] = json!({"reason": reason});
        }
        let started = json!({"type": "file_change", "changes": changes, "status": "in_progress"});
        Self { items: number + 1, ..self }.item("item.started", number, started).item("item.completed", number, end)
    }

    /// The end of a turn that took so many answers of the usual usage.
    pub(crate) fn completed_after(self, answers: u64) -> Vec<Value> {
        self.completed(&json!({
            "input_tokens": 100 * answers, "cached_input_tokens": 40 * answers, "cache_write_input_tokens": 0,
            "output_tokens": 10 * answers, "reasoning_output_tokens": 3 * answers,
        }))
    }

    /// The end of a turn with this usage.
    pub(crate) fn completed(self, usage: &Value) -> Vec<Value> {
        self.line(json!({"type": "turn.completed", "usage": usage})).lines
    }

    /// The end of a turn that failed.
    pub(crate) fn failed(self, message: &str) -> Vec<Value> {
        let error = json!({"type": "error", "message": message});
        self.line(error).line(json!({"type": "turn.failed", "error": {"message": message}})).lines
    }

    fn whole(self, item: Value) -> Self {
        let number = self.items;
        Self { items: number + 1, ..self }.item("item.completed", number, item)
    }

    fn item(self, kind: &str, number: usize, mut item: Value) -> Self {
        item["id"] = json!(format!("item_{number}"));
        self.line(json!({"type": kind, "item": item}))
    }

    fn line(mut self, line: Value) -> Self {
        self.lines.push(line);
        self
    }
}

fn execution(command: &str, output: &str, code: &Value, status: &str, end: &Value, reason: &Value) -> Value {
    json!({
        "type": "command_execution", "command": command, "aggregated_output": output, "exit_code": code, "status": status,
        "capstan": {"end": end, "reason": reason},
    })
}
