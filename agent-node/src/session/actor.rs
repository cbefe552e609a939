//! One session's account: who holds it, whether it has ended, and whether it may be forgotten.
//!
//! Invariant: the end is set once, by whoever hears it first (a reader, the control connection, or the record that a dead holder
//! left), and everybody is told that one. The actor's death ends nothing: the holder lives on without the node.

use crate::error::NodeError;
use crate::journal::{Entry, Journal};
use crate::node::capacity::{Known, Place};
use crate::session::control::{self, Command};
use crate::session::dir::SessionDir;
use crate::session::holder::Holder;
use crate::session::input;
use crate::session::message::{Done, Input, SessionMsg};
use crate::session::metrics;
use crate::session::protected::Writes;
use crate::workspace::message::{WorkspaceFact, WorkspaceFacts};
use capstan_types::control::Request;
use capstan_types::id::SessionId;
use capstan_types::launch::{SessionEnd, Stdio};
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort, SupervisionEvent};
use std::time::Duration;
use tokio::net::UnixStream;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

/// What is said of a session that ended and was forgotten before anybody had stored its end.
const FORGOTTEN: &str =
    "the session ended, and the node forgot its end and its output before anybody had said that they are stored";

/// How long the holder of a released session may take to go before it is made to.
const GOODBYE: Duration = Duration::from_secs(5);

/// How many may wait for one session's end. Full: the newest is turned away, and asks again.
const END_WAITERS: usize = 64;

/// Keeps account of one session.
pub(crate) struct SessionActor;

/// What a session's actor starts from.
#[derive(Debug)]
pub(crate) struct SessionArgs {
    pub(crate) session: SessionId,
    pub(crate) dir: SessionDir,
    pub(crate) holder: Holder,
    /// The connection by which it was asked for, if it was.
    pub(crate) control: Option<UnixStream>,
    pub(crate) stdio: Stdio,
    pub(crate) place: Place,
    pub(crate) known: Known,
    pub(crate) workspace: WorkspaceFacts,
    pub(crate) writes: Writes,
    pub(crate) journal: Journal,
}

#[derive(Debug)]
pub(crate) struct SessionState {
    session: SessionId,
    dir: SessionDir,
    workspace: WorkspaceFacts,
    journal: Journal,
    writes: Writes,
    end: Option<SessionEnd>,
    place: Option<Place>,
    known: Option<Known>,
    life: Life,
    /// What input is connected to.
    stdio: Stdio,
    input: InputState,
    commands: mpsc::Sender<Command>,
    kill_holder: Option<oneshot::Sender<()>>,
    holder_exited: bool,
    end_waiters: Vec<RpcReplyPort<SessionEnd>>,
    discarding: Vec<RpcReplyPort<()>>,
    releasing: Vec<Done>,
    /// Dropped with the actor: the connections close, and the runtime reaps the holder.
    tasks: JoinSet<()>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Life {
    /// The coordinator has not let go of it.
    Wanted,
    /// It is to be forgotten when it has ended.
    Unwanted,
    /// It is to be forgotten when the journal knows that.
    Parting,
    /// It is being forgotten.
    Leaving,
}

#[derive(Debug)]
enum InputState {
    Unused,
    Open(mpsc::Sender<(Input, Done)>),
    Closed,
}

impl Actor for SessionActor {
    type Msg = SessionMsg;
    type State = SessionState;
    type Arguments = SessionArgs;

    async fn pre_start(&self, me: ActorRef<SessionMsg>, args: SessionArgs) -> Result<SessionState, ActorProcessingErr> {
        let (commands, to_send) = mpsc::channel(control::COMMANDS);
        let (kill_holder, kill) = oneshot::channel();
        let mut tasks = JoinSet::new();
        tasks.spawn(control::serve(args.control, args.dir.socket(), to_send, me.clone()));
        tasks.spawn(outlive(args.holder, kill, me));
        Ok(SessionState {
            session: args.session,
            dir: args.dir,
            workspace: args.workspace,
            journal: args.journal,
            writes: args.writes,
            end: None,
            place: Some(args.place),
            known: Some(args.known),
            life: Life::Wanted,
            input: if args.stdio == Stdio::PipesNoInput { InputState::Closed } else { InputState::Unused },
            stdio: args.stdio,
            commands,
            kill_holder: Some(kill_holder),
            holder_exited: false,
            end_waiters: Vec::new(),
            discarding: Vec::new(),
            releasing: Vec::new(),
            tasks,
        })
    }

