//! The calls of one answer: run side by side where they may, each ended once, their results given back in the order asked.

use super::context::TurnContext;
use super::continued::fate::Fate;
use super::continued::truth::{self, Seen};
use super::handle::TurnHandle;
use super::items::TurnItems;
use super::log::{Draft, LogError};
use super::order::Order;
use super::step::{self, TurnStop};
use crate::placement::reservations::Activity;
use crate::{clock, crash_point};
use capstan_tools::effects::Effects;
use capstan_tools::fault::ToolFault;
use capstan_tools::hosts::Hosts as _;
use capstan_tools::invocation::{CallContext, CallResult};
use capstan_tools::release::Release;
use capstan_types::call::{Call, CallAttempt, CallEnd, Outcome};
use capstan_types::event::EventBody;
use capstan_types::history::Entry;
use capstan_types::id::SessionId;
use capstan_types::session::known::SessionChange;
use capstan_types::thread::OnInterrupt;
use futures::future::join_all;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::OnceCell;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// What the model is told of a call that was interrupted.
const INTERRUPTED: &str = "The user interrupted the turn; the call was ended. It may have done part of its work.";

/// Who is said to have ended a session of an interrupted turn.
pub(super) const BY_INTERRUPT: &str = "the user, by interrupting the turn";

/// What the model is told of a call that was ended because another call of its answer ended the turn.
const STOPPED: &str = "The turn could not go on, so the call was ended. It may have done part of its work.";

/// The most bytes of the workspace's changes that the model is told with a call whose outcome is not known.
const MOST_CHANGES: u64 = 16 << 10;

/// The tool whose calls show pictures.
const PICTURES: &str = "view_image";

/// What is added to the output of a call whose picture was not stored.
const LOST_PICTURE: &str = "\n(The coordinator ended before the picture could be shown; ask for it again.)";

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
    order: Order,
}

/// How a call is run.
#[derive(Debug, Clone, Copy)]
enum Try<'a> {
    /// Under a try that no node was asked under.
    New,
    /// Under the try of another coordinator, whose turn had these items.
    Same(&'a TurnItems, &'a OnceCell<Option<String>>),
}

/// What is known of a call whose outcome is not.
struct Remains {
    session: Option<SessionId>,
    output: String,
    diff: Option<String>,
}

impl Remains {
    fn as_seen<'a>(&'a self, tried: &'a CallAttempt) -> Seen<'a> {
        Seen { tried, session: self.session, output: &self.output, diff: self.diff.as_deref() }
    }
}

/// A call that ended before its coordinator did. Its picture, if it had one, was not stored with its end.
fn told_late(call: &Call, end: &CallEnd) -> CallResult {
    let lost = if call.tool == PICTURES { LOST_PICTURE } else { "" };
    let output = format!("{}{lost}", end.output);
    CallResult { outcome: end.outcome.clone(), output, release: Vec::new(), changes: Vec::new(), picture: None }
}

/// Sessions whose nodes are being told that they may forget them.
#[derive(Debug, Default)]
pub struct Releases(JoinSet<()>);

impl Calls {
    /// Runs calls with `invocation` until the turn of `handle` is interrupted.
    #[must_use]
    pub fn new(context: Arc<TurnContext>, invocation: CallContext, handle: TurnHandle) -> Self {
        let stop = handle.interrupt.child_token();
        Self { context, invocation, handle, stop, order: Order::default() }
    }

    /// Runs the calls of one answer to their ends, and gives what the model is told of each, in the order asked.
    ///
    /// # Errors
    /// What ends the turn: its records can no longer be stored, or the thread has another owner.
    pub async fn run(&self, calls: &[Call], releases: &mut Releases) -> Result<Vec<Entry>, TurnStop> {
        let _works = Works::begin(&self.context, calls);
        // All of them come to their ends, also when one of them ends the turn: a call that is dropped halfway would have no end.
        let ended = join_all(calls.iter().map(|call| self.perform(call, Try::New))).await;
        self.tell(calls.iter().zip(ended), releases).await
    }

