//! What a model is told before the user speaks.

use capstan_model::ToolDefinition;
use capstan_tools::spec::ToolSpec;
use capstan_types::history::Entry;
use capstan_types::policy::SandboxPolicy;
use capstan_types::session::WorkspaceFacts;
use capstan_types::thread::ThreadSettings;

/// The base instructions of every thread.
const BASE: &str = include_str!("prompt/base.md");

/// The instructions of a thread: the base ones and what its settings add.
#[must_use]
pub fn instructions(settings: &ThreadSettings) -> String {
    match &settings.instructions {
        Some(added) => format!("{BASE}\n{added}\n"),
        None => BASE.to_owned(),
    }
}

/// A tool as the model's client is told of it.
#[must_use]
pub fn definition(spec: ToolSpec) -> ToolDefinition {
    ToolDefinition { name: spec.name.to_owned(), description: spec.description.to_owned(), parameters: spec.parameters }
}

#[cfg(test)]
mod tests;
