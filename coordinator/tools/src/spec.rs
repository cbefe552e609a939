//! What the model is told of a tool.

use serde_json::Value;

/// A tool as the model sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolSpec {
    /// Its name.
    pub name: &'static str,
    /// What it does, for the model.
    pub description: &'static str,
    /// A JSON Schema of its arguments. It allows no other properties than those it names.
    pub parameters: Value,
}
