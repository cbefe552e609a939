//! From a call's tool name to its handler.

use crate::handler::{BadCall, Handler, Prepared};
use crate::invocation::CallContext;
use capstan_types::call::Call;

/// The tools by name.
#[derive(Debug)]
pub(crate) struct Router {
    handlers: Vec<Box<dyn Handler>>,
}

/// How much of a tool name that does not exist is repeated to the model.
const SHOWN_NAME_CHARS: usize = 100;

impl Router {
    /// Routes to the given tools, in the order in which the model is told of them.
    pub(crate) const fn new(handlers: Vec<Box<dyn Handler>>) -> Self {
        Self { handlers }
    }

    /// Routes to one more tool.
    pub(crate) fn add(&mut self, handler: Box<dyn Handler>) {
        self.handlers.push(handler);
    }

    /// Every tool.
    pub(crate) fn handlers(&self) -> impl Iterator<Item = &dyn Handler> {
        self.handlers.iter().map(AsRef::as_ref)
    }

    /// The tool of that name.
    pub(crate) fn handler(&self, tool: &str) -> Option<&dyn Handler> {
        self.handlers().find(|handler| handler.spec().name == tool)
    }

    /// Finds the handler, and has it read the arguments.
    pub(crate) fn prepare(&self, call: &Call, context: &CallContext) -> Result<Box<dyn Prepared>, BadCall> {
        match self.handler(&call.tool) {
            Some(handler) => handler.prepare(call, context),
            None => {
                let name: String = call.tool.chars().take(SHOWN_NAME_CHARS).collect();
                Err(BadCall::of(call, format!("unsupported call: {name}")))
            }
        }
    }
}
