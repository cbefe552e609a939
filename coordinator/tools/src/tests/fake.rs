//! The machine, the records and the person of the tests.

use crate::Toolbox;
use crate::fault::ToolFault;
use crate::host::{
    ExecHost, FileRequest, HostError, Input, PatchReport, PatchRequest, SessionEvent, SessionReader, StartSession,
};
use crate::invocation::{Approver, CallContext, CallResult, Decision, NobodyToAsk, Question};
use crate::items::{ItemSink, SinkClosed};
use crate::release::Release;
use async_trait::async_trait;
use bytes::Bytes;
use capstan_types::call::Call;
use capstan_types::file_read::FileRead;
use capstan_types::id::{Attempt, CallId, NodeId, SessionId, ThreadId, TurnId};
use capstan_types::item::{CommandExecution, ItemBody, ItemId};
use capstan_types::launch::{Enforced, SessionEnd};
use capstan_types::limits::SessionLimits;
use capstan_types::output::clean::Cleaning;
use capstan_types::output::{Piece, Seq};
use capstan_types::path::AbsPath;
use capstan_types::policy::{ApprovalPolicy, SandboxPolicy};
use capstan_types::session::known::SessionChange;
use capstan_types::time::UnixMillis;
use serde_json::Value;
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::mpsc;

type Event = Result<SessionEvent, HostError>;

/// A node whose sessions are played by the test.
#[derive(Debug, Default)]
pub(super) struct FakeHost {
    /// None is `n1`.
    name: Option<NodeId>,
    pub(super) starting: Mutex<VecDeque<Result<FakeReader, HostError>>>,
    pub(super) attaching: Mutex<VecDeque<Result<FakeReader, HostError>>>,
    pub(super) attached: Mutex<Vec<(SessionId, Seq)>>,
    /// The node is away, for those who attach.
    pub(super) away: AtomicBool,
    pub(super) patching: Mutex<VecDeque<Result<PatchReport, HostError>>>,
    pub(super) starts: Mutex<Vec<StartSession>>,
    pub(super) patches: Mutex<Vec<PatchRequest>>,
    pub(super) reading: Mutex<VecDeque<Result<FileRead, HostError>>>,
    pub(super) reads: Mutex<Vec<FileRequest>>,
    pub(super) writes: Mutex<Vec<Bytes>>,
    pub(super) closes: Mutex<Vec<Input>>,
    pub(super) signals: Mutex<Vec<i32>>,
    pub(super) kills: Mutex<Vec<(SessionId, String)>>,
    sessions: Mutex<Vec<Arc<Played>>>,
    pub(super) on_write: Mutex<Option<HostError>>,
}

/// The test's end of a session.
#[derive(Debug)]
pub(super) struct Played {
    pub(super) id: SessionId,
    events: mpsc::UnboundedSender<Event>,
    seq: Mutex<Seq>,
}

#[derive(Debug)]
pub(super) struct FakeReader(mpsc::UnboundedReceiver<Event>);

#[async_trait]
impl SessionReader for FakeReader {
    async fn next(&mut self) -> Event {
        self.0.recv().await.unwrap_or(Err(HostError::NoSession))
    }
}

impl Played {
    pub(super) fn send(&self, event: Event) {
        let _ = self.events.send(event);
    }

    pub(super) fn write(&self, bytes: &[u8]) {
        let mut seq = self.seq.lock().unwrap();
        self.send(Ok(SessionEvent::Output(Piece::Bytes { seq: *seq, bytes: Bytes::copy_from_slice(bytes) })));
        *seq = seq.after(bytes.len() as u64);
    }

    pub(super) fn end(&self, end: SessionEnd) {
        self.send(Ok(SessionEvent::Ended { end, seal: None }));
    }

    pub(super) fn exit(&self, code: i32) {
        self.end(SessionEnd::Exited { code });
    }

    /// The stream breaks.
    pub(super) fn lose(&self) {
        self.send(Err(lost()));
    }
}

pub(super) fn node() -> NodeId {
    "n1".parse().unwrap()
}

pub(super) fn release(session: SessionId) -> Release {
    Release { node: node(), session }
}

pub(super) fn lost() -> HostError {
    HostError::Lost { node: node(), reason: "reset".to_owned() }
}

pub(super) fn enforced() -> Enforced {
    Enforced { landlock_abi: Some(7), ..Enforced::default() }
}

impl FakeHost {
    /// Another node than `n1`.
    pub(super) fn named(name: NodeId) -> Self {
        Self { name: Some(name), ..Self::default() }
    }

