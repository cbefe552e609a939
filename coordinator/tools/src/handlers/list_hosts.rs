//! `list_hosts`: which hosts the thread may use, and how they are now.

use crate::arguments;
use crate::effects::Effects;
use crate::fault::ToolFault;
use crate::format::MAX_OUTPUT_TOKENS;
use crate::handler::{BadCall, Effect, Handler, Prepared, record};
use crate::hosts::Sight;
use crate::invocation::{CallContext, CallResult};
use crate::spec::ToolSpec;
use async_trait::async_trait;
use capstan_types::call::{Call, Outcome, ReplayClass};
use capstan_types::clamp::clamp_tokens;
use capstan_types::item::{ItemBody, ItemStatus};
use capstan_types::policy::SandboxPolicy;
use serde::Deserialize;
use serde_json::json;

/// The tool.
#[derive(Debug)]
pub(crate) struct ListHosts;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {}

impl Handler for ListHosts {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "list_hosts",
            description: "Lists the hosts that you may use, with their labels, what they are, how busy they are, and the thread's directory on \
                          each. The first is home, where calls go that name no host. Hosts share no files.",
            parameters: json!({ "type": "object", "properties": {}, "additionalProperties": false }),
        }
    }

    fn replay_class(&self, _arguments: &str) -> ReplayClass {
        ReplayClass::Pure
    }

    fn effects(&self, _arguments: &str) -> Effects {
        Effects::Nothing
    }

    fn sees_hosts(&self) -> bool {
        true
    }

    fn prepare(&self, call: &Call, _: &CallContext) -> Result<Box<dyn Prepared>, BadCall> {
        let Arguments {} = arguments::parse(call)?;
        Ok(Box::new(Listing))
    }
}

#[derive(Debug)]
struct Listing;

#[async_trait]
impl Prepared for Listing {
    fn effect(&self) -> Effect {
        Effect::None
    }

    fn action(&self) -> String {
        "list the hosts".to_owned()
    }

    fn item(&self, _: &Call, _: &CallContext, _: ItemStatus, _: Option<String>) -> Option<ItemBody> {
        None
    }

    async fn run(self: Box<Self>, call: &Call, context: &CallContext, _policy: SandboxPolicy) -> Result<CallResult, ToolFault> {
        let output = clamp_tokens(&table(&context.sights), MAX_OUTPUT_TOKENS).text;
        let item = |output: String, status| ItemBody::ToolCall {
            call: call.id,
            tool: call.tool.clone(),
            arguments: call.arguments.clone(),
            output,
            status,
        };
        record(context, item(String::new(), ItemStatus::InProgress), item(output.clone(), ItemStatus::Completed)).await?;
        Ok(CallResult {
            outcome: Outcome::Finished { end: None },
            output,
            release: Vec::new(),
            changes: Vec::new(),
            picture: None,
        })
    }
}

/// What the model is told. Pure.
fn table(sights: &[Sight]) -> String {
    let lines: Vec<String> = sights.iter().enumerate().map(|(at, sight)| line(sight, at == 0)).collect();
    format!("{} hosts:\n{}", sights.len(), lines.join("\n"))
}

fn line(sight: &Sight, is_home: bool) -> String {
    let home = if is_home { " (home)" } else { "" };
    let Sight { node, dir, state } = sight;
    match state {
        Err(reason) => format!("- {node}{home}: cannot be used now: {reason}; directory {dir}"),
        Ok(facts) => {
            let labels: Vec<String> = facts.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
            let labels = if labels.is_empty() { "no labels".to_owned() } else { format!("labels {}", labels.join(",")) };
            let gib = facts.memory_bytes.div_ceil(1 << 30);
            let (system, cpus, load) = (&facts.system, facts.cpus, facts.load / 10);
            format!("- {node}{home}: {labels}; {system}, {cpus} processors, {gib} GiB; {load} % in use; directory {dir}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hosts::HostFacts;
    use capstan_types::path::AbsPath;

    #[test]
    fn the_model_is_told_what_each_host_is_and_which_one_is_home() {
        let sight = |node: &str, state| Sight { node: node.parse().unwrap(), dir: AbsPath::new("/w").unwrap(), state };
        let facts = |labels: &[(&str, &str)]| HostFacts {
            labels: labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
            system: "x86_64, Linux 6.1".to_owned(),
            cpus: 8,
            memory_bytes: 16 << 30,
            load: 125,
        };
        let sights = [
            sight("a", Ok(facts(&[("gpu", "a100"), ("zone", "z1")]))),
            sight("b", Ok(facts(&[]))),
            sight("c", Err("it is not registered".to_owned())),
        ];
        insta::assert_snapshot!(table(&sights), @r"
        3 hosts:
        - a (home): labels gpu=a100,zone=z1; x86_64, Linux 6.1, 8 processors, 16 GiB; 12 % in use; directory /w
        - b: no labels; x86_64, Linux 6.1, 8 processors, 16 GiB; 12 % in use; directory /w
        - c: cannot be used now: it is not registered; directory /w
        ");
    }
}
