//! Which host a call is meant for: the argument `host`, which every tool that works on a machine has where a thread has several. It is taken out
//! here, so that no tool knows of it.

use crate::handler::BadCall;
use crate::spec::ToolSpec;
use capstan_types::call::Call;
use capstan_types::id::{IdError, NodeId};
use serde_json::{Map, Value, json};

/// The argument.
const HOST: &str = "host";

/// The session that a call speaks to.
const SESSION: &str = "session_id";

/// The tool with one argument more.
pub(crate) fn with_host(mut spec: ToolSpec) -> ToolSpec {
    let host = json!({
        "type": "string",
        "description": "The host, one of list_hosts; the home host by default. Each host has files of its own: what is written on one is not on \
                        the others. Relative paths start from the thread's directory on that host."
    });
    if let Some(properties) = spec.parameters.get_mut("properties").and_then(Value::as_object_mut) {
        properties.insert(HOST.to_owned(), host);
    }
    spec
}

/// The host that a call names, if it names one, and the call without it.
pub(crate) fn split(call: &Call) -> Result<(Option<NodeId>, Call), BadCall> {
    let Some(mut arguments) = object(&call.arguments) else { return Ok((None, call.clone())) };
    let Some(host) = arguments.remove(HOST) else { return Ok((None, call.clone())) };
    let arguments = Value::Object(arguments).to_string();
    let rest = Call { arguments, ..call.clone() };
    match host {
        Value::Null => Ok((None, rest)),
        Value::String(name) if name.is_empty() => Ok((None, rest)),
        Value::String(name) => {
            let node =
                name.parse().map_err(|error: IdError| BadCall::of(call, format!("{} failed: `host`: {error}", call.tool)))?;
            Ok((Some(node), rest))
        }
        _ => Err(BadCall::of(call, format!("{} failed: `host` must be the name of a host", call.tool))),
    }
}

/// The host that such arguments name; none if they cannot be read.
pub(crate) fn host(arguments: &str) -> Option<NodeId> {
    object(arguments)?.get(HOST)?.as_str()?.parse().ok()
}

/// The number of the session that such arguments name.
pub(crate) fn session(arguments: &str) -> Option<u32> {
    object(arguments)?.get(SESSION)?.as_u64()?.try_into().ok()
}

fn object(arguments: &str) -> Option<Map<String, Value>> {
    serde_json::from_str(arguments).ok()
}
