//! What is asked of a coordinator: one attempt each, with a deadline.

mod checkpoints;
mod files;
mod nodes;
mod sessions;
mod threads;
mod uploads;
mod workspaces;

pub use checkpoints::Restored;
pub use sessions::SessionFilter;

use super::error::ClientError;
use capstan_proto::convert::{Malformed, client_thread};
use capstan_proto::token::Token;
use capstan_proto::wire::client as wire;
use capstan_proto::wire::client::files_client::FilesClient;
use capstan_proto::wire::client::nodes_client::NodesClient;
use capstan_proto::wire::client::sessions_client::SessionsClient;
use capstan_proto::wire::client::threads_client::ThreadsClient;
use capstan_proto::wire::client::turns_client::TurnsClient;
use capstan_proto::wire::client::uploads_client::UploadsClient;
use capstan_proto::wire::client::workspaces_client::WorkspacesClient;
use capstan_types::checkpoint::{Changes, Undo};
use capstan_types::id::{EventSeq, ThreadId, TurnId};
use capstan_types::thread::{OnInterrupt, ThreadSettings, TurnInput};
use std::future::Future;
use std::time::Duration;
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Request, Response, Status, Streaming};

/// The longest a thread may take to begin: its workspace is opened on a node first.
const CREATE_DEADLINE: Duration = Duration::from_secs(60);

/// How long a workspace may take to be made or brought back.
const MAKE_DEADLINE: Duration = Duration::from_secs(3600);

/// The longest that looking at a whole workspace, and writing to it, may take.
const UNDO_DEADLINE: Duration = Duration::from_secs(200);

/// The longest that any other request may take.
const ASK_DEADLINE: Duration = Duration::from_secs(15);

/// The largest message that is taken: an item with its output, or a diff.
const LARGEST: usize = 64 << 20;

/// What every request carries.
#[derive(Debug, Clone)]
pub(super) struct Introduce(Option<Token>);

impl Interceptor for Introduce {
    fn call(&mut self, request: Request<()>) -> Result<Request<()>, Status> {
        match &self.0 {
            Some(token) => token.attach(request),
            None => Ok(request),
        }
    }
}

/// Where a thread's events end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    /// With the thread.
    Stopped,
    /// When no turn runs.
    Idle,
    /// With what is stored.
    Stored,
}

/// Asks one coordinator. Clones share the connection.
#[derive(Debug, Clone)]
pub(super) struct Requests {
    threads: ThreadsClient<InterceptedService<Channel, Introduce>>,
    turns: TurnsClient<InterceptedService<Channel, Introduce>>,
    nodes: NodesClient<InterceptedService<Channel, Introduce>>,
    sessions: SessionsClient<InterceptedService<Channel, Introduce>>,
    workspaces: WorkspacesClient<InterceptedService<Channel, Introduce>>,
    files: FilesClient<InterceptedService<Channel, Introduce>>,
    uploads: UploadsClient<InterceptedService<Channel, Introduce>>,
}

impl Requests {
    pub(super) fn over(channel: Channel, token: Option<Token>) -> Self {
        let channel = InterceptedService::new(channel, Introduce(token));
        Self {
            threads: ThreadsClient::new(channel.clone()).max_decoding_message_size(LARGEST),
            turns: TurnsClient::new(channel.clone()),
            nodes: NodesClient::new(channel.clone()).max_decoding_message_size(LARGEST),
            workspaces: WorkspacesClient::new(channel.clone()).max_decoding_message_size(LARGEST),
            files: FilesClient::new(channel.clone()).max_decoding_message_size(LARGEST),
            uploads: UploadsClient::new(channel.clone()),
            sessions: SessionsClient::new(channel).max_decoding_message_size(LARGEST),
        }
    }

    /// Asks for next to nothing, to see whether a coordinator is there that lets us in.
    pub(super) async fn greet(&mut self) -> Result<(), ClientError> {
        within("answer", ASK_DEADLINE, self.threads.list(wire::ListRequest { limit: 1, ..Default::default() })).await.map(drop)
    }