    /// The node goes away, with the stream of this session.
    pub(super) fn goes_away(&self, session: &Played) {
        self.away.store(true, Ordering::Relaxed);
        session.lose();
    }

    /// It comes back.
    pub(super) fn comes_back(&self) {
        self.away.store(false, Ordering::Relaxed);
    }

    /// The next start gives this session, which runs already.
    pub(super) fn will_start(&self) -> Arc<Played> {
        let played = self.will_start_silently();
        played.send(Ok(SessionEvent::Started { session: played.id, enforced: enforced() }));
        played
    }

    /// The next attach gives this session, from this byte on.
    pub(super) fn will_attach(&self, id: SessionId, from: Seq) -> Arc<Played> {
        let (events, receiver) = mpsc::unbounded_channel();
        let played = Arc::new(Played { id, events, seq: Mutex::new(from) });
        self.attaching.lock().unwrap().push_back(Ok(FakeReader(receiver)));
        self.sessions.lock().unwrap().push(Arc::clone(&played));
        played
    }

    /// The next start gives this session, which says nothing by itself.
    pub(super) fn will_start_silently(&self) -> Arc<Played> {
        let (events, receiver) = mpsc::unbounded_channel();
        let played = Arc::new(Played { id: SessionId::generate(), events, seq: Mutex::default() });
        self.starting.lock().unwrap().push_back(Ok(FakeReader(receiver)));
        self.sessions.lock().unwrap().push(Arc::clone(&played));
        played
    }
}

#[async_trait]
impl ExecHost for FakeHost {
    fn node(&self) -> NodeId {
        self.name.clone().unwrap_or_else(node)
    }

    async fn start(&self, session: StartSession) -> Result<Box<dyn SessionReader>, HostError> {
        self.starts.lock().unwrap().push(session);
        let reader = self.starting.lock().unwrap().pop_front().expect("an unexpected start")?;
        Ok(Box::new(reader))
    }

    async fn attach(&self, session: SessionId, from: Seq) -> Result<Box<dyn SessionReader>, HostError> {
        self.attached.lock().unwrap().push((session, from));
        if self.away.load(Ordering::Relaxed) {
            return Err(lost());
        }
        let reader = self.attaching.lock().unwrap().pop_front().unwrap_or(Err(HostError::NoSession))?;
        Ok(Box::new(reader))
    }

    async fn write(&self, _session: SessionId, bytes: Bytes, then: Input) -> Result<(), HostError> {
        self.closes.lock().unwrap().push(then);
        self.writes.lock().unwrap().push(bytes);
        self.on_write.lock().unwrap().take().map_or(Ok(()), Err)
    }

    async fn signal(&self, _session: SessionId, signal: i32) -> Result<(), HostError> {
        self.signals.lock().unwrap().push(signal);
        Ok(())
    }

    async fn kill(&self, session: SessionId, by: &str) -> Result<(), HostError> {
        self.kills.lock().unwrap().push((session, by.to_owned()));
        for played in self.sessions.lock().unwrap().iter().filter(|played| played.id == session) {
            played.end(SessionEnd::Killed { by: by.to_owned() });
        }
        Ok(())
    }

    async fn release(&self, _session: SessionId) -> Result<(), HostError> {
        Ok(())
    }

    async fn apply_patch(&self, patch: PatchRequest) -> Result<PatchReport, HostError> {
        self.patches.lock().unwrap().push(patch);
        self.patching.lock().unwrap().pop_front().expect("an unexpected patch")
    }

    async fn read_file(&self, file: FileRequest) -> Result<FileRead, HostError> {
        self.reads.lock().unwrap().push(file);
        self.reading.lock().unwrap().pop_front().expect("an unexpected file")
    }
}

/// What was told of items, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Told {
    Started(ItemId, ItemBody),
    Updated(ItemId, ItemBody),
    Completed(ItemId, ItemBody),
}

#[derive(Debug, Default)]
pub(super) struct FakeItems {
    pub(super) told: Mutex<Vec<Told>>,
    pub(super) live: Mutex<String>,
    pub(super) closed: Mutex<bool>,
    pub(super) changes: Mutex<Vec<SessionChange>>,
}

impl FakeItems {
    fn tell(&self, told: Told) -> Result<(), SinkClosed> {
        if *self.closed.lock().unwrap() {
            return Err(SinkClosed);
        }
        self.told.lock().unwrap().push(told);
        Ok(())
    }

