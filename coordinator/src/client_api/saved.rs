//! Checkpoints that travel: listed, brought back, compared.

use super::{create_status, thread_id};
use crate::thread::at_rest::{AtRest, Purpose};
use crate::thread::bring_back::{BroughtBack, Workplace};
use crate::thread::errand::Errand;
use crate::thread::inherit::Woken;
use crate::thread::message::ThreadMsg;
use crate::thread::open::{ASK_DEADLINE, Threads};
use capstan_proto::wire::client as wire;
use capstan_runtime::actors::ask::{AskError, ask};
use capstan_types::id::TurnId;
use tokio::sync::oneshot;
use tonic::{Response, Status};

/// The most names of a comparison.
const MOST_NAMES: u32 = 1000;

/// How many names of what was changed are told.
const NAMED: usize = 100;

/// The checkpoints of a thread.
pub(super) async fn list(
    threads: &Threads,
    request: wire::ListCheckpointsRequest,
) -> Result<Response<wire::ListCheckpointsResponse>, Status> {
    let listed = threads.list_checkpoints(thread_id(&request.thread_id)?).await.map_err(create_status)?;
    Ok(Response::new(wire::ListCheckpointsResponse { checkpoints: listed.into_iter().map(Into::into).collect() }))
}

/// Brings one back. A thread of another owner's is this coordinator's from then on.
pub(super) async fn restore(threads: &Threads, request: wire::RestoreRequest) -> Result<Response<wire::RestoreResponse>, Status> {
    let (thread, which, force) = (thread_id(&request.thread_id)?, request.checkpoint, request.force);
    let shelf = threads.shelf.as_ref().ok_or_else(nothing_kept)?;
    let all = threads.checkpoints(thread).await.map_err(create_status)?;
    // A turn that nobody has begun. What a dead coordinator of this line left to be done comes first.
    let brought = match threads.wake(thread, TurnId::generate()).await.map_err(create_status)? {
        Woken::Runs(actor) => {
            // The thread's own: a client that leaves would cut off what keeps turns from beginning, and not what the node writes.
            let (tell, told) = oneshot::channel();
            let shelf = shelf.clone();
            let errand = Errand::new(move |context| async move {
                let policy = context.policy();
                let place = Workplace { thread, host: &context.host, root: &context.facts.root, policy: &policy, shelf: &shelf };
                let _ = tell.send(place.bring_back(&all, &which, force).await);
            });
            let taken = ask(&actor, ASK_DEADLINE, |reply| ThreadMsg::Lend(errand, reply)).await.map_err(unanswered)?;
            taken.map_err(|refused| Status::failed_precondition(refused.to_string()))?;
            told.await.map_err(|_| Status::unavailable("the thread stopped meanwhile; look at its files, and try again"))??
        }
        Woken::Elsewhere(_) => {
            let AtRest { host, root, policy, .. } = &threads.at_rest(thread, Purpose::Change).await.map_err(create_status)?;
            Workplace { thread, host, root, policy, shelf }.bring_back(&all, &which, force).await?
        }
        // It cannot be; a new id has no turn.
        Woken::Begun => return Err(Status::unavailable("the thread could not be opened; try again")),
    };
    Ok(Response::new(told(brought)))
}

/// Compares two. A thread that does not run here is left where it is.
pub(super) async fn compare(threads: &Threads, request: wire::CompareRequest) -> Result<Response<wire::CompareResponse>, Status> {
    let thread = thread_id(&request.thread_id)?;
    let shelf = threads.shelf.as_ref().ok_or_else(nothing_kept)?;
    let most = if request.most == 0 { MOST_NAMES } else { request.most.min(MOST_NAMES) } as usize;
    let all = threads.checkpoints(thread).await.map_err(create_status)?;
    let which = [request.before.as_str(), request.after.as_str()];
    let mut differences = {
        let found = threads.find(thread).await.map_err(unanswered)?;
        match found {
            Some(actor) => {
                let context = ask(&actor, ASK_DEADLINE, ThreadMsg::Context).await.map_err(unanswered)?;
                let policy = context.policy();
                let place = Workplace { thread, host: &context.host, root: &context.facts.root, policy: &policy, shelf };
                place.compare(&all, which, most + 1).await?
            }
            None => {
                let AtRest { host, root, policy, .. } = &threads.at_rest(thread, Purpose::Look).await.map_err(create_status)?;
                Workplace { thread, host, root, policy, shelf }.compare(&all, which, most + 1).await?
            }
        }
    };
    let more = differences.len() > most;
    differences.truncate(most);
    Ok(Response::new(wire::CompareResponse { differences: differences.into_iter().map(Into::into).collect(), more }))
}

fn told(brought: BroughtBack) -> wire::RestoreResponse {
    let result = match brought {
        BroughtBack::Done { checkpoint, saved, restored } => {
            let more = restored.changed.saturating_sub(restored.named.len() as u64);
            let changed = Some(wire::FileNames { names: restored.named, more });
            wire::restore_response::Result::Restored(wire::Restored {
                checkpoint,
                saved,
                changed,
                resisted: restored.skipped.count,
            })
        }
        BroughtBack::ChangedSince(differences) => {
            let more = differences.len().saturating_sub(NAMED) as u64;
            let names = differences.into_iter().take(NAMED).map(|difference| difference.path).collect();
            wire::restore_response::Result::ChangedSince(wire::FileNames { names, more })
        }
    };
    wire::RestoreResponse { result: Some(result) }
}

fn nothing_kept() -> Status {
    Status::failed_precondition("this coordinator keeps no checkpoints")
}

fn unanswered(error: AskError) -> Status {
    Status::unavailable(error.to_string())
}
