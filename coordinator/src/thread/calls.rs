//! The calls of one answer: run side by side where they may, each ended once, their results given back in the order asked.

use super::context::TurnContext;
use super::handle::TurnHandle;
use super::log::{Draft, LogError};
use super::step::TurnStop;
use crate::clock;
use capstan_tools::fault::ToolFault;
use capstan_tools::host::ExecHost as _;
use capstan_tools::invocation::{CallContext, CallResult};
use capstan_types::call::{Call, CallEnd, Outcome};
use capstan_types::event::EventBody;
use capstan_types::history::Entry;
use capstan_types::id::SessionId;
use capstan_types::session::known::SessionChange;
use capstan_types::thread::OnInterrupt;
use futures::future::join_all;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::RwLock;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// What the model is told of a call that was interrupted.
const INTERRUPTED: &str = "The user interrupted the turn; the call was ended. It may have done part of its work.";

/// Who is said to have ended a session of an interrupted turn.
pub(super) const BY_INTERRUPT: &str = "the user, by interrupting the turn";

/// What the model is told of a call that was ended because another call of its answer ended the turn.
const STOPPED: &str = "The turn could not go on, so the call was ended. It may have done part of its work.";

/// How long the end of a turn waits for nodes to be told that they may forget its sessions.
const RELEASE_GRACE: Duration = Duration::from_secs(2);

/// Runs calls for one turn.
#[derive(Debug)]
pub struct Calls {
    context: Arc<TurnContext>,
    invocation: CallContext,
    handle: TurnHandle,
    // Cancelled with `interrupt`, and also when the turn cannot go on: then its other calls need not either.
    stop: CancellationToken,
    // Calls that may run beside others take it for reading; one that must be alone takes it for writing.
    company: RwLock<()>,
}

/// Sessions whose nodes are being told that they may forget them.
#[derive(Debug, Default)]
pub struct Releases(JoinSet<()>);

impl Calls {
    /// Runs calls with `invocation` until the turn of `handle` is interrupted.
    #[must_use]
    pub fn new(context: Arc<TurnContext>, invocation: CallContext, handle: TurnHandle) -> Self {
        let stop = handle.interrupt.child_token();
        Self { context, invocation, handle, stop, company: RwLock::new(()) }
    }

    /// Runs the calls of one answer to their ends, and gives what the model is told of each, in the order asked.
    ///
    /// # Errors
    /// What ends the turn: its records can no longer be stored, or the thread has another owner.
    pub async fn run(&self, calls: &[Call], releases: &mut Releases) -> Result<Vec<Entry>, TurnStop> {
        // All of them come to their ends, also when one of them ends the turn: a call that is dropped halfway would have no end.
        let ended = join_all(calls.iter().map(|call| self.perform(call))).await;
        let ended = ended.into_iter().collect::<Result<Vec<_>, _>>()?;
        let mut entries = Vec::with_capacity(ended.len());
        let mut drafts = Vec::with_capacity(ended.len());
        for (call, result) in calls.iter().zip(ended) {
            if let Some(session) = result.release {
                releases.release(&self.context, session);
            }
            let entry = Entry::CallOutput { model_call_id: call.model_call_id.clone(), output: result.output };
            let picture = result.picture.map(|image| Entry::Picture { model_call_id: call.model_call_id.clone(), image: *image });
            for entry in [entry].into_iter().chain(picture) {
                drafts.push(Draft::Entry(call.turn, entry.clone()));
                entries.push(entry);
            }
        }
        // The ends are stored already; these follow them to the disk with whatever is recorded next.
        self.context.log.note(drafts).await?;
        Ok(entries)
    }

    async fn perform(&self, call: &Call) -> Result<CallResult, TurnStop> {
        let result = if self.context.toolbox.parallel_safe(&call.tool) {
            let _beside = self.company.read().await;
            self.invoke(call).await?
        } else {
            let _alone = self.company.write().await;
            self.invoke(call).await?
        };
        let end =
            CallEnd { call: call.id, outcome: result.outcome.clone(), output: result.output.clone(), ended_at: clock::now() };
        let changed =
            |change: &SessionChange| Draft::Event(Some(call.turn), EventBody::SessionChanged { change: change.clone() });
        let drafts = result.changes.iter().map(changed).chain([Draft::CallEnded(end)]).collect();
        let stored = self.context.log.record(drafts).await;
        stored.inspect_err(|_| self.stop.cancel())?;
        Ok(result)
    }

    async fn invoke(&self, call: &Call) -> Result<CallResult, TurnStop> {
        tokio::select! {
            biased;
            () = self.stop.cancelled() => self.end_early(call).await,
            result = self.context.toolbox.invoke(call, &self.invocation) => result.map_err(|fault| {
                self.stop.cancel();
                TurnStop::from(fault)
            }),
        }
    }

    async fn end_early(&self, call: &Call) -> Result<CallResult, TurnStop> {
        let interrupted = self.handle.interrupt.is_cancelled();
        if interrupted
            && self.handle.on_interrupt() == OnInterrupt::KeepSessions
            && let Some(left) = self.context.toolbox.leave(call, &self.invocation).await?
        {
            return Ok(left);
        }
        let (by, output) = if interrupted { (BY_INTERRUPT, INTERRUPTED) } else { ("the end of its turn", STOPPED) };
        let began = Instant::now();
        // A call starts at most one session.
        let ended = self.invocation.sessions.end_call(call.id, by).await.pop();
        tracing::info!(call = %call.id, took_ms = began.elapsed().as_millis(), "a call was cancelled, and its session ended");
        let (release, changes) = ended.map_or((None, Vec::new()), |ended| (Some(ended.session), vec![ended.change]));
        Ok(CallResult { outcome: Outcome::Cancelled, output: output.to_owned(), release, changes, picture: None })
    }
}

impl From<ToolFault> for TurnStop {
    fn from(fault: ToolFault) -> Self {
        match fault {
            ToolFault::SinkClosed(_) => Self::Log(LogError::Stopped),
            ToolFault::Fenced => Self::Failed(fault.to_string()),
        }
    }
}

impl Releases {
    /// Tells a node that it may forget a session, whose end is stored.
    pub(super) fn release(&mut self, context: &Arc<TurnContext>, session: SessionId) {
        while self.0.try_join_next().is_some() {} // a JoinSet keeps finished tasks until asked
        let host = Arc::clone(&context.host);
        self.0.spawn(async move {
            // A node that was not told forgets the session by itself after its retention.
            if let Err(error) = host.release(session).await {
                tracing::debug!(%session, %error, "a session was not released");
            }
        });
    }

    /// Waits a moment for the nodes.
    pub async fn finish(mut self) {
        let told = async { while self.0.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(RELEASE_GRACE, told).await;
    }
}