    pub(super) fn told(&self) -> Vec<Told> {
        self.told.lock().unwrap().clone()
    }

    /// The command whose item was completed last.
    pub(super) fn completed_command(&self) -> CommandExecution {
        match self.told().pop() {
            Some(Told::Completed(_, ItemBody::CommandExecution(command))) => command,
            other => panic!("no completed command, but {other:?}"),
        }
    }
}

#[async_trait]
impl ItemSink for FakeItems {
    async fn started(&self, body: ItemBody) -> Result<ItemId, SinkClosed> {
        let starts = self.told().iter().filter(|told| matches!(told, Told::Started(..))).count();
        let id = ItemId(starts as u64);
        self.tell(Told::Started(id, body)).map(|()| id)
    }

    async fn updated(&self, id: ItemId, body: ItemBody) -> Result<(), SinkClosed> {
        self.tell(Told::Updated(id, body))
    }

    async fn completed(&self, id: ItemId, body: ItemBody) -> Result<(), SinkClosed> {
        self.tell(Told::Completed(id, body))
    }

    async fn session(&self, change: SessionChange) -> Result<(), SinkClosed> {
        self.changes.lock().unwrap().push(change);
        Ok(())
    }

    fn output(&self, _id: ItemId, text: String) {
        self.live.lock().unwrap().push_str(&text);
    }
}

/// Answers every question alike, and remembers them.
#[derive(Debug)]
pub(super) struct Person {
    pub(super) answer: Decision,
    pub(super) asked: Mutex<Vec<Question>>,
}

#[async_trait]
impl Approver for Person {
    async fn ask(&self, question: Question) -> Decision {
        self.asked.lock().unwrap().push(question);
        self.answer.clone()
    }
}

/// A thread with its tools.
#[derive(Debug)]
pub(super) struct Bench {
    pub(super) host: Arc<FakeHost>,
    pub(super) items: Arc<FakeItems>,
    pub(super) context: CallContext,
    pub(super) toolbox: Toolbox,
    calls: AtomicU32,
}

impl Bench {
    pub(super) fn new() -> Self {
        let (host, items) = (Arc::new(FakeHost::default()), Arc::new(FakeItems::default()));
        let cwd = AbsPath::new("/w").unwrap();
        let context = CallContext {
            thread: ThreadId::from_u128(7),
            host: host.clone(),
            hosts: None,
            sights: Vec::new(),
            sessions: Arc::default(),
            plan: Arc::default(),
            policy: SandboxPolicy::workspace_write(vec![cwd.clone()]),
            cwd,
            limits: SessionLimits::default(),
            cleaning: Cleaning::default(),
            approval: ApprovalPolicy::Never,
            approver: Arc::new(NobodyToAsk),
            environment: BTreeMap::new(),
            items: items.clone(),
        };
        Self { host, items, context, toolbox: Toolbox::standard(true), calls: AtomicU32::new(1) }
    }

    /// A person who gives this answer is asked under `approval`.
    pub(super) fn with_person(approval: ApprovalPolicy, answer: Decision) -> (Self, Arc<Person>) {
        let person = Arc::new(Person { answer, asked: Mutex::default() });
        let mut bench = Self::new();
        bench.context.approval = approval;
        bench.context.approver = person.clone();
        (bench, person)
    }

    /// The records of a new turn; those of the turn before are closed.
    pub(super) fn next_turn(&mut self) {
        *self.items.closed.lock().unwrap() = true;
        self.items = Arc::new(FakeItems::default());
        self.context.items = self.items.clone();
    }

    pub(super) fn asked(&self, tool: &str, arguments: impl Into<String>) -> Call {
        Call {
            id: CallId::from_u128(self.calls.fetch_add(1, Ordering::Relaxed).into()),
            turn: TurnId::from_u128(1),
            model_call_id: "call_1".to_owned(),
            tool: tool.to_owned(),
            arguments: arguments.into(),
            attempt: Attempt(1),
            asked_at: UnixMillis(0),
            replay: self.toolbox.replay_class(tool, ""),
        }
    }

    pub(super) async fn try_call(&self, tool: &str, arguments: impl Into<String>) -> Result<CallResult, ToolFault> {
        self.toolbox.invoke(&self.asked(tool, arguments), &self.context).await
    }

    pub(super) async fn call(&self, tool: &str, arguments: Value) -> CallResult {
        self.try_call(tool, arguments.to_string()).await.unwrap()
    }
}
