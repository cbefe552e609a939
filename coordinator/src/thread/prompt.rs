//! What a model is told before the user speaks.

use capstan_model::{ToolDefinition, catalog};
use capstan_tools::spec::ToolSpec;
use capstan_types::thread::ThreadSettings;

/// The base instructions of every thread.
const BASE: &str = include_str!("prompt/base.md");

/// What is added for models that do not reason before they answer: they do better when they say what they are about to do.
const UNREASONING: &str = include_str!("prompt/unreasoning.md");

/// The instructions of a thread: the base ones, what its model needs besides, and what its settings add.
#[must_use]
pub fn instructions(settings: &ThreadSettings) -> String {
    let family = (!catalog::lookup(&settings.model).reasons).then_some(UNREASONING);
    let added = settings.instructions.as_ref().map(|added| format!("{added}\n"));
    let parts = [Some(BASE), family, added.as_deref()];
    parts.into_iter().flatten().collect::<Vec<_>>().join("\n")
}

/// A tool as the model's client is told of it.
#[must_use]
pub fn definition(spec: ToolSpec) -> ToolDefinition {
    ToolDefinition { name: spec.name.to_owned(), description: spec.description.to_owned(), parameters: spec.parameters }
}

#[cfg(test)]
mod tests;
