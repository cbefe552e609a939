//! Saves a thread's workspace: at the end of each turn that may have changed something, before the end is told, and before a call that may
//! destroy something.
//!
//! The state is taken before the end of the turn is told, since afterwards anybody may change the workspace; what the node took is then carried
//! to the coordinator's store without anybody waiting for that. A workspace that cannot be saved is a warning and never the end of a turn.

use super::context::TurnContext;
use crate::checkpoints::risk;
use crate::checkpoints::shelf::Shelf;
use capstan_types::call::Call;
use capstan_types::id::TurnId;
use capstan_types::policy::SandboxMode;
use capstan_types::saved::note::{CheckpointNote, CheckpointReason};
use capstan_types::saved::record::CheckpointRecord;
use capstan_types::saved::{CheckpointName, WorkspaceSaved};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tonic::Code;

/// How long a workspace may take to be saved at the end of a turn. The first time all of it is read.
const AT_END: Duration = Duration::from_secs(120);

/// How long it may take when the turn was interrupted.
const HURRIED: Duration = Duration::from_secs(2);

/// How long a call may have to wait for it.
const BEFORE_A_CALL: Duration = Duration::from_secs(20);

/// After a checkpoint, calls that may destroy something are run without another one for this long.
const NOT_AGAIN_FOR: Duration = Duration::from_secs(60);

/// What came of it.
#[derive(Debug)]
pub(super) enum Saved {
    /// A new checkpoint.
    New(CheckpointNote),
    /// Nothing: it is as it was saved before, or is not to be saved.
    Nothing,
    /// It could not be saved, for a reason that people should know.
    Failed(String),
}

/// Saves the workspace as it is at the end of a turn.
pub(super) async fn at_end(context: &TurnContext, turn: TurnId, again: bool, interrupt: &CancellationToken) -> Saved {
    // One that went on under another coordinator may have been saved under its own name before that died.
    let name = if again { format!("{turn}-{}", context.host.epoch()) } else { turn.to_string() };
    let hurried = async {
        interrupt.cancelled().await;
        tokio::time::sleep(HURRIED).await;
    };
    tokio::select! {
        biased;
        saved = save(context, &name, CheckpointReason::Turn, AT_END) => saved,
        () = hurried => Saved::Failed(failed("the turn was interrupted, and it took too long")),
    }
}

/// Saves the workspace before calls of which one may destroy something, unless that has just been done.
pub(super) async fn before_calls(context: &TurnContext, calls: &[Call], interrupt: &CancellationToken) -> Saved {
    let is_risky = |call: &&Call| command(call).is_some_and(|command| risk::is_risky(&command));
    let Some(call) = calls.iter().find(is_risky).filter(|_| context.last_saved.is_older_than(NOT_AGAIN_FOR)) else {
        return Saved::Nothing;
    };
    let name = call.id.to_string();
    tokio::select! {
        biased;
        () = interrupt.cancelled() => Saved::Nothing,
        saved = save(context, &name, CheckpointReason::Risk, BEFORE_A_CALL) => saved,
    }
}

/// What a call runs, if it runs a command.
fn command(call: &Call) -> Option<String> {
    let arguments: serde_json::Value = serde_json::from_str(&call.arguments).ok()?;
    arguments.get("cmd")?.as_str().map(str::to_owned)
}

async fn save(context: &TurnContext, name: &str, reason: CheckpointReason, within: Duration) -> Saved {
    let (Some(shelf), Ok(name)) = (&context.shelf, name.parse::<CheckpointName>()) else { return Saved::Nothing };
    let policy = context.policy();
    if shelf.rules().keep == 0 || policy.mode == SandboxMode::ReadOnly {
        return Saved::Nothing;
    }
    let saving = context.host.save(&context.facts.root, name.clone(), policy, shelf.rules().ignored);
    match tokio::time::timeout(within, saving).await {
        Ok(Ok(saved)) => kept(context, shelf, name, reason, saved),
        // A node of an earlier release.
        Ok(Err(status)) if status.code() == Code::Unimplemented => Saved::Nothing,
        Ok(Err(status)) => Saved::Failed(failed(status.message())),
        Err(_) => Saved::Failed(failed(&format!("it took longer than {} s", within.as_secs()))),
    }
}

fn kept(context: &TurnContext, shelf: &Shelf, name: CheckpointName, reason: CheckpointReason, saved: WorkspaceSaved) -> Saved {
    let Some(record) = saved.record.as_deref() else { return Saved::Nothing };
    if !context.last_saved.is_news(&record.state) {
        return Saved::Nothing;
    }
    carry(context, shelf, record.clone());
    Saved::New(CheckpointNote::of(context.thread, name, reason, &saved))
}

/// Has it carried to the coordinator's store, which nobody waits for but the coordinator's own end.
fn carry(context: &TurnContext, shelf: &Shelf, record: CheckpointRecord) {
    let (host, shelf) = (context.host.clone(), shelf.clone());
    shelf.clone().background(async move {
        if let Err(error) = shelf.fetch(&host, &record).await {
            tracing::warn!(thread = %record.thread, checkpoint = %record.name, %error, "a checkpoint stays on its node alone");
            return;
        }
        if let Err(error) = shelf.retain(record.thread).await {
            tracing::warn!(thread = %record.thread, %error, "old checkpoints could not be removed");
        }
    });
}

fn failed(reason: &str) -> String {
    format!("the workspace was not saved: {reason}; the turn's work is in the workspace, and no other node can bring it back")
}
