//! One session in the table: what a call may do with it.

use super::ListedSession;
use super::pump::Pump;
use super::record::{Ending, Record};
use super::resumed::{Away, ResumedReader};
use super::started::Started;
use crate::fault::ToolFault;
use crate::format;
use crate::host::{ExecHost, HostError, Input, SessionReader};
use crate::items::{ItemSink, SinkClosed};
use crate::release::Release;
use async_trait::async_trait;
use capstan_types::clamp::HeadTail;
use capstan_types::id::{CallId, NodeId, SessionId, TurnId};
use capstan_types::item::{CommandExecution, ItemBody, ItemId, ItemStatus};
use capstan_types::launch::{Enforced, Stdio};
use capstan_types::output::Seq;
use capstan_types::output::clean::Cleaning;
use capstan_types::path::AbsPath;
use capstan_types::policy::SandboxPolicy;
use capstan_types::session::known::{KnownSession, SessionChange};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::{Mutex, MutexGuard};
use tokio::task::JoinSet;
use tokio::time::Instant;

/// How long a killed session may take to be seen ended.
const KILL: Duration = Duration::from_secs(5);

/// How long a call waits for a session.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// Until then at the latest. The session's end always ends the wait.
    pub(crate) until: Instant,
    /// How long the session must be silent, once it wrote something new, for the wait to end early; `None` waits for the end only.
    pub(crate) silence: Option<Duration>,
    /// What counts as new: everything past so many bytes.
    pub(crate) past: u64,
}

/// A session that was started, with the task that reads it. Dropping it ends the task, not the session.
#[derive(Debug)]
pub(crate) struct LiveSession {
    number: u32,
    session: SessionId,
    call: CallId,
    turn: TurnId,
    command: String,
    stdio: Stdio,
    cleaning: Cleaning,
    /// Whether the model was told, at the beginning of a turn, that it ended.
    announced: AtomicBool,
    policy: SandboxPolicy,
    host: Arc<dyn ExecHost>,
    /// The host's name, where it is not the thread's home.
    elsewhere: Option<NodeId>,
    record: Arc<Record>,
    away: Arc<Away>,
    /// One call at a time looks, or two would share the output by chance.
    turnstile: Mutex<()>,
    _pump: JoinSet<()>,
}

/// What all sessions of a thread have in common that are read again.
#[derive(Debug, Clone)]
pub struct Again {
    /// Where those run that run at home.
    pub host: Arc<dyn ExecHost>,
    /// Where the others run, by name.
    pub others: BTreeMap<NodeId, Arc<dyn ExecHost>>,
    /// What the thread's sessions may touch.
    pub policy: SandboxPolicy,
    /// Where the thread works.
    pub cwd: AbsPath,
    /// What was stored of items that are still open, by their numbers: those of a turn that goes on.
    pub items: BTreeMap<ItemId, CommandExecution>,
}

/// Sessions of turns that are over have no items that could be told of. The call that is told of their end has its own.
#[derive(Debug)]
struct NoItems;

#[async_trait]
impl ItemSink for NoItems {
    async fn started(&self, _: ItemBody) -> Result<ItemId, SinkClosed> {
        Err(SinkClosed)
    }
    async fn updated(&self, _: ItemId, _: ItemBody) -> Result<(), SinkClosed> {
        Err(SinkClosed)
    }
    async fn completed(&self, _: ItemId, _: ItemBody) -> Result<(), SinkClosed> {
        Err(SinkClosed)
    }
    async fn session(&self, _: SessionChange) -> Result<(), SinkClosed> {
        Err(SinkClosed)
    }
    fn output(&self, _: ItemId, _: String) {}
}

impl LiveSession {
    /// Begins to read a session.
    pub(crate) fn new(started: Started, reader: Box<dyn SessionReader>) -> Self {
        let Started { number, session, turn, stdio, cleaning, policy, host, elsewhere, ownerless, item, body, items, at } =
            started;
        let (call, command) = (body.call, body.command.clone());
        let record = Record::new(item, body, cleaning, at);
        let node = host.node();
        let known =
            KnownSession { number, session, node, call, turn, item, command, stdio, cleaning, next: Seq(0), announced: false };
        let away = Arc::<Away>::default();
        let resumed = ResumedReader::new(Arc::clone(&host), session, Seq(0), Arc::clone(&away));
        let reader = ResumedReader::of(reader, ownerless, resumed);
        Self::reading(known, policy, (host, elsewhere), record, away, Box::new(reader), items)
    }

