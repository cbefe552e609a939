//! What a run left: its output, its exit code, and the events it printed.

use serde_json::Value;
use std::fmt;
use std::process::ExitStatus;
use std::time::Duration;

/// A run that has ended.
#[derive(Debug, Clone)]
pub struct Run {
    /// How it ended.
    pub status: ExitStatus,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    /// How long it took.
    pub took: Duration,
}

impl Run {
    /// Every line of standard output as JSON.
    ///
    /// # Panics
    /// When a line is something else: a script that reads this output would break on it.
    #[must_use]
    pub fn lines(&self) -> Vec<Value> {
        let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("not JSON ({error}): {line}\n{self}"));
        self.stdout.lines().map(parse).collect()
    }

    /// The items that were completed, in order, without their ids.
    #[must_use]
    pub fn items(&self) -> Vec<Value> {
        let completed = self.lines().into_iter().filter(|line| line["type"] == "item.completed");
        completed.map(|mut line| line["item"].take()).collect()
    }

    /// The completed items of one type.
    #[must_use]
    pub fn items_of(&self, kind: &str) -> Vec<Value> {
        self.items().into_iter().filter(|item| item["type"] == kind).collect()
    }

    /// The types of all lines, for a look at the whole.
    #[must_use]
    pub fn kinds(&self) -> Vec<String> {
        let kind = |line: Value| match &line["item"]["type"] {
            Value::String(item) => format!("{} {item}", line["type"].as_str().unwrap_or_default()),
            _ => line["type"].as_str().unwrap_or_default().to_owned(),
        };
        self.lines().into_iter().map(kind).collect()
    }

    /// The text of the last message.
    #[must_use]
    pub fn final_message(&self) -> Option<String> {
        self.items_of("agent_message").last().and_then(|item| item["text"].as_str()).map(str::to_owned)
    }

    /// Why the turn failed, if it did.
    #[must_use]
    pub fn failure(&self) -> Option<String> {
        let failed = self.lines().into_iter().find(|line| line["type"] == "turn.failed");
        failed.and_then(|line| line["error"]["message"].as_str().map(str::to_owned))
    }

    /// Fails the test, with everything that was printed, unless the run ended with this code.
    ///
    /// # Panics
    /// When it ended otherwise.
    pub fn assert_code(&self, code: i32) {
        assert_eq!(self.status.code(), Some(code), "{self}");
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} after {:?}", self.status, self.took)?;
        writeln!(f, "--- standard output\n{}\n--- standard error\n{}", self.stdout, self.stderr)
    }
}
