//! Which tools there are, and the door to them.

use crate::aim;
use crate::effects::Effects;
use crate::fault::ToolFault;
use crate::handler::{BadCall, Handler, record};
use crate::handlers::{self, ApplyPatch, ExecCommand, ListHosts, RunOnAll, Sessions, UpdatePlan, ViewImage, WriteStdin};
use crate::hosts::NoHost;
use crate::invocation::{CallContext, CallResult};
use crate::orchestrator;
use crate::router::Router;
use crate::spec::ToolSpec;
use capstan_types::call::{Call, Outcome, ReplayClass};
use capstan_types::id::NodeId;
use capstan_types::item::{ItemBody, ItemStatus};
use capstan_types::launch::SessionEnd;
use tracing::Instrument as _;

/// The one tool that is on several hosts at once.
const RUN_ON_ALL: &str = "run_on_all";

/// The tools on offer in a thread.
#[derive(Debug)]
pub struct Toolbox {
    router: Router,
    /// Whether calls may name a host.
    many_hosts: bool,
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
        Self { router: Router::new(handlers), many_hosts: false }
    }

    /// With `view_image`, for a model that can see pictures.
    #[must_use]
    pub fn with_pictures(mut self) -> Self {
        self.router.add(Box::new(ViewImage));
        self
    }

    /// With the tools for several hosts, and the argument `host` where it means something.
    #[must_use]
    pub fn with_hosts(mut self) -> Self {
        self.router.add(Box::new(ListHosts));
        self.router.add(Box::new(RunOnAll));
        self.many_hosts = true;
        self
    }

    /// What the model is told of the tools.
    #[must_use]
    pub fn specs(&self) -> Vec<ToolSpec> {
        let spec = |handler: &dyn Handler| {
            let spec = handler.spec();
            if self.many_hosts && handler.takes_host() { aim::with_host(spec) } else { spec }
        };
        self.router.handlers().map(spec).collect()
    }

    /// The host that a call is meant for, where it says one: by its name, or by the number of a session that runs there.
    #[must_use]
    pub fn host(&self, tool: &str, arguments: &str, of_session: impl Fn(u32) -> Option<NodeId>) -> Option<NodeId> {
        if !self.many_hosts {
            return None;
        }
        if self.router.handler(tool)?.takes_host() {
            return aim::host(arguments);
        }
        of_session(aim::session(arguments)?)
    }

    /// Whether a call of it may be on all of the thread's hosts.
    #[must_use]
    pub fn is_everywhere(&self, tool: &str) -> bool {
        tool == RUN_ON_ALL && self.many_hosts
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
        let Some((handler, hosts)) = self.router.handler(&call.tool).filter(|_| self.many_hosts).zip(context.hosts.as_ref())
        else {
            return self.conduct(call, context).await;
        };
        if handler.sees_hosts() {
            let context = CallContext { sights: hosts.sights().await, ..context.clone() };
            return self.conduct(call, &context).await;
        }
        if !handler.takes_host() {
            return self.conduct(call, context).await;
        }
        let (host, rest) = match aim::split(call) {
            Ok(aimed) => aimed,
            Err(bad) => return bad.tell(context).await,
        };
        let Some(host) = host else { return self.conduct(&rest, context).await };
        match hosts.station(&host).await {
            Ok(station) => self.conduct(&rest, &context.at(station)).await,
            Err(no) => turned_away(call, context, &no).await,
        }
    }

    async fn conduct(&self, call: &Call, context: &CallContext) -> Result<CallResult, ToolFault> {
        match self.router.prepare(call, context) {
            Ok(prepared) => orchestrator::conduct(prepared, call, context).await,
            Err(bad) => bad.tell(context).await,
        }
    }
}

/// A call that does not come to the host that it names.
async fn turned_away(call: &Call, context: &CallContext, no: &NoHost) -> Result<CallResult, ToolFault> {
    let NoHost::NotOurs { .. } = no else { return BadCall::of(call, format!("{} failed: {no}", call.tool)).tell(context).await };
    let (reason, output) = (no.to_string(), format!("{} was declined: {no}", call.tool));
    let item = |output: String, status| ItemBody::ToolCall {
        call: call.id,
        tool: call.tool.clone(),
        arguments: call.arguments.clone(),
        output,
        status,
    };
    record(context, item(String::new(), ItemStatus::InProgress), item(output.clone(), ItemStatus::Declined)).await?;
    let outcome = Outcome::Declined { reason };
    Ok(CallResult { outcome, output, release: Vec::new(), changes: Vec::new(), picture: None })
}
