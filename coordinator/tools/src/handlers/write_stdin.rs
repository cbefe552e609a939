//! `write_stdin`: speaks to a session that runs on, or looks at what it wrote.

use super::exec_command::YIELD;
use super::tell::{Telling, tell};
use crate::arguments::{self, WaitRange};
use crate::effects::Effects;
use crate::fault::ToolFault;
use crate::format::output_budget;
use crate::handler::{BadCall, Effect, Handler, Prepared, not_started};
use crate::host::{HostError, Input as Then};
use crate::invocation::{CallContext, CallResult};
use crate::sessions::{LiveSession, Patience};
use crate::spec::ToolSpec;
use async_trait::async_trait;
use capstan_types::call::{Call, Outcome, ReplayClass};
use capstan_types::item::{ItemBody, ItemStatus};
use capstan_types::launch::Stdio;
use capstan_types::policy::{Escalation, SandboxPolicy};
use serde::Deserialize;
use serde_json::json;
use std::time::Duration;
use tokio::time::Instant;

/// How long a session is given to answer what was written.
pub(super) const ANSWER: WaitRange = WaitRange { default: 250, ..YIELD };

/// How long a look waits for something to see.
const LOOK: WaitRange = WaitRange { default: 5_000, low: 5_000, high: 300_000 };

/// A session that wrote, and then nothing for so long, has answered.
pub(super) const ANSWER_SILENCE: Duration = Duration::from_millis(50);

/// The same for a look: long enough that a build is not looked at line by line.
const LOOK_SILENCE: Duration = Duration::from_millis(500);

const INTERRUPT: &str = "\u{3}";

/// At the end of what is written to a pipe, it closes the pipe, as it would end the input on a terminal.
const END_OF_INPUT: char = '\u{4}';
const SIGINT: i32 = 2;

/// The tool.
#[derive(Debug)]
pub(crate) struct WriteStdin;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    session_id: u32,
    #[serde(default)]
    chars: String,
    yield_time_ms: Option<u64>,
    max_output_tokens: Option<u64>,
}

impl Handler for WriteStdin {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "write_stdin",
            description: "Writes to a running session and returns its new output. Without `chars` it only waits for new output, or for the \
                          end. It returns as soon as the session falls silent after output, or ends.",
            parameters: json!({
                "type": "object",
                "properties": {
                    "session_id": { "type": "integer", "description": "The session ID that exec_command returned." },
                    "chars": {
                        "type": "string",
                        "description": "What to write. Alone, \"\\u0003\" interrupts the session. With stdin=true, \"\\u0004\" at the end closes \
                                        standard input; without stdin and tty nothing but the interrupt is taken."
                    },
                    "yield_time_ms": {
                        "type": "integer",
                        "description": "How long to wait at most, in milliseconds: 250 to 30000 after writing, 250 by default; without \
                                        `chars` 5000 to 300000, 5000 by default."
                    },
                    "max_output_tokens": {
                        "type": "integer",
                        "description": "How much output to return; the middle of longer output is left out. At most, and by default, 10000."
                    }
                },
                "required": ["session_id"],
                "additionalProperties": false
            }),
        }
    }

    fn replay_class(&self, arguments: &str) -> ReplayClass {
        match arguments::from_json(arguments) {
            Ok(Arguments { chars, .. }) if chars.is_empty() => ReplayClass::Pure,
            Ok(_) | Err(_) => ReplayClass::External,
        }
    }

    fn effects(&self, arguments: &str) -> Effects {
        match arguments::from_json(arguments) {
            // What it writes may be a command like any other.
            Ok(Arguments { chars, .. }) if !chars.is_empty() => Effects::Runs,
            Ok(_) | Err(_) => Effects::Nothing,
        }
    }

    fn prepare(&self, call: &Call, context: &CallContext) -> Result<Box<dyn Prepared>, BadCall> {
        let arguments: Arguments = arguments::parse(call)?;
        let command = context.sessions.get(arguments.session_id).map(|live| live.command().to_owned());
        Ok(Box::new(Input { arguments, command: command.unwrap_or_default() }))
    }
}