    /// The same for calls that another coordinator left without an end, or whose ends it did not live to tell.
    ///
    /// # Errors
    /// As [`Calls::run`].
    pub async fn go_on(&self, left: &[(Call, Fate)], items: &TurnItems, releases: &mut Releases) -> Result<Vec<Entry>, TurnStop> {
        let changes = OnceCell::new();
        let ended = join_all(left.iter().map(|(call, fate)| self.settle(call, fate, items, &changes))).await;
        self.tell(left.iter().map(|(call, _)| call).zip(ended), releases).await
    }

    async fn tell(
        &self,
        ended: impl Iterator<Item = (&Call, Result<CallResult, TurnStop>)>,
        releases: &mut Releases,
    ) -> Result<Vec<Entry>, TurnStop> {
        let ended = ended.map(|(call, result)| result.map(|result| (call, result))).collect::<Result<Vec<_>, _>>()?;
        let mut entries = Vec::with_capacity(ended.len());
        let mut drafts = Vec::with_capacity(ended.len());
        for (call, result) in ended {
            for release in result.release {
                crash_point::reached("session.releasing");
                releases.release(&self.context, release);
            }
            let entry = Entry::CallOutput { model_call_id: call.model_call_id.clone(), output: result.output };
            let picture = result.picture.map(|image| Entry::Picture { model_call_id: call.model_call_id.clone(), image: *image });
            for entry in [entry].into_iter().chain(picture) {
                drafts.push(Draft::Entry(call.turn, entry.clone()));
                entries.push(entry);
            }
        }
        crash_point::reached("outputs.telling");
        // The ends are stored already; these follow them to the disk with whatever is recorded next.
        self.context.log.note(drafts).await?;
        crash_point::reached("outputs.told");
        Ok(entries)
    }

    async fn settle(
        &self,
        call: &Call,
        fate: &Fate,
        items: &TurnItems,
        changes: &OnceCell<Option<String>>,
    ) -> Result<CallResult, TurnStop> {
        match fate {
            Fate::Ended(end) => Ok(told_late(call, end)),
            Fate::Run => self.perform(call, Try::New).await,
            Fate::Again => {
                let tried = step::attempt(call, &self.context.node_of(&call.tool, &call.arguments));
                // What is asked again of a host that is away would be told as not begun, which it may well have been.
                if !self.context.toolbox.is_everywhere(&call.tool) && self.context.hosts.station(&tried.node).await.is_err() {
                    let tried = CallAttempt { started_at: call.asked_at, ..tried };
                    return self.unknown(call, &tried, items, changes).await;
                }
                self.perform(call, Try::Same(items, changes)).await
            }
            Fate::Unknown(tried) => self.unknown(call, tried, items, changes).await,
        }
    }

    async fn unknown(
        &self,
        call: &Call,
        tried: &CallAttempt,
        items: &TurnItems,
        changes: &OnceCell<Option<String>>,
    ) -> Result<CallResult, TurnStop> {
        let output = truth::output(&call.tool, self.seen(call, tried, items, changes).await.as_seen(tried));
        items.give_up(call.id, truth::REASON).await?;
        let outcome = Outcome::Unknown { reason: truth::REASON.to_owned(), node: Some(tried.node.clone()), session: None };
        let result = CallResult { outcome, output, release: Vec::new(), changes: Vec::new(), picture: None };
        self.end(call, result).await
    }

    /// What is known of a call whose outcome is not.
    async fn seen(&self, call: &Call, tried: &CallAttempt, items: &TurnItems, changes: &OnceCell<Option<String>>) -> Remains {
        let host = &self.context.host;
        let diff = changes.get_or_init(|| async {
            let changes = host.diff(&self.invocation.policy, call.turn.to_string(), MOST_CHANGES, false).await;
            changes.inspect_err(|status| tracing::debug!(%status, "no diff")).ok().map(|changes| changes.text())
        });
        let (session, output) = items.seen_of(call.id);
        Remains { session: session.or(tried.session), output, diff: diff.await.clone() }
    }

