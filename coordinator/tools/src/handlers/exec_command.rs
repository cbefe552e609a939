//! `exec_command`: runs a shell command in a session, and waits for it for a while.

mod environment;
mod run;

use super::apply_patch::PatchCall;
use crate::arguments::{self, WaitRange};
use crate::effects::Effects;
use crate::format::output_budget;
use crate::handler::{BadCall, Handler, Prepared};
use crate::heredoc::{self, ShellPatch};
use crate::invocation::CallContext;
use crate::quote::command_line;
use crate::spec::ToolSpec;
use capstan_types::call::{Call, ReplayClass};
use capstan_types::launch::{Stdio, TermSize};
use capstan_types::output::clean::Cleaning;
use capstan_types::path::AbsPath;
use capstan_types::policy::Escalation;
pub(super) use environment::variables;
use run::Command;
use serde::Deserialize;
use serde_json::json;

/// How long a command is waited for before it is left to run on.
pub(super) const YIELD: WaitRange = WaitRange { default: 10_000, low: 250, high: 30_000 };

const DEFAULT_SHELL: &str = "/bin/bash";

/// The tool.
#[derive(Debug)]
pub(crate) struct ExecCommand;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    cmd: String,
    workdir: Option<String>,
    shell: Option<String>,
    #[serde(default = "yes")]
    login: bool,
    #[serde(default)]
    tty: bool,
    /// Codex does not have it: there, without a terminal, nothing can be written.
    #[serde(default)]
    stdin: bool,
    raw_output: Option<bool>,
    yield_time_ms: Option<u64>,
    max_output_tokens: Option<u64>,
    #[serde(default)]
    sandbox_permissions: SandboxPermissions,
    justification: Option<String>,
    /// Read, because models send it with an escalation, and not offered: there are no standing permissions that it could propose.
    #[serde(rename = "prefix_rule")]
    _prefix_rule: Option<Vec<String>>,
}

/// A command as a login shell runs it.
pub(super) fn shell_line(cmd: String) -> Vec<String> {
    vec![DEFAULT_SHELL.to_owned(), "-lc".to_owned(), cmd]
}

const fn yes() -> bool {
    true
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum SandboxPermissions {
    #[default]
    UseDefault,
    RequireEscalated,
}

impl Handler for ExecCommand {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "exec_command",
            description: "Runs a shell command. Returns its output and exit code, or, if it still runs after `yield_time_ms`, its output \
                          so far and a session ID for write_stdin.",
            parameters: json!({
                "type": "object",
                "properties": {
                    "cmd": { "type": "string", "description": "The command, as a shell reads it." },
                    "workdir": { "type": "string", "description": "Where to run it; relative to the workspace, which is the default." },
                    "shell": { "type": "string", "description": "The shell; /bin/bash by default." },
                    "login": { "type": "boolean", "description": "Whether it is a login shell (-l); true by default." },
                    "tty": {
                        "type": "boolean",
                        "description": "Whether it gets a terminal, which also keeps its standard input open; false by default."
                    },
                    "yield_time_ms": {
                        "type": "integer",
                        "description": "How long to wait for it, in milliseconds: 250 to 30000; 10000 by default."
                    },
                    "max_output_tokens": {
                        "type": "integer",
                        "description": "How much output to return; the middle of longer output is left out. At most, and by default, 10000."
                    },
                    "stdin": {
                        "type": "boolean",
                        "description": "Without tty: keeps standard input open as a pipe, for write_stdin. False by default: many programs \
                                        read an open standard input, and would wait for it."
                    },
                    "raw_output": {
                        "type": "boolean",
                        "description": "Returns output as it was written. By default escape sequences are removed, carriage returns and \
                                        backspaces applied, and runs of identical lines folded."
                    },
                    "sandbox_permissions": {
                        "type": "string",
                        "enum": ["use_default", "require_escalated"],
                        "description": "`require_escalated` asks the user to let this one command run without the sandbox."
                    },
                    "justification": {
                        "type": "string",
                        "description": "With require_escalated: one sentence that tells the user why."
                    }
                },
                "required": ["cmd"],
                "additionalProperties": false
            }),
        }
    }

    fn replay_class(&self, arguments: &str) -> ReplayClass {
        let patch = arguments::from_json(arguments).ok().and_then(|Arguments { cmd, .. }| heredoc::recognise(&cmd));
        if patch.is_some() { ReplayClass::Workspace } else { ReplayClass::External }
    }

    fn effects(&self, arguments: &str) -> Effects {
        match self.replay_class(arguments) {
            ReplayClass::Workspace => Effects::Writes,
            ReplayClass::Pure | ReplayClass::External => Effects::Runs,
        }
    }

    fn once(&self) -> bool {
        true
    }

    fn takes_host(&self) -> bool {
        true
    }

    fn prepare(&self, call: &Call, context: &CallContext) -> Result<Box<dyn Prepared>, BadCall> {
        let arguments: Arguments = arguments::parse(call)?;
        if arguments.cmd.trim().is_empty() || arguments.cmd.contains('\0') {
            return Err(BadCall::of(
                call,
                "exec_command failed: `cmd` must be a command without NUL bytes, and not empty".to_owned(),
            ));
        }
        let cwd = directory(call, &context.cwd, arguments.workdir.as_deref())?;
        if let Some(ShellPatch { dir, patch }) = heredoc::recognise(&arguments.cmd) {
            return PatchCall::prepare(call, patch, directory(call, &cwd, dir.as_deref())?);
        }
        Ok(Box::new(command(arguments, cwd, context.cleaning)))
    }
}

fn command(arguments: Arguments, cwd: AbsPath, cleaning: Cleaning) -> Command {
    let shell = arguments.shell.filter(|shell| !shell.trim().is_empty()).unwrap_or_else(|| DEFAULT_SHELL.to_owned());
    let flag = if arguments.login { "-lc" } else { "-c" };
    let argv = vec![shell, flag.to_owned(), arguments.cmd];
    let asks = match arguments.sandbox_permissions {
        SandboxPermissions::UseDefault => Escalation::None,
        SandboxPermissions::RequireEscalated => Escalation::LeaveSandbox { justification: arguments.justification },
    };
    Command {
        shown: command_line(&argv),
        argv,
        cwd,
        stdio: match (arguments.tty, arguments.stdin) {
            (true, _) => Stdio::Terminal(TermSize::default()),
            (false, true) => Stdio::Pipes,
            // Not asked for, it is empty: many programs read it when it is open, and would wait for ever.
            (false, false) => Stdio::PipesNoInput,
        },
        cleaning: match arguments.raw_output {
            Some(true) => Cleaning::Raw,
            Some(false) => Cleaning::Clean,
            None => cleaning,
        },
        yield_after: YIELD.choose(arguments.yield_time_ms),
        max_tokens: output_budget(arguments.max_output_tokens),
        asks,
    }
}

fn directory(call: &Call, cwd: &AbsPath, dir: Option<&str>) -> Result<AbsPath, BadCall> {
    match dir {
        None | Some("") => Ok(cwd.clone()),
        Some(dir) => cwd.join(dir).map_err(|error| BadCall::of(call, format!("exec_command failed: `workdir`: {error}"))),
    }
}