#[derive(Debug)]
struct Input {
    arguments: Arguments,
    /// What the session runs, for a person who is asked.
    command: String,
}

#[async_trait]
impl Prepared for Input {
    fn effect(&self) -> Effect {
        if self.arguments.chars.is_empty() { Effect::None } else { Effect::Command { asks: Escalation::None } }
    }

    fn action(&self) -> String {
        format!("write {:?} to session {}: {}", self.arguments.chars, self.arguments.session_id, self.command)
    }

    /// The session's own item tells of its output; a write has none.
    fn item(&self, _: &Call, _: &CallContext, _: ItemStatus, _: Option<String>) -> Option<ItemBody> {
        None
    }

    async fn run(self: Box<Self>, call: &Call, context: &CallContext, _policy: SandboxPolicy) -> Result<CallResult, ToolFault> {
        let since = Instant::now();
        let number = self.arguments.session_id;
        let Some(live) = context.sessions.get(number) else {
            return Ok(not_here(context, number));
        };
        let _alone = live.alone().await;
        // Another call may have told of the end while this one waited for its turn.
        if context.sessions.get(number).is_none() {
            return Ok(not_here(context, number));
        }
        let mut note = None;
        let asked = self.arguments.yield_time_ms;
        let patience = if self.arguments.chars.is_empty() {
            Patience { until: since + LOOK.choose(asked), silence: Some(LOOK_SILENCE), past: live.looked() }
        } else {
            let past = live.written();
            if live.is_over() {
                note = Some("It had ended before the input could be written.");
            } else if let Err(error) = write(&live, self.arguments.chars).await {
                return not_written(&live, error);
            }
            Patience { until: since + ANSWER.choose(asked), silence: Some(ANSWER_SILENCE), past }
        };
        live.wait(patience).await;
        let max_tokens = output_budget(self.arguments.max_output_tokens);
        tell(&live, call, context, Telling { since, max_tokens, note }).await
    }
}

async fn write(live: &LiveSession, chars: String) -> Result<(), HostError> {
    match live.stdio() {
        Stdio::Pipes | Stdio::PipesNoInput if chars == INTERRUPT => live.signal(SIGINT).await,
        Stdio::PipesNoInput => Err(HostError::InputClosed),
        Stdio::Pipes => match chars.strip_suffix(END_OF_INPUT) {
            Some(last) => live.write(last.to_owned(), Then::Closes).await,
            None => live.write(chars, Then::StaysOpen).await,
        },
        Stdio::Terminal(_) => live.write(chars, Then::StaysOpen).await,
    }
}

fn not_written(live: &LiveSession, error: HostError) -> Result<CallResult, ToolFault> {
    match error {
        HostError::Fenced => Err(ToolFault::Fenced),
        HostError::InputClosed => {
            let why = match live.stdio() {
                Stdio::PipesNoInput => "rerun exec_command with tty=true or stdin=true to keep stdin open",
                Stdio::Pipes | Stdio::Terminal(_) => "it was closed before; look at the session with an empty write_stdin",
            };
            Ok(failed(format!("stdin is closed for this session; {why}")))
        }
        HostError::Lost { node, reason } => {
            let truth = format!(
                "the connection to node {node} was lost while input was written ({reason}); whether the input arrived is not known: look at \
                 the session with an empty write_stdin before you write again"
            );
            let outcome = Outcome::Unknown { reason: truth.clone(), node: Some(node), session: Some(live.session()) };
            Ok(CallResult {
                outcome,
                output: format!("write_stdin: {truth}"),
                release: Vec::new(),
                changes: Vec::new(),
                picture: None,
            })
        }
        error => Ok(failed(error.to_string())),
    }
}

fn not_here(context: &CallContext, number: u32) -> CallResult {
    failed(match context.sessions.how_closed(number) {
        Some(how) => format!("session {number} is over, and you were told all of it: {how}"),
        None => format!("Unknown process id {number}"),
    })
}

fn failed(reason: String) -> CallResult {
    let output = format!("write_stdin failed: {reason}");
    not_started(reason, output)
}
