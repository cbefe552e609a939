//! One command: started, waited for, and told of.

use super::environment;
use crate::fault::ToolFault;
use crate::handler::{Effect, Prepared, not_started, record};
use crate::handlers::tell::{Telling, tell};
use crate::host::{ExecHost, HostError, SessionEvent, SessionReader, StartSession};
use crate::invocation::{CallContext, CallResult};
use crate::sessions::{LiveSession, Patience, Place, Started};
use async_trait::async_trait;
use capstan_types::call::{Call, Outcome};
use capstan_types::id::SessionId;
use capstan_types::item::{CommandExecution, ItemBody, ItemId, ItemStatus};
use capstan_types::launch::{Enforced, SessionLimit, Stdio};
use capstan_types::output::clean::Cleaning;
use capstan_types::path::AbsPath;
use capstan_types::policy::{Escalation, SandboxPolicy};
use capstan_types::session::known::SessionChange;
use capstan_types::time::Millis;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// How long a node may take to start a session.
const START: Duration = Duration::from_secs(60);

/// A command whose arguments are in order.
#[derive(Debug)]
pub(super) struct Command {
    /// The program and its arguments.
    pub(super) argv: Vec<String>,
    /// The same for people.
    pub(super) shown: String,
    /// Where it runs.
    pub(super) cwd: AbsPath,
    /// How its standard streams are connected.
    pub(super) stdio: Stdio,
    /// How its output is told.
    pub(super) cleaning: Cleaning,
    /// How long it is waited for.
    pub(super) yield_after: Duration,
    /// How much output the model is shown.
    pub(super) max_tokens: u64,
    /// What it asks for beyond the policy.
    pub(super) asks: Escalation,
}

impl Command {
    fn body(&self, call: &Call, context: &CallContext, status: ItemStatus, reason: Option<String>) -> CommandExecution {
        CommandExecution {
            call: call.id,
            command: self.shown.clone(),
            cwd: self.cwd.clone(),
            node: context.host.node(),
            session: None,
            output: String::new(),
            end: None,
            duration: None,
            status,
            reason,
            enforced: None,
            denials: Vec::new(),
        }
    }

    fn request(&self, call: &Call, context: &CallContext, policy: SandboxPolicy) -> StartSession {
        StartSession {
            call: call.id,
            attempt: call.attempt,
            argv: self.argv.clone(),
            cwd: self.cwd.clone(),
            env: environment::variables(call, context),
            stdio: self.stdio,
            policy,
            limits: context.limits,
        }
    }

    /// Starts the session, and puts it into the table as soon as it is known to run.
    async fn start(
        &self,
        (call, context): (&Call, &CallContext),
        (place, item, at): (Place, ItemId, Instant),
        policy: SandboxPolicy,
    ) -> Result<Arc<LiveSession>, HostError> {
        let starting = first_event(context.host.as_ref(), self.request(call, context, policy.clone()));
        let late =
            |_| HostError::Lost { node: context.host.node(), reason: format!("it did not answer within {} s", START.as_secs()) };
        let (reader, session, enforced) = timeout(START, starting).await.map_err(late)??;
        let body = self.body(call, context, ItemStatus::InProgress, None);
        // Its node may have lowered it.
        let ownerless =
            SessionLimit::Ownerless.number_in(&enforced.limits).map_or(context.limits.ownerless, Millis).as_duration();
        let started = Started {
            number: place.number(),
            session,
            turn: call.turn,
            stdio: self.stdio,
            cleaning: self.cleaning,
            policy,
            host: Arc::clone(&context.host),
            elsewhere: context.elsewhere(),
            ownerless,
            item,
            body: CommandExecution { session: Some(session), enforced: Some(enforced), ..body },
            items: Arc::clone(&context.items),
            at,
        };
        let live = Arc::new(LiveSession::new(started, reader));
        place.fill(Arc::clone(&live));
        Ok(live)
    }