    async fn handle(
        &self,
        me: ActorRef<SessionMsg>,
        msg: SessionMsg,
        state: &mut SessionState,
    ) -> Result<(), ActorProcessingErr> {
        match msg {
            SessionMsg::Write { input, reply } => state.write(&me, input, reply),
            SessionMsg::Signal { number, reply } => state.command(Request::Signal(number), reply),
            SessionMsg::Resize { size, reply } => state.command(Request::Resize(size), reply),
            SessionMsg::Kill { by, reply } => state.command(Request::Kill { by }, reply),
            SessionMsg::Release { reply } => state.release(&me, reply),
            SessionMsg::Discard { by, reply } => state.discard(&me, by, reply),
            SessionMsg::AwaitEnd { reply } => state.await_end(reply),
            SessionMsg::Ended(end) | SessionMsg::EndFound(end) => state.ended(&me, end),
            SessionMsg::InputClosed => state.input = InputState::Closed,
            SessionMsg::ControlLost(reason) => state.control_lost(&reason),
            SessionMsg::HolderExited => state.holder_exited(&me),
            SessionMsg::ReleaseOverdue => state.end_holder(),
            SessionMsg::ReleaseKept => state.leave(&me),
            SessionMsg::DirRemoved => {
                state.discarding.drain(..).for_each(|reply| drop(reply.send(())));
                me.stop(Some("forgotten".to_owned()));
            }
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        _me: ActorRef<SessionMsg>,
        event: SupervisionEvent,
        _state: &mut SessionState,
    ) -> Result<(), ActorProcessingErr> {
        match event {
            // A session supervises nobody.
            SupervisionEvent::ActorStarted(_)
            | SupervisionEvent::ActorTerminated(..)
            | SupervisionEvent::ActorFailed(..)
            | SupervisionEvent::ProcessGroupChanged(_) => {}
        }
        Ok(())
    }
}

impl SessionState {
    fn write(&mut self, me: &ActorRef<SessionMsg>, input: Input, reply: Done) {
        if self.end.is_some() || matches!(self.input, InputState::Closed) {
            let _ = reply.send(Err(NodeError::InputClosed));
            return;
        }
        // On a terminal the end of input is a character: it ends one program's reading, and more may follow.
        let last = matches!(input, Input::Last(_)) && !matches!(self.stdio, Stdio::Terminal(_));
        let writes = self.input_writer(me);
        let taken = writes.try_send((input, reply));
        match taken {
            Ok(()) if last => self.input = InputState::Closed,
            Ok(()) => {}
            Err(mpsc::error::TrySendError::Full((_, reply))) => {
                let _ = reply.send(Err(NodeError::busy("the session's input")));
            }
            Err(mpsc::error::TrySendError::Closed((_, reply))) => {
                // The next write tries a new connection.
                self.input = InputState::Unused;
                let _ = reply.send(Err(NodeError::HolderLost("it closed the connection for input".to_owned())));
            }
        }
    }

    fn input_writer(&mut self, me: &ActorRef<SessionMsg>) -> mpsc::Sender<(Input, Done)> {
        if let InputState::Open(writes) = &self.input {
            return writes.clone();
        }
        let (writes, to_write) = mpsc::channel(input::WRITES);
        self.tasks.spawn(input::serve(self.dir.socket(), to_write, me.clone()));
        self.input = InputState::Open(writes.clone());
        writes
    }

    /// Sends a command. One for a session that has ended has no effect, and that is no error.
    fn command(&mut self, request: Request, reply: Done) {
        if self.end.is_some() {
            let _ = reply.send(Ok(()));
            return;
        }
        match self.commands.try_send(Command { request, reply: Some(reply) }) {
            Ok(()) => {}
            Err(mpsc::error::TrySendError::Full(command)) => answer(command, NodeError::busy("the session's command queue")),
            Err(mpsc::error::TrySendError::Closed(command)) => {
                answer(command, NodeError::HolderLost("it does not answer".to_owned()));
            }
        }
    }

    fn release(&mut self, me: &ActorRef<SessionMsg>, reply: Done) {
        if self.end.is_none() {
            let _ = reply.send(Err(NodeError::StillRuns));
            return;
        }
        if self.life == Life::Leaving {
            let _ = reply.send(Ok(()));
            return;
        }
        self.releasing.push(reply);
        self.let_go(me);
    }

    fn discard(&mut self, me: &ActorRef<SessionMsg>, by: String, reply: RpcReplyPort<()>) {
        self.discarding.push(reply);
        if self.end.is_some() {
            self.let_go(me);
            return;
        }
        self.life = Life::Unwanted;
        if self.commands.try_send(Command { request: Request::Kill { by }, reply: None }).is_err() {
            self.end_holder();
        }
    }

    /// The end is known and nobody wants the session any more. The journal comes first: a node that is killed after the output is gone
    /// must not offer it.
    fn let_go(&mut self, me: &ActorRef<SessionMsg>) {
        if matches!(self.life, Life::Parting | Life::Leaving) {
            return;
        }
        self.life = Life::Parting;
        self.known = None;
        let (journal, session, me) = (self.journal.clone(), self.session, me.clone());
        // Who asks again must not be told that its end is stored.
        let entry = match self.forgotten() {
            Some(reason) => Entry::Lost { session, reason },
            None => Entry::Released { session },
        };
        self.tasks.spawn(async move {
            journal.note(entry).await;
            let _ = me.cast(SessionMsg::ReleaseKept);
        });
    }