    /// Begins to read a session again that another life of the thread knew, at the first byte that the model has not been told.
    pub(crate) fn again(known: KnownSession, again: &Again) -> Self {
        let Again { host, others, policy, cwd, items } = again;
        let elsewhere = others.get(&known.node);
        let (host, policy) = (Arc::clone(elsewhere.unwrap_or(host)), policy.clone());
        let elsewhere = elsewhere.map(|_| known.node.clone());
        let body = items.get(&known.item).cloned().unwrap_or_else(|| CommandExecution {
            call: known.call,
            command: known.command.clone(),
            cwd: cwd.clone(),
            node: host.node(),
            session: Some(known.session),
            output: String::new(),
            end: None,
            duration: None,
            status: ItemStatus::InProgress,
            reason: None,
            enforced: None,
            denials: Vec::new(),
        });
        let body = CommandExecution { session: Some(known.session), ..body };
        let record = Record::from(known.item, body, known.cleaning, known.next);
        let away = Arc::<Away>::default();
        let reader = ResumedReader::new(Arc::clone(&host), known.session, known.next, Arc::clone(&away));
        Self::reading(known, policy, (host, elsewhere), record, away, Box::new(reader), Arc::new(NoItems))
    }

    /// The session that `known` says, with a task that reads it.
    fn reading(
        known: KnownSession,
        policy: SandboxPolicy,
        (host, elsewhere): (Arc<dyn ExecHost>, Option<NodeId>),
        record: Record,
        away: Arc<Away>,
        reader: Box<dyn SessionReader>,
        items: Arc<dyn ItemSink>,
    ) -> Self {
        let KnownSession { number, session, call, turn, command, stdio, cleaning, announced, .. } = known;
        let record = Arc::new(record);
        let mut tasks = JoinSet::new();
        tasks.spawn(Pump { session, record: Arc::clone(&record), items }.run(reader));
        Self {
            number,
            session,
            call,
            turn,
            command,
            stdio,
            cleaning,
            announced: AtomicBool::new(announced),
            policy,
            host,
            elsewhere,
            record,
            away,
            turnstile: Mutex::new(()),
            _pump: tasks,
        }
    }

    /// Why its node cannot be asked of it now, if so.
    pub(crate) fn away(&self) -> Option<String> {
        self.away.why()
    }

    /// Whether the model was told, at the beginning of a turn, that it ended.
    pub(crate) fn is_announced(&self) -> bool {
        self.announced.load(Ordering::Relaxed)
    }

    /// The number that the model knows.
    pub(crate) const fn number(&self) -> u32 {
        self.number
    }

    /// Its name.
    pub(crate) const fn session(&self) -> SessionId {
        self.session
    }

    /// Where it runs.
    pub(crate) fn node(&self) -> NodeId {
        self.host.node()
    }

    /// What is to be said to its node once its end is stored.
    pub(crate) fn release(&self) -> Release {
        Release { node: self.node(), session: self.session }
    }

    /// The call that started it.
    pub(crate) const fn call(&self) -> CallId {
        self.call
    }

    /// The turn of that call.
    pub(crate) const fn turn(&self) -> TurnId {
        self.turn
    }

    /// Its command line.
    pub(crate) fn command(&self) -> &str {
        &self.command
    }

    /// How its standard streams are connected.
    pub(crate) const fn stdio(&self) -> Stdio {
        self.stdio
    }

    /// What it may touch.
    pub(crate) const fn policy(&self) -> &SandboxPolicy {
        &self.policy
    }

    /// What was in force when it started.
    pub(crate) fn enforced(&self) -> Option<Enforced> {
        self.record.enforced()
    }

    /// One line for each denial that the model has not been told.
    pub(crate) fn tell_denials(&self) -> Vec<String> {
        self.record.tell_denials()
    }

    /// What lists say of it.
    pub(crate) fn listed(&self) -> ListedSession {
        let progress = self.record.progress();
        ListedSession {
            number: self.number,
            session: self.session,
            elsewhere: self.elsewhere.clone(),
            call: self.call,
            command: self.command.clone(),
            ended: progress.over,
            away: self.away().is_some(),
            untold: progress.written.saturating_sub(progress.looked),
        }
    }

