//! A client of `capstan.client.v1`: what the commands ask of a coordinator, with a deadline on each request.

use crate::hint;
use capstan_proto::convert::{Malformed, client_thread};
use capstan_proto::transport::PipeConnector;
use capstan_proto::wire::client as wire;
use capstan_proto::wire::client::threads_client::ThreadsClient;
use capstan_proto::wire::client::turns_client::TurnsClient;
use capstan_types::event::Event;
use capstan_types::id::{EventSeq, ThreadId};
use capstan_types::thread::{OnInterrupt, ThreadSettings, TurnInput};
use std::future::Future;
use std::time::Duration;
use tonic::transport::Channel;
use tonic::{Code, Response, Status, Streaming};

/// The longest a thread may take to begin: its workspace is opened on a node first.
const CREATE_DEADLINE: Duration = Duration::from_secs(60);

/// The longest that any other request may take.
const ASK_DEADLINE: Duration = Duration::from_secs(15);

/// The largest message that is taken: an item with its output, or a diff.
const LARGEST: usize = 64 << 20;

/// Why a coordinator did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// It said no.
    #[error("{}", hint::sentence(.0))]
    Refused(Box<Status>),
    /// It did not answer.
    #[error("the coordinator did not {what} within {} s", .deadline.as_secs())]
    Silent {
        /// What it was to do.
        what: &'static str,
        /// How long it had.
        deadline: Duration,
    },
    /// Its answer, or what it was to be sent, makes no sense.
    #[error(transparent)]
    Malformed(#[from] Malformed),
}

impl From<Status> for ClientError {
    fn from(status: Status) -> Self {
        Self::Refused(Box::new(status))
    }
}

/// A client.
#[derive(Debug, Clone)]
pub struct Client {
    threads: ThreadsClient<Channel>,
    turns: TurnsClient<Channel>,
}

impl Client {
    /// A client of the coordinator behind the pipe.
    #[must_use]
    pub fn over(pipe: &PipeConnector) -> Self {
        let channel = pipe.channel();
        Self { threads: ThreadsClient::new(channel.clone()).max_decoding_message_size(LARGEST), turns: TurnsClient::new(channel) }
    }

    /// Starts a thread.
    ///
    /// # Errors
    /// The workspace, the model or the policy cannot be had.
    pub async fn create(&mut self, settings: ThreadSettings) -> Result<ThreadId, ClientError> {
        let request = wire::CreateRequest { settings: Some(settings.into()) };
        let created = within("start a thread", CREATE_DEADLINE, self.threads.create(request)).await?;
        created.thread_id.parse().map_err(|error| Malformed::new("thread_id", error).into())
    }

    /// Follows a thread's events after `after`.
    ///
    /// # Errors
    /// There is no such thread, or the coordinator does not answer.
    pub async fn follow(&mut self, thread: ThreadId, after: EventSeq) -> Result<Events, ClientError> {
        let stream = self.subscribe(thread, after).await?;
        Ok(Events { client: self.clone(), thread, after, stream })
    }

    async fn subscribe(&mut self, thread: ThreadId, after: EventSeq) -> Result<Streaming<wire::Event>, ClientError> {
        let request = wire::SubscribeRequest { thread_id: thread.to_string(), after_seq: after.0 };
        within("send events", ASK_DEADLINE, self.threads.subscribe(request)).await
    }

    /// Starts a turn.
    ///
    /// # Errors
    /// A turn runs already, or the coordinator does not answer.
    pub async fn start_turn(&mut self, thread: ThreadId, input: TurnInput) -> Result<(), ClientError> {
        let request = client_thread::start_turn(thread.to_string(), input)?;
        within("start the turn", ASK_DEADLINE, self.turns.start(request)).await.map(drop)
    }

    /// Interrupts the running turn, if there is one.
    ///
    /// # Errors
    /// The coordinator does not answer.
    pub async fn interrupt(&mut self, thread: ThreadId, sessions: OnInterrupt) -> Result<(), ClientError> {
        let sessions = wire::OnInterrupt::from(sessions).into();
        let request = wire::InterruptRequest { thread_id: thread.to_string(), sessions };
        within("interrupt the turn", ASK_DEADLINE, self.turns.interrupt(request)).await.map(drop)
    }
}

/// A thread's events, in order.
#[derive(Debug)]
pub struct Events {
    client: Client,
    thread: ThreadId,
    after: EventSeq,
    stream: Streaming<wire::Event>,
}

impl Events {
    /// The next event; `None` when the coordinator ends. Dropping the future loses none.
    ///
    /// # Errors
    /// The coordinator fails, or sends what makes no sense.
    pub async fn next(&mut self) -> Result<Option<Event>, ClientError> {
        loop {
            match self.stream.message().await {
                Ok(Some(event)) => {
                    let event = Event::try_from(event)?;
                    self.after = event.seq;
                    return Ok(Some(event));
                }
                Ok(None) => return Ok(None),
                // We were slow; the stored events are still there.
                Err(status) if status.code() == Code::DataLoss => {
                    self.stream = self.client.subscribe(self.thread, self.after).await?;
                }
                Err(status) => return Err(status.into()),
            }
        }
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
