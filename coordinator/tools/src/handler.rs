//! What every tool is: a specification, and a way from arguments to a prepared call.
//!
//! A handler says what a call would do; whether it may is decided in [`crate::orchestrator`], and nowhere else.

use crate::effects::Effects;
use crate::fault::ToolFault;
use crate::invocation::{CallContext, CallResult};
use crate::items::SinkClosed;
use crate::spec::ToolSpec;
use async_trait::async_trait;
use capstan_types::call::{Call, Outcome, ReplayClass};
use capstan_types::item::{ItemBody, ItemStatus};
use capstan_types::path::AbsPath;
use capstan_types::policy::{Escalation, SandboxPolicy};
use std::fmt::Debug;

/// A tool.
pub(crate) trait Handler: Debug + Send + Sync {
    /// What the model is told of it.
    fn spec(&self) -> ToolSpec;

    /// What may be done with a call of it whose outcome is not known. Arguments that cannot be read count as the most cautious ones.
    fn replay_class(&self, arguments: &str) -> ReplayClass;

    /// What a call of it reads and writes. Arguments that cannot be read do nothing.
    fn effects(&self, arguments: &str) -> Effects;

    /// Whether the node does each try of a call once, however often it is asked, and gives the same answer every time.
    fn once(&self) -> bool {
        false
    }

    /// Whether a call of it is meant for one host, so that it may name which.
    fn takes_host(&self) -> bool {
        false
    }

    /// Whether it must know how the thread's hosts are when its arguments are read.
    fn sees_hosts(&self) -> bool {
        false
    }

    /// Reads the arguments. Nothing is done yet.
    fn prepare(&self, call: &Call, context: &CallContext) -> Result<Box<dyn Prepared>, BadCall>;
}

/// What a call would do, as far as the policy cares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It touches no machine, or only reads what was written for it.
    None,
    /// It runs a program, or speaks to one.
    Command {
        /// What it asks for beyond the thread's policy.
        asks: Escalation,
    },
    /// It writes files.
    Write {
        /// The files, each with its path as the call named it.
        files: Vec<(AbsPath, String)>,
    },
}

/// A call whose arguments are in order.
#[async_trait]
pub(crate) trait Prepared: Debug + Send + Sync {
    /// What it would do.
    fn effect(&self) -> Effect;

    /// What it would do, for a person who is asked.
    fn action(&self) -> String;

    /// The item that tells of it, if it has one of its own, in the given state.
    fn item(&self, call: &Call, context: &CallContext, status: ItemStatus, reason: Option<String>) -> Option<ItemBody>;

    /// Does it under `policy`, whatever the thread's policy is.
    async fn run(self: Box<Self>, call: &Call, context: &CallContext, policy: SandboxPolicy) -> Result<CallResult, ToolFault>;
}

/// A call that cannot be carried out as it was written.
#[derive(Debug)]
pub(crate) struct BadCall {
    /// What the model is told.
    pub(crate) output: String,
    /// What a person is told.
    pub(crate) item: Box<ItemBody>,
}

impl BadCall {
    /// A call that is shown with its tool's name and arguments.
    pub(crate) fn of(call: &Call, output: String) -> Self {
        let item = ItemBody::ToolCall {
            call: call.id,
            tool: call.tool.clone(),
            arguments: call.arguments.clone(),
            output: output.clone(),
            status: ItemStatus::Failed,
        };
        Self { output, item: Box::new(item) }
    }

    /// Records it, and gives the call its end.
    pub(crate) async fn tell(self, context: &CallContext) -> Result<CallResult, ToolFault> {
        record(context, ItemBody::clone(&self.item), *self.item).await?;
        Ok(not_started(self.output.clone(), self.output))
    }
}

/// An item that begins and ends at once.
pub(crate) async fn record(context: &CallContext, started: ItemBody, completed: ItemBody) -> Result<(), SinkClosed> {
    let id = context.items.started(started).await?;
    context.items.completed(id, completed).await
}

/// The result of a call for which nothing was started.
pub(crate) fn not_started(reason: String, output: String) -> CallResult {
    CallResult { outcome: Outcome::NotStarted { reason }, output, release: Vec::new(), changes: Vec::new(), picture: None }
}
