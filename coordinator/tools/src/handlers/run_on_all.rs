//! `run_on_all`: one command on several hosts of the thread at once, told once for all that answered alike.

mod fan;
mod group;

use super::exec_command::shell_line;
use crate::arguments::{self, WaitRange};
use crate::effects::Effects;
use crate::fault::ToolFault;
use crate::format::output_budget;
use crate::handler::{BadCall, Effect, Handler, Prepared};
use crate::hosts::{Sight, named};
use crate::invocation::{CallContext, CallResult};
use crate::quote::command_line;
use crate::spec::ToolSpec;
use async_trait::async_trait;
use capstan_types::call::{Call, ReplayClass};
use capstan_types::hosts::HostsAsked;
use capstan_types::id::NodeId;
use capstan_types::item::{ItemBody, ItemStatus};
use capstan_types::policy::{Escalation, SandboxPolicy};
use fan::Fan;
use serde::Deserialize;
use serde_json::json;
use std::time::Duration;

/// How long the command may run on each host.
const DEADLINE: WaitRange = WaitRange { default: 60_000, low: 1_000, high: 600_000 };

/// The tool.
#[derive(Debug)]
pub(crate) struct RunOnAll;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    cmd: String,
    hosts: Option<String>,
    workdir: Option<String>,
    timeout_ms: Option<u64>,
    max_output_tokens: Option<u64>,
    #[serde(default)]
    escalated: bool,
    justification: Option<String>,
}

impl Handler for RunOnAll {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "run_on_all",
            description: "Runs one shell command on several hosts at once, waits for it to end on each, and returns what came of it: hosts with the \
                          same exit code and output are told of together. A host that did not answer is said. What still runs on a host after \
                          `timeout_ms` is ended there. Hosts share no files; the command runs in the thread's directory on each.",
            parameters: json!({
                "type": "object",
                "properties": {
                    "cmd": { "type": "string", "description": "The command, as bash reads it." },
                    "hosts": {
                        "type": "string",
                        "description": "Which of your hosts: names (`a,b`) or a selector over labels (`zone=z1,!spot`). All of them by default."
                    },
                    "workdir": { "type": "string", "description": "Where to run it; relative to the thread's directory on each host." },
                    "timeout_ms": {
                        "type": "integer",
                        "description": "How long it may run on each host, in milliseconds: 1000 to 600000; 60000 by default."
                    },
                    "max_output_tokens": {
                        "type": "integer",
                        "description": "How much to return in all. At most, and by default, 10000."
                    },
                    "escalated": { "type": "boolean", "description": "Asks the user to let it run without the sandbox on all these hosts." },
                    "justification": { "type": "string", "description": "With escalated: one sentence that tells the user why." }
                },
                "required": ["cmd"],
                "additionalProperties": false
            }),
        }
    }

    fn replay_class(&self, _arguments: &str) -> ReplayClass {
        ReplayClass::External
    }

    fn effects(&self, _arguments: &str) -> Effects {
        Effects::Runs
    }

    fn once(&self) -> bool {
        true
    }

    fn sees_hosts(&self) -> bool {
        true
    }

    fn prepare(&self, call: &Call, context: &CallContext) -> Result<Box<dyn Prepared>, BadCall> {
        let arguments: Arguments = arguments::parse(call)?;
        let bad = |reason: String| BadCall::of(call, format!("run_on_all failed: {reason}"));
        if arguments.cmd.trim().is_empty() || arguments.cmd.contains('\0') {
            return Err(bad("`cmd` must be a command without NUL bytes, and not empty".to_owned()));
        }
        let hosts = meant(arguments.hosts.as_deref(), &context.sights).map_err(bad)?;
        let argv = shell_line(arguments.cmd);
        let asks = if arguments.escalated {
            Escalation::LeaveSandbox { justification: arguments.justification }
        } else {
            Escalation::None
        };
        Ok(Box::new(OnAll {
            shown: command_line(&argv),
            argv,
            hosts,
            workdir: arguments.workdir.filter(|dir| !dir.is_empty()),
            deadline: DEADLINE.choose(arguments.timeout_ms),
            max_tokens: output_budget(arguments.max_output_tokens),
            asks,
        }))
    }
}

/// The hosts that are meant, in the order in which they are known. Pure.
fn meant(asked: Option<&str>, sights: &[Sight]) -> Result<Vec<NodeId>, String> {
    let all = || sights.iter().map(|sight| sight.node.clone()).collect::<Vec<_>>();
    let Some(asked) = asked.filter(|asked| !asked.trim().is_empty()) else { return Ok(all()) };
    match asked.parse::<HostsAsked>().map_err(|error| error.to_string())? {
        HostsAsked::Selected(selector) => {
            let matches = |sight: &&Sight| sight.state.as_ref().is_ok_and(|facts| selector.matches(&facts.labels));
            let found: Vec<NodeId> = sights.iter().filter(matches).map(|sight| sight.node.clone()).collect();
            if found.is_empty() {
                return Err(format!(
                    "no host that can be used now has labels that match `{asked}`; list_hosts shows their labels"
                ));
            }
            Ok(found)
        }
        HostsAsked::Named(hosts) => {
            let names: Vec<NodeId> = hosts.into_iter().map(|host| host.node).collect();
            match names.iter().find(|name| !sights.iter().any(|sight| sight.node == **name)) {
                Some(foreign) => Err(format!("this thread may not use a host `{foreign}`; its hosts are: {}", named(&all()))),
                None => Ok(names),
            }
        }
    }
}

/// A command for several hosts, whose arguments are in order.
#[derive(Debug)]
struct OnAll {
    argv: Vec<String>,
    shown: String,
    hosts: Vec<NodeId>,
    workdir: Option<String>,
    deadline: Duration,
    max_tokens: u64,
    asks: Escalation,
}

#[async_trait]
impl Prepared for OnAll {
    fn effect(&self) -> Effect {
        Effect::Command { asks: self.asks.clone() }
    }

    /// A person is asked once, and is told all of them.
    fn action(&self) -> String {
        format!("on the hosts {}: {}", named(&self.hosts), self.shown)
    }

    fn item(&self, call: &Call, _: &CallContext, status: ItemStatus, reason: Option<String>) -> Option<ItemBody> {
        Some(item(call, reason.unwrap_or_default(), status))
    }

    async fn run(self: Box<Self>, call: &Call, context: &CallContext, policy: SandboxPolicy) -> Result<CallResult, ToolFault> {
        let Self { argv, hosts, workdir, deadline, max_tokens, .. } = *self;
        let Some(all) = context.hosts.clone() else {
            let bad = BadCall::of(call, "run_on_all failed: this thread has one host".to_owned());
            return bad.tell(context).await;
        };
        // A policy that a person widened for the call is wider on all hosts; the thread's own is made anew for each.
        let widened = (policy != context.policy).then_some(policy);
        let told = context.items.started(item(call, String::new(), ItemStatus::InProgress)).await?;
        let result = Fan { call, context, all, argv, workdir, deadline, widened }.run(hosts, max_tokens).await?;
        let status = if result.outcome.succeeded() { ItemStatus::Completed } else { ItemStatus::Failed };
        context.items.completed(told, item(call, result.output.clone(), status)).await?;
        Ok(result)
    }
}

fn item(call: &Call, output: String, status: ItemStatus) -> ItemBody {
    ItemBody::ToolCall { call: call.id, tool: call.tool.clone(), arguments: call.arguments.clone(), output, status }
}
