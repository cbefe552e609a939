//! What the server was asked.

use serde_json::Value;
use std::time::Instant;

/// One request, whole.
#[derive(Debug, Clone)]
pub struct RecordedRequest {
    /// When its last byte came.
    pub at: Instant,
    /// The number of its connection, from 1.
    pub connection: usize,
    /// `POST`.
    pub method: String,
    /// The path with its query.
    pub path: String,
    /// The headers in their order, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body; null if it is not JSON.
    pub body: Value,
}

impl RecordedRequest {
    /// The first header of this name, given in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The items of the conversation that the request carries.
    #[must_use]
    pub fn input(&self) -> &[Value] {
        self.body["input"].as_array().map_or(&[], Vec::as_slice)
    }

    /// What the model is told that a call returned, if the request carries it.
    #[must_use]
    pub fn output_of(&self, call_id: &str) -> Option<&str> {
        let outputs = self.input().iter().filter(|item| item["type"] == "function_call_output");
        outputs.filter(|item| item["call_id"] == call_id).find_map(|item| item["output"].as_str())
    }

    /// The names of the tools on offer.
    #[must_use]
    pub fn tools(&self) -> Vec<&str> {
        self.body["tools"].as_array().into_iter().flatten().filter_map(|tool| tool["name"].as_str()).collect()
    }
}
