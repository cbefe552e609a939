//! From the JSON that the model wrote to a tool's arguments. A field that the tool does not have is refused, never ignored: it may be
//! an attempt to widen the policy, and it certainly is not what the model believes it to be.

use crate::handler::BadCall;
use capstan_types::call::Call;
use serde::de::DeserializeOwned;
use std::time::Duration;

/// Reads the arguments of a call. `T` must deny unknown fields.
pub(crate) fn parse<T: DeserializeOwned>(call: &Call) -> Result<T, BadCall> {
    from_json(&call.arguments).map_err(|error| BadCall::of(call, format!("failed to parse function arguments: {error}")))
}

/// Reads arguments; none at all are an empty object.
pub(crate) fn from_json<T: DeserializeOwned>(arguments: &str) -> Result<T, serde_json::Error> {
    serde_json::from_str(if arguments.trim().is_empty() { "{}" } else { arguments })
}

/// A wait that the model may choose, in milliseconds, inside a range.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WaitRange {
    /// What it is when the model does not choose.
    pub(crate) default: u64,
    /// The shortest.
    pub(crate) low: u64,
    /// The longest.
    pub(crate) high: u64,
}

impl WaitRange {
    /// The wait, moved into the range.
    pub(crate) fn choose(self, asked: Option<u64>) -> Duration {
        Duration::from_millis(asked.unwrap_or(self.default).clamp(self.low, self.high))
    }
}