    /// All that is needed to take it up again.
    pub(crate) fn known(&self) -> KnownSession {
        KnownSession {
            number: self.number,
            session: self.session,
            node: self.host.node(),
            call: self.call,
            turn: self.turn,
            item: self.record.item(),
            command: self.command.clone(),
            stdio: self.stdio,
            cleaning: self.cleaning,
            next: self.record.shown(),
            announced: self.announced.load(Ordering::Relaxed),
        }
    }

    /// The same as it was at its start.
    pub(crate) fn opened(&self) -> KnownSession {
        KnownSession { next: Seq(0), announced: false, ..self.known() }
    }

    /// Notes that the model is told of its end; whether it had been before.
    pub(crate) fn announce(&self) -> bool {
        self.announced.swap(true, Ordering::Relaxed)
    }

    /// How it ended, in a line; `None` while it runs.
    pub(crate) fn how(&self) -> Option<String> {
        match self.ending() {
            Ok(Some(Ending::Ended(end))) => Some(format::ended(&end, self.enforced().as_ref())),
            Ok(Some(Ending::Lost { reason, .. })) => Some(format!("Process state unknown: {reason}")),
            Err(_) => Some("Process state unknown: the thread has another owner".to_owned()),
            Ok(None) => None,
        }
    }

    /// Waits for the calls that look at it now, and keeps others off.
    pub(crate) async fn alone(&self) -> MutexGuard<'_, ()> {
        self.turnstile.lock().await
    }

    /// How many bytes it has written.
    pub(crate) fn written(&self) -> u64 {
        self.record.progress().written
    }

    /// How many of them were there at the last look.
    pub(crate) fn looked(&self) -> u64 {
        self.record.progress().looked
    }

    /// Whether nothing more can come.
    pub(crate) fn is_over(&self) -> bool {
        self.record.progress().over
    }

    /// Waits.
    pub(crate) async fn wait(&self, patience: Patience) {
        self.away.ask_again();
        loop {
            let progress = self.record.progress();
            let calm = match (patience.silence, progress.last_output) {
                (Some(silence), Some(last)) if progress.written > patience.past => (last + silence).min(patience.until),
                (Some(_) | None, _) => patience.until,
            };
            if progress.over || Instant::now() >= calm {
                return;
            }
            let _ = tokio::time::timeout_at(calm, self.record.changed()).await;
        }
    }

    /// How it ended, if it did.
    pub(crate) fn ending(&self) -> Result<Option<Ending>, ToolFault> {
        self.record.ending()
    }

    /// Everything since the last look, and the first byte that has not been shown.
    pub(crate) fn look(&self, ending: Option<&Ending>) -> (HeadTail, Seq) {
        self.record.look(ending)
    }

    /// Tells its item that it runs on.
    pub(crate) async fn update(&self, items: &dyn ItemSink) -> Result<(), SinkClosed> {
        self.record.update(items).await
    }

    /// Completes the item, if it ended when its turn's records were closed.
    pub(crate) async fn complete(&self, ending: &Ending, items: &dyn ItemSink) -> Result<(), SinkClosed> {
        self.record.complete(ending, items).await
    }

    /// Writes to its standard input.
    pub(crate) async fn write(&self, chars: String, then: Input) -> Result<(), HostError> {
        self.host.write(self.session, chars.into(), then).await
    }

    /// Sends it a signal.
    pub(crate) async fn signal(&self, signal: i32) -> Result<(), HostError> {
        self.host.signal(self.session, signal).await
    }

    /// Ends it, and waits for its end. If that is not seen in time, its node ends it when its owner stays away.
    pub(crate) async fn kill(&self, by: &str) {
        let until = Instant::now() + KILL;
        let _alone = match tokio::time::timeout_at(until, self.host.kill(self.session, by)).await {
            // A call may still wait for this session; its wait ends with the session, so that nobody waits for both.
            Ok(Ok(())) => tokio::time::timeout_at(until, self.alone()).await,
            Ok(Err(_)) | Err(_) => return,
        };
        self.wait(Patience { until, silence: None, past: 0 }).await;
    }
}
