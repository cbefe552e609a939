//! The one place where a call is allowed, asked about or declined, and given its sandbox.
//!
//! Order: what the call would do → policy → approval → sandbox → attempt. Invariants: no handler decides policy; no argument of a call
//! can choose a sandbox; only an escalation that somebody accepted leaves the thread's sandbox, for that one call.

use crate::fault::ToolFault;
use crate::handler::{Effect, Prepared, record};
use crate::invocation::{CallContext, CallResult, Decision, Question};
use capstan_types::call::{Call, Outcome};
use capstan_types::clean::clean_for_terminal;
use capstan_types::item::ItemStatus;
use capstan_types::policy::{Access, Escalation, SandboxMode, SandboxPolicy, Verdict};

/// Carries a prepared call out, or declines it.
pub(crate) async fn conduct(prepared: Box<dyn Prepared>, call: &Call, context: &CallContext) -> Result<CallResult, ToolFault> {
    match permit(prepared.as_ref(), call, context).await {
        Permit::Granted(policy) => prepared.run(call, context, policy).await,
        Permit::Declined(reason) => decline(prepared.as_ref(), call, context, reason).await,
    }
}

enum Permit {
    Granted(SandboxPolicy),
    Declined(String),
}

async fn permit(prepared: &dyn Prepared, call: &Call, context: &CallContext) -> Permit {
    let escalation = match prepared.effect() {
        Effect::None => return Permit::Granted(context.policy.clone()),
        Effect::Command { asks } => asks,
        Effect::Write { files } => {
            let outside = files.into_iter().find(|(path, _)| context.policy.access(path) == Access::Read);
            outside.map_or(Escalation::None, |(_, path)| Escalation::WriteOutside { path })
        }
    };
    let unconfined = context.policy.mode == SandboxMode::DangerFullAccess;
    match context.approval.decide(&escalation, unconfined) {
        Verdict::Run => Permit::Granted(context.policy.clone()),
        Verdict::Decline { reason } => Permit::Declined(reason),
        Verdict::Ask { reason } => {
            // What a person decides on must look like what it is: the model wrote both texts.
            let (action, reason) = (clean_for_terminal(&prepared.action()), clean_for_terminal(&reason));
            match context.approver.ask(Question { tool: call.tool.clone(), action, reason }).await {
                Decision::Accept => Permit::Granted(sandbox_after_yes(&escalation, &context.policy)),
                Decision::Decline { reason } => Permit::Declined(reason),
            }
        }
    }
}

/// A yes to a call that asked for nothing more is not a yes to more.
fn sandbox_after_yes(escalation: &Escalation, policy: &SandboxPolicy) -> SandboxPolicy {
    match escalation {
        Escalation::None => policy.clone(),
        Escalation::LeaveSandbox { .. } | Escalation::WriteOutside { .. } => SandboxPolicy::full_access(),
    }
}

async fn decline(prepared: &dyn Prepared, call: &Call, context: &CallContext, reason: String) -> Result<CallResult, ToolFault> {
    let item = |status, reason| prepared.item(call, context, status, reason);
    if let (Some(started), Some(declined)) =
        (item(ItemStatus::InProgress, None), item(ItemStatus::Declined, Some(reason.clone())))
    {
        record(context, started, declined).await?;
    }
    let output = format!("{} was declined: {reason}", call.tool);
    Ok(CallResult { outcome: Outcome::Declined { reason }, output, release: Vec::new(), changes: Vec::new(), picture: None })
}
