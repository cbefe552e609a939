//! `sessions`: lists the sessions of the thread, signals one, or ends one. One tool, so that the list of tools stays short.

use super::tell::{Telling, tell};
use super::write_stdin::{ANSWER, ANSWER_SILENCE};
use crate::arguments;
use crate::effects::Effects;
use crate::fault::ToolFault;
use crate::format::{MAX_OUTPUT_TOKENS, signal_number};
use crate::handler::{BadCall, Effect, Handler, Prepared, not_started};
use crate::host::HostError;
use crate::invocation::{CallContext, CallResult};
use crate::sessions::{Patience, shown};
use crate::spec::ToolSpec;
use async_trait::async_trait;
use capstan_types::call::{Call, Outcome, ReplayClass};
use capstan_types::item::{ItemBody, ItemStatus};
use capstan_types::policy::{Escalation, SandboxPolicy};
use serde::Deserialize;
use serde_json::json;
use tokio::time::Instant;

/// Who is said to have ended a session that the model ended.
const BY: &str = "the model";

/// The tool.
#[derive(Debug)]
pub(crate) struct Sessions;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    action: Action,
    session_id: Option<u32>,
    signal: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Action {
    List,
    Signal,
    End,
}

impl Handler for Sessions {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "sessions",
            description: "Lists the sessions that run, also those of earlier turns; sends a signal to one; or ends one with all its processes \
                          and returns the rest of its output. write_stdin reads and writes them.",
            parameters: json!({
                "type": "object",
                "properties": {
                    "action": { "type": "string", "enum": ["list", "signal", "end"] },
                    "session_id": { "type": "integer", "description": "For signal and end: the session ID that exec_command returned." },
                    "signal": { "type": "string", "description": "For signal: its name, such as SIGINT, SIGTERM, SIGHUP or SIGUSR1." }
                },
                "required": ["action"],
                "additionalProperties": false
            }),
        }
    }

    fn replay_class(&self, arguments: &str) -> ReplayClass {
        match arguments::from_json(arguments) {
            Ok(Arguments { action: Action::List, .. }) => ReplayClass::Pure,
            Ok(_) | Err(_) => ReplayClass::External,
        }
    }

    fn effects(&self, arguments: &str) -> Effects {
        match arguments::from_json(arguments) {
            Ok(Arguments { action: Action::End | Action::Signal, .. }) => Effects::Runs,
            Ok(_) | Err(_) => Effects::Nothing,
        }
    }

    fn prepare(&self, call: &Call, _: &CallContext) -> Result<Box<dyn Prepared>, BadCall> {
        let bad = |text: &str| BadCall::of(call, format!("sessions failed: {text}"));
        let Arguments { action, session_id, signal } = arguments::parse(call)?;
        let number = || session_id.ok_or_else(|| bad("`session_id` is missing; list the sessions to see which there are"));
        Ok(Box::new(match action {
            Action::List => Wish::List,
            Action::End => Wish::End(number()?),
            Action::Signal => {
                let name = signal.ok_or_else(|| bad("`signal` is missing; give a name such as SIGTERM"))?;
                let signal = signal_number(&name).ok_or_else(|| bad("there is no such signal; give a name such as SIGTERM"))?;
                Wish::Signal(number()?, signal, name)
            }
        }))
    }
}

#[derive(Debug)]
enum Wish {
    List,
    Signal(u32, i32, String),
    End(u32),
}

#[async_trait]
impl Prepared for Wish {
    fn effect(&self) -> Effect {
        match self {
            // A session that the thread started may be ended without asking: nothing new runs.
            Self::List | Self::End(_) => Effect::None,
            Self::Signal(..) => Effect::Command { asks: Escalation::None },
        }
    }

    fn action(&self) -> String {
        match self {
            Self::List => "list the sessions".to_owned(),
            Self::Signal(number, _, name) => format!("send {name} to session {number}"),
            Self::End(number) => format!("end session {number}"),
        }
    }

    /// The session's own item tells what becomes of it.
    fn item(&self, _: &Call, _: &CallContext, _: ItemStatus, _: Option<String>) -> Option<ItemBody> {
        None
    }

    async fn run(self: Box<Self>, call: &Call, context: &CallContext, _policy: SandboxPolicy) -> Result<CallResult, ToolFault> {
        let number = match *self {
            Self::List => return Ok(list(context)),
            Self::Signal(number, ..) | Self::End(number) => number,
        };
        let since = Instant::now();
        let Some(live) = context.sessions.get(number) else {
            return Ok(failed(match context.sessions.how_closed(number) {
                Some(how) => format!("session {number} is over: {how}"),
                None => format!("there is no session {number}"),
            }));
        };
        match *self {
            // Before its turn to look: a call that waits for this session ends with it.
            Self::End(_) if !live.is_over() => live.kill(BY).await,
            Self::End(_) | Self::List => {}
            Self::Signal(_, signal, _) => match live.signal(signal).await {
                Ok(()) => {}
                Err(HostError::Fenced) => return Err(ToolFault::Fenced),
                Err(error) => return Ok(failed(error.to_string())),
            },
        }
        let past = live.written();
        let _alone = live.alone().await;
        if context.sessions.get(number).is_none() {
            let how = context.sessions.how_closed(number).unwrap_or_default();
            return Ok(CallResult {
                outcome: Outcome::Finished { end: None },
                output: format!("Another call has told of the end of session {number}: {how}"),
                release: Vec::new(),
                changes: Vec::new(),
                picture: None,
            });
        }
        if matches!(*self, Self::Signal(..)) {
            live.wait(Patience { until: since + ANSWER.choose(None), silence: Some(ANSWER_SILENCE), past }).await;
        }
        tell(&live, call, context, Telling { since, max_tokens: MAX_OUTPUT_TOKENS, note: None }).await
    }
}

fn list(context: &CallContext) -> CallResult {
    let line = |session: &crate::sessions::ListedSession| match session.untold {
        0 => shown(session),
        untold => format!("{} - {untold} bytes of new output", shown(session)),
    };
    let lines: Vec<_> = context.sessions.list().iter().map(line).collect();
    let output = if lines.is_empty() { "No sessions.".to_owned() } else { format!("Sessions:\n{}", lines.join("\n")) };
    CallResult { outcome: Outcome::Finished { end: None }, output, release: Vec::new(), changes: Vec::new(), picture: None }
}

fn failed(reason: String) -> CallResult {
    let output = format!("sessions failed: {reason}");
    not_started(reason, output)
}