    pub(super) async fn create(&mut self, thread: ThreadId, settings: ThreadSettings) -> Result<(), ClientError> {
        let deadline = if settings.source.is_some() { MAKE_DEADLINE } else { CREATE_DEADLINE };
        let request = wire::CreateRequest { settings: Some(settings.into()), thread_id: thread.to_string() };
        let created = within("start a thread", deadline, Box::pin(self.threads.create(request))).await?;
        if created.thread_id == thread.to_string() {
            Ok(())
        } else {
            Err(Malformed::new("thread_id", "it is not the one that was asked for").into())
        }
    }

    /// How a thread that is being created waits for room, in words; nothing if it does not.
    pub(super) async fn waiting(&mut self, thread: ThreadId) -> Result<Option<String>, ClientError> {
        let request = wire::WaitingRequest { thread_id: thread.to_string() };
        let told = within("say how the thread waits", ASK_DEADLINE, self.threads.waiting(request)).await?;
        if !told.progress.is_empty() {
            return Ok(Some(format!("Making the workspace: {}", told.progress)));
        }
        let place = match told.before {
            0 => format!("first of {} in line", told.waiting),
            before => format!("{before} of {} in line before it", told.waiting),
        };
        Ok(told.waits.then(|| format!("Waiting for a place: {} ({place})", told.reason)))
    }

    pub(super) async fn subscribe(
        &mut self,
        thread: ThreadId,
        after: EventSeq,
        until: Until,
    ) -> Result<Streaming<wire::Event>, ClientError> {
        let (until_idle, stored_only) = (until == Until::Idle, until == Until::Stored);
        let request = wire::SubscribeRequest { thread_id: thread.to_string(), after_seq: after.0, until_idle, stored_only };
        within("send events", ASK_DEADLINE, self.threads.subscribe(request)).await
    }

    /// Gives how many turns are before it.
    pub(super) async fn queue_turn(&mut self, thread: ThreadId, turn: TurnId, input: TurnInput) -> Result<u32, ClientError> {
        // A turn that somebody else began, or that goes on after its coordinator's death, comes to its end first.
        let request = wire::StartTurnRequest { queue: true, ..client_thread::start_turn(thread, turn, input)? };
        within("start the turn", ASK_DEADLINE, self.turns.start(request)).await.map(|answer| answer.waits_for)
    }

    pub(super) async fn diff(&mut self, thread: ThreadId, turn: Option<TurnId>) -> Result<Changes, ClientError> {
        let turn_id = turn.map(|turn| turn.to_string()).unwrap_or_default();
        let request = wire::DiffRequest { thread_id: thread.to_string(), turn_id, max_bytes: 0 };
        within("compare the workspace", UNDO_DEADLINE, self.threads.diff(request)).await.map(Changes::from)
    }

    pub(super) async fn undo(&mut self, thread: ThreadId, turn: Option<TurnId>, force: bool) -> Result<Undo, ClientError> {
        let turn_id = turn.map(|turn| turn.to_string()).unwrap_or_default();
        let request = wire::UndoRequest { thread_id: thread.to_string(), turn_id, force };
        let answer = within("undo the turn", UNDO_DEADLINE, self.threads.undo(request)).await?;
        Ok(Undo::try_from(answer)?)
    }

    /// Gives the turn that was interrupted, if one ran.
    pub(super) async fn interrupt(
        &mut self,
        thread: ThreadId,
        sessions: OnInterrupt,
        withdraw_queued: bool,
    ) -> Result<Option<TurnId>, ClientError> {
        let sessions = wire::OnInterrupt::from(sessions).into();
        let request = wire::InterruptRequest { thread_id: thread.to_string(), sessions, withdraw_queued };
        let answer = within("interrupt the turn", ASK_DEADLINE, self.turns.interrupt(request)).await?;
        Ok(client_thread::chosen("turn_id", &answer.turn_id)?)
    }
}

async fn within<T>(
    what: &'static str,
    deadline: Duration,
    asked: impl Future<Output = Result<Response<T>, Status>>,
) -> Result<T, ClientError> {
    match tokio::time::timeout(deadline, asked).await {
        Ok(answer) => Ok(answer?.into_inner()),
        Err(_) => Err(ClientError::Silent { what, deadline }),
    }
}
