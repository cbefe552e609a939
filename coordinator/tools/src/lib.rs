//! The tools that the model may call, from the text it wrote to the text it is answered with.
//!
//! One call's way: [`toolbox`] → `router` (which handler, are the arguments in order) → `orchestrator` (may it, under which sandbox) →
//! a handler → [`host`]. A tool knows a machine by the trait in [`host`] only, and decides no policy.

mod denials;
pub mod effects;
pub mod fault;
pub mod host;
pub mod hosts;
pub mod invocation;
pub mod items;
pub mod plan;
pub mod release;
pub mod sessions;

pub mod spec;
pub mod toolbox;

mod aim;
mod arguments;
mod format;
mod handler;
mod handlers;
mod heredoc;
mod orchestrator;
mod quote;
mod router;

#[cfg(test)]
mod tests;

pub use fault::ToolFault;
pub use invocation::CallResult;
pub use spec::ToolSpec;
pub use toolbox::Toolbox;
