//! Which tools there are, and the door to them.

use crate::effects::Effects;
use crate::fault::ToolFault;
use crate::handler::Handler;
use crate::handlers::{self, ApplyPatch, ExecCommand, Sessions, UpdatePlan, ViewImage, WriteStdin};
use crate::invocation::{CallContext, CallResult};
use crate::orchestrator;
use crate::router::Router;
use crate::spec::ToolSpec;
use capstan_types::call::{Call, Outcome, ReplayClass};
use capstan_types::launch::SessionEnd;
use tracing::Instrument as _;

/// The tools on offer in a thread.
#[derive(Debug)]
pub struct Toolbox {
    router: Router,
}

impl Toolbox {
    /// The tools of every thread: run a command, speak to it, patch files, look after sessions, and, `with_plan`, show a plan.
    #[must_use]
    pub fn standard(with_plan: bool) -> Self {
        let mut handlers: Vec<Box<dyn Handler>> =
            vec![Box::new(ExecCommand), Box::new(WriteStdin), Box::new(ApplyPatch), Box::new(Sessions)];
        if with_plan {
            handlers.push(Box::new(UpdatePlan));
        }
        Self { router: Router::new(handlers) }
    }

    /// With `view_image`, for a model that can see pictures.
    #[must_use]
    pub fn with_pictures(mut self) -> Self {
        self.router.add(Box::new(ViewImage));
        self
    }

    /// What the model is told of the tools.
    #[must_use]
    pub fn specs(&self) -> Vec<ToolSpec> {
        self.router.handlers().map(Handler::spec).collect()
    }

    /// What a call reads and writes. One of a tool that does not exist does nothing.
    #[must_use]
    pub fn effects(&self, tool: &str, arguments: &str) -> Effects {
        self.router.handler(tool).map_or(Effects::Nothing, |handler| handler.effects(arguments))
    }

    /// Whether the node does each try of such a call once, however often it is asked, and gives the same answer every time.
    #[must_use]
    pub fn once(&self, tool: &str) -> bool {
        self.router.handler(tool).is_some_and(Handler::once)
    }

    /// What may be done with a call whose outcome is not known.
    #[must_use]
    pub fn replay_class(&self, tool: &str, arguments: &str) -> ReplayClass {
        self.router.handler(tool).map_or(ReplayClass::Pure, |handler| handler.replay_class(arguments))
    }

    /// Carries out a call that has been stored. Whatever goes wrong with it becomes its outcome and a text for the model.
    ///
    /// Dropping the future ends the waiting, not the call's session: [`crate::sessions::SessionTable::end_call`] does that.
    ///
    /// # Errors
    /// Only what ends the whole turn.
    pub async fn invoke(&self, call: &Call, context: &CallContext) -> Result<CallResult, ToolFault> {
        let span = tracing::info_span!(
            "execute_tool",
            otel.name = %format_args!("execute_tool {}", call.tool),
            gen_ai.operation.name = "execute_tool",
            gen_ai.tool.name = %call.tool,
            gen_ai.tool.call.id = %call.model_call_id,
            process.exit.code = tracing::field::Empty,
        );
        let result = self.carry_out(call, context).instrument(span.clone()).await?;
        if let Outcome::Finished { end: Some(SessionEnd::Exited { code }) } = &result.outcome {
            span.record("process.exit.code", code);
        }
        Ok(result)
    }

    /// Leaves the session of an interrupted call to run on, and tells what it wrote until now; `None` when the call has none.
    ///
    /// # Errors
    /// Only what ends the whole turn.
    pub async fn leave(&self, call: &Call, context: &CallContext) -> Result<Option<CallResult>, ToolFault> {
        handlers::leave(call, context).await
    }

    async fn carry_out(&self, call: &Call, context: &CallContext) -> Result<CallResult, ToolFault> {
        match self.router.prepare(call, context) {
            Ok(prepared) => orchestrator::conduct(prepared, call, context).await,
            Err(bad) => bad.tell(context).await,
        }
    }
}