    async fn perform(&self, call: &Call, tried: Try<'_>) -> Result<CallResult, TurnStop> {
        let toolbox = &self.context.toolbox;
        let hosts = self.context.nodes_of(&call.tool, &call.arguments);
        let _in_turn = self.order.enter(&hosts, toolbox.effects(&call.tool, &call.arguments)).await;
        crash_point::reached("call.trying");
        if matches!(tried, Try::New) && !step::told_ahead(toolbox, call) {
            let attempt = step::attempt(call, &self.context.node_of(&call.tool, &call.arguments));
            let stored = self.context.log.record(vec![Draft::CallAttempted(attempt)]).await;
            stored.inspect_err(|_| self.stop.cancel())?;
        }
        crash_point::reached("call.tried");
        let mut result = self.invoke(call).await?;
        if let (Try::Same(items, changes), Outcome::Unknown { .. }) = (tried, &result.outcome) {
            let tried = step::attempt(call, &self.context.node_of(&call.tool, &call.arguments));
            let tried = CallAttempt { started_at: call.asked_at, ..tried };
            let facts = truth::facts(self.seen(call, &tried, items, changes).await.as_seen(&tried));
            result.output = format!("{}\n{facts}", result.output);
        }
        self.end(call, result).await
    }

    async fn end(&self, call: &Call, result: CallResult) -> Result<CallResult, TurnStop> {
        let end =
            CallEnd { call: call.id, outcome: result.outcome.clone(), output: result.output.clone(), ended_at: clock::now() };
        let changed =
            |change: &SessionChange| Draft::Event(Some(call.turn), EventBody::SessionChanged { change: change.clone() });
        let drafts = result.changes.iter().map(changed).chain([Draft::CallEnded(end)]).collect();
        crash_point::reached("call.ending");
        let stored = self.context.log.record(drafts).await;
        crash_point::reached("call.ended");
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
        let cancelled = self.handle.cancelled_by();
        let (by, output) = match (interrupted, cancelled) {
            (false, _) => ("the end of its turn", STOPPED.to_owned()),
            (true, None) => (BY_INTERRUPT, INTERRUPTED.to_owned()),
            (true, Some(by)) => (by, format!("The call was ended by {by}. It may have done part of its work.")),
        };
        let began = Instant::now();
        // One at most, unless it was on several hosts.
        let ended = self.invocation.sessions.end_call(call.id, by).await;
        tracing::info!(call = %call.id, took_ms = began.elapsed().as_millis(), "a call was cancelled, and its sessions ended");
        let changes = ended.iter().filter_map(|ended| ended.change.clone()).collect();
        let release = ended.into_iter().map(|ended| ended.release).collect();
        Ok(CallResult { outcome: Outcome::Cancelled, output, release, changes, picture: None })
    }
}

/// A thread that runs sessions takes a whole slot of its node, until none runs any more.
struct Works<'a>(Option<&'a TurnContext>);

impl<'a> Works<'a> {
    fn begin(context: &'a TurnContext, calls: &[Call]) -> Self {
        let runs = |call: &Call| matches!(context.toolbox.effects(&call.tool, &call.arguments), Effects::Runs | Effects::Writes);
        let works = calls.iter().any(runs).then_some(context);
        works.iter().for_each(|context| context.hosts.now(Activity::Runs));
        Self(works)
    }
}

impl Drop for Works<'_> {
    fn drop(&mut self) {
        if let Some(context) = self.0 {
            let runs = context.sessions.list().iter().any(|session| !session.ended && session.elsewhere.is_none());
            context.hosts.now(if runs { Activity::Runs } else { Activity::Thinks });
        }
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
    pub(super) fn release(&mut self, context: &Arc<TurnContext>, release: Release) {
        while self.0.try_join_next().is_some() {} // a JoinSet keeps finished tasks until asked
        let (host, session) = (context.hosts.host(&release.node), release.session);
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