    /// Why nobody will know of the end, if it was not released by whoever stores it.
    fn forgotten(&self) -> Option<String> {
        (!self.discarding.is_empty() && self.releasing.is_empty()).then(|| FORGOTTEN.to_owned())
    }

    /// The holder may go, and then the directory.
    fn leave(&mut self, me: &ActorRef<SessionMsg>) {
        self.life = Life::Leaving;
        let lost = self.forgotten();
        self.releasing.drain(..).for_each(|reply| drop(reply.send(Ok(()))));
        self.tell(WorkspaceFact::Released { session: self.session, lost });
        if self.holder_exited {
            self.remove_dir(me);
        } else if self.commands.try_send(Command { request: Request::Release, reply: None }).is_err() {
            self.end_holder();
        } else {
            drop(me.send_after(GOODBYE, || SessionMsg::ReleaseOverdue));
        }
    }

    fn await_end(&mut self, reply: RpcReplyPort<SessionEnd>) {
        match &self.end {
            Some(end) => drop(reply.send(end.clone())),
            None if self.end_waiters.len() < END_WAITERS => self.end_waiters.push(reply),
            None => {}
        }
    }

    fn ended(&mut self, me: &ActorRef<SessionMsg>, end: SessionEnd) {
        if self.end.is_some() {
            return;
        }
        metrics::ended(&end);
        self.place = None;
        self.writes.over();
        self.input = InputState::Closed;
        self.end_waiters.drain(..).for_each(|reply| drop(reply.send(end.clone())));
        self.write_down(end.clone());
        self.end = Some(end);
        match self.life {
            Life::Wanted => self.tell(WorkspaceFact::Ended { session: self.session }),
            Life::Unwanted | Life::Parting | Life::Leaving => self.let_go(me),
        }
    }

    fn control_lost(&mut self, reason: &str) {
        if self.end.is_none() && !self.holder_exited {
            // What cannot be commanded cannot be left running: the holder takes its tree along.
            tracing::warn!(session = %self.session, reason, "the holder of a session does not answer; it is made to end");
        }
        self.end_holder();
    }

    fn holder_exited(&mut self, me: &ActorRef<SessionMsg>) {
        self.holder_exited = true;
        match (&self.end, self.life) {
            (None, _) => self.find_end(me),
            (Some(_), Life::Leaving) => self.remove_dir(me),
            (Some(_), Life::Wanted | Life::Unwanted | Life::Parting) => {}
        }
    }

    /// Looks up the end that the holder wrote down before it died.
    fn find_end(&mut self, me: &ActorRef<SessionMsg>) {
        let (dir, me) = (self.dir.clone(), me.clone());
        self.tasks.spawn(async move {
            let unseen = || SessionEnd::Unknown { reason: "the session's holder died before the end was seen".to_owned() };
            let end = dir.end().await.unwrap_or_else(unseen);
            let _ = me.cast(SessionMsg::EndFound(end));
        });
    }

    fn remove_dir(&mut self, me: &ActorRef<SessionMsg>) {
        let (dir, me) = (self.dir.clone(), me.clone());
        self.tasks.spawn(async move {
            dir.remove().await;
            let _ = me.cast(SessionMsg::DirRemoved);
        });
    }

    fn end_holder(&mut self) {
        if let Some(kill) = self.kill_holder.take() {
            let _ = kill.send(());
        }
    }

    /// Writes the end into the journal, in a task: it is in the session's directory already.
    fn write_down(&mut self, end: SessionEnd) {
        let (journal, session) = (self.journal.clone(), self.session);
        self.tasks.spawn(async move { journal.note(Entry::Ended { session, end }).await });
    }

    /// Tells the workspace, in a task: its mailbox may be full, and waiting for it here would stop the session.
    fn tell(&mut self, fact: WorkspaceFact) {
        while self.tasks.try_join_next().is_some() {}
        let workspace = self.workspace.clone();
        self.tasks.spawn(async move {
            let _ = workspace.tell(fact).await;
        });
    }
}

fn answer(command: Command, error: NodeError) {
    if let Some(reply) = command.reply {
        let _ = reply.send(Err(error));
    }
}

/// Waits for the holder to end, so that it leaves no zombie, and makes it end when asked.
async fn outlive(mut holder: Holder, kill: oneshot::Receiver<()>, actor: ActorRef<SessionMsg>) {
    let asked = tokio::select! {
        () = holder.wait() => false,
        Ok(()) = kill => true,
    };
    if asked {
        holder.end().await;
    }
    let _ = actor.cast(SessionMsg::HolderExited);
}