    /// Waits for the session, and tells of it.
    async fn see(
        &self,
        live: &LiveSession,
        (call, context): (&Call, &CallContext),
        at: Instant,
    ) -> Result<CallResult, ToolFault> {
        let _alone = live.alone().await;
        live.wait(Patience { until: at + self.yield_after, silence: None, past: 0 }).await;
        if !live.is_over() {
            live.update(context.items.as_ref()).await?;
        }
        tell(live, call, context, Telling { since: at, max_tokens: self.max_tokens, note: None }).await
    }

    /// What is told when there is no session to speak of.
    async fn failed_start(
        &self,
        call: &Call,
        context: &CallContext,
        item: ItemId,
        error: HostError,
    ) -> Result<CallResult, ToolFault> {
        let (reason, result) = match error {
            HostError::Fenced => return Err(ToolFault::Fenced),
            error @ (HostError::NotStarted(_) | HostError::Busy { .. }) => {
                let reason = error.to_string();
                (reason.clone(), not_started(reason.clone(), format!("exec_command failed: {reason}")))
            }
            error @ (HostError::Lost { .. } | HostError::NoSession | HostError::InputClosed) => {
                let truth = format!(
                    "{error}, while the command was being started; whether it ran is not known, and no output was seen: check what it \
                     would have done before you run it again"
                );
                let outcome = Outcome::Unknown { reason: truth.clone(), node: Some(context.host.node()), session: None };
                (
                    truth.clone(),
                    CallResult {
                        outcome,
                        output: format!("exec_command: {truth}"),
                        release: Vec::new(),
                        changes: Vec::new(),
                        picture: None,
                    },
                )
            }
        };
        let body = self.body(call, context, ItemStatus::Failed, Some(reason));
        context.items.completed(item, ItemBody::CommandExecution(body)).await?;
        Ok(result)
    }
}

#[async_trait]
impl Prepared for Command {
    fn effect(&self) -> Effect {
        Effect::Command { asks: self.asks.clone() }
    }

    fn action(&self) -> String {
        self.shown.clone()
    }

    fn item(&self, call: &Call, context: &CallContext, status: ItemStatus, reason: Option<String>) -> Option<ItemBody> {
        Some(ItemBody::CommandExecution(self.body(call, context, status, reason)))
    }

    async fn run(self: Box<Self>, call: &Call, context: &CallContext, policy: SandboxPolicy) -> Result<CallResult, ToolFault> {
        let at = Instant::now();
        // Its session is there when another coordinator began the call.
        if let Some(live) = context.sessions.of_call(call.id) {
            context.items.started(ItemBody::CommandExecution(self.body(call, context, ItemStatus::InProgress, None))).await?;
            return self.see(&live, (call, context), at).await;
        }
        let body = |status, reason| ItemBody::CommandExecution(self.body(call, context, status, reason));
        let place = match context.sessions.reserve() {
            Ok(place) => place,
            Err(full) => {
                let reason = full.to_string();
                record(context, body(ItemStatus::InProgress, None), body(ItemStatus::Failed, Some(reason.clone()))).await?;
                return Ok(not_started(reason.clone(), format!("exec_command failed: {reason}")));
            }
        };
        let item = context.items.started(body(ItemStatus::InProgress, None)).await?;
        let live = match self.start((call, context), (place, item, at), policy).await {
            Ok(live) => live,
            Err(error) => return self.failed_start(call, context, item, error).await,
        };
        context.items.session(SessionChange::Opened(Box::new(live.opened()))).await?;
        self.see(&live, (call, context), at).await
    }
}

async fn first_event(
    host: &dyn ExecHost,
    request: StartSession,
) -> Result<(Box<dyn SessionReader>, SessionId, Enforced), HostError> {
    let mut reader = host.start(request).await?;
    match reader.next().await? {
        SessionEvent::Started { session, enforced } => Ok((reader, session, enforced)),
        SessionEvent::Output(_) | SessionEvent::Denied(_) | SessionEvent::Ended { .. } => {
            Err(HostError::Lost { node: host.node(), reason: "its answer did not begin with the session's start".to_owned() })
        }
    }
}
