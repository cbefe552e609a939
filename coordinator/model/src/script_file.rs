//! The script of a scripted model: recorded answers, and what must have happened before each.
//!
//! ```json
//! {
//!   "version": 1,
//!   "steps": [
//!     {
//!       "answer": [
//!         { "type": "reasoning", "text": "I look first." },
//!         { "type": "call", "id": "call_1", "tool": "exec_command", "arguments": { "cmd": "ls" } }
//!       ]
//!     },
//!     {
//!       "expect": [{ "output_of": "call_1", "contains": "Cargo.toml" }],
//!       "answer": [{ "type": "message", "text": "It is a Rust project." }],
//!       "usage": { "input_tokens": 120, "output_tokens": 7 },
//!       "delay_ms": 50
//!     }
//!   ]
//! }
//! ```
//!
//! A step is one answer of the model. `expect` says what the output of an earlier call must be, by `equals`, `contains` or `matches` (a
//! regular expression, searched for); with none of them, that there is one. A script thereby proves that its tools really ran.
//! `arguments` are an object, or text to be handed over as it is, valid or not. The same can be written as JSON lines: `{"version": 1}`,
//! then one step per line.

use capstan_types::history::{Entry, Usage};
use regex::Regex;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

mod parse;
mod part;

pub use part::{Expectation, Matcher, Part};

/// A checked script: every call has a name of its own, and what is expected can come about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    steps: Vec<ScriptStep>,
}

/// One answer of the model.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScriptStep {
    /// What must have happened.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expect: Vec<Expectation>,
    /// What the model says; never empty.
    pub answer: Vec<Part>,
    /// The tokens that it is said to have used.
    #[serde(default, with = "part::usage", skip_serializing_if = "part::usage::is_none")]
    pub usage: Usage,
    /// How long it thinks, in milliseconds, at most [`Script::LONGEST_DELAY_MS`].
    #[serde(default, skip_serializing_if = "is_zero")]
    pub delay_ms: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// A file that is no script.
#[derive(Debug, thiserror::Error)]
pub enum ScriptError {
    /// It cannot be read.
    #[error("cannot read the script {path}: {source}")]
    Unreadable {
        /// The file.
        path: String,
        /// Why not.
        source: io::Error,
    },
    /// It is not what it should be.
    #[error("the script {path} is malformed at line {line}, column {column}: {reason}")]
    Malformed {
        /// The file.
        path: String,
        /// Where, from 1.
        line: usize,
        /// Where, from 1.
        column: usize,
        /// What is wrong, and what is expected.
        reason: String,
    },
    /// There is nothing to answer with.
    #[error("the script {path} is malformed: there are no steps; give at least one with an `answer`")]
    Empty {
        /// The file.
        path: String,
    },
    /// Its steps do not fit together.
    #[error("the script {path} is malformed in step {step}: {reason}")]
    Inconsistent {
        /// The file.
        path: String,
        /// Which step, from 1.
        step: usize,
        /// What is wrong.
        reason: String,
    },
}

impl Script {
    /// The longest delay of a step: ten minutes.
    pub const LONGEST_DELAY_MS: u64 = 600_000;

    /// The longest file, in bytes: 64 MiB.
    pub const LONGEST_FILE: u64 = 64 << 20;

    /// Reads a script from its file.
    ///
    /// # Errors
    /// The file is no regular one, is longer than [`Script::LONGEST_FILE`], cannot be read, or is no script.
    pub fn open(path: &Path) -> Result<Self, ScriptError> {
        let name = path.display().to_string();
        let text = text(path).map_err(|source| ScriptError::Unreadable { path: name.clone(), source })?;
        Self::parse(&text, &name)
    }

    /// Reads a script from its text. The name is for errors.
    ///
    /// # Errors
    /// The text is no script.
    pub fn parse(text: &str, name: &str) -> Result<Self, ScriptError> {
        let script = Self { steps: parse::steps(text, name)? };
        if script.steps.is_empty() {
            return Err(ScriptError::Empty { path: name.to_owned() });
        }
        match script.fault() {
            None => Ok(script),
            Some((step, reason)) => Err(ScriptError::Inconsistent { path: name.to_owned(), step: step + 1, reason }),
        }
    }

    /// A script from its steps, as they are.
    #[must_use]
    pub(crate) const fn of(steps: Vec<ScriptStep>) -> Self {
        Self { steps }
    }

    /// Its steps.
    #[must_use]
    pub fn steps(&self) -> &[ScriptStep] {
        &self.steps
    }

    /// Its text, as a file holds it.
    pub(crate) fn to_text(&self) -> Result<String, serde_json::Error> {
        let file = serde_json::json!({ "version": parse::VERSION, "steps": self.steps });
        serde_json::to_string_pretty(&file).map(|text| text + "\n")
    }

    fn fault(&self) -> Option<(usize, String)> {
        let mut ids: Vec<&str> = Vec::new();
        for (place, step) in self.steps.iter().enumerate() {
            if let Some(reason) = step.fault(&ids) {
                return Some((place, reason));
            }
            for id in step.calls() {
                if ids.contains(&id) {
                    return Some((place, format!("the call id `{id}` is used twice; give each call its own")));
                }
                ids.push(id);
            }
        }
        None
    }
}

/// The file's text. A pipe is not waited for, and a device without an end is not read.
fn text(path: &Path) -> io::Result<String> {
    // Before it is opened, which is what waits for a pipe's writer.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut text = String::new();
    let bytes = File::open(path)?.take(Script::LONGEST_FILE + 1).read_to_string(&mut text)?;
    if bytes as u64 > Script::LONGEST_FILE { Err(io::Error::other("it has more than 64 MiB")) } else { Ok(text) }
}

impl ScriptStep {
    fn calls(&self) -> impl Iterator<Item = &str> {
        self.answer.iter().filter_map(|part| match part {
            Part::Call { id, .. } => Some(id.as_str()),
            Part::Message { .. } | Part::Reasoning { .. } => None,
        })
    }

    fn fault(&self, earlier: &[&str]) -> Option<String> {
        if self.answer.is_empty() {
            return Some("its `answer` is empty; give a message or a call".to_owned());
        }
        if self.delay_ms > Script::LONGEST_DELAY_MS {
            return Some(format!("its `delay_ms` is longer than {}", Script::LONGEST_DELAY_MS));
        }
        let unknown = self.expect.iter().find(|expected| !earlier.contains(&expected.output_of.as_str()))?;
        Some(format!("it expects the output of `{}`, but no earlier step makes that call", unknown.output_of))
    }

    /// The answer as entries of a history.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        self.answer.iter().map(Part::entry).collect()
    }
}

#[cfg(test)]
mod tests;
