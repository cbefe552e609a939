//! A client of `capstan.client.v1`: what the commands ask of a coordinator, in this process or in another.
//!
//! Invariant: what is asked again because nobody answered bears the id it bore before, so that nothing is done twice.

mod error;
mod events;
mod files;
mod fork_at;
mod lost;
mod nodes;
mod patience;
mod reach;
mod requests;
mod sessions;
mod threads;
mod uploads;
mod workspaces;

pub use error::ClientError;
pub use events::Events;
pub use files::FileParts;
pub use fork_at::ForkAt;
pub use nodes::{AllNodes, DrainStream, EventStream, NodeFilter, Ordering};
pub use reach::{Reach, reach, to};
pub use requests::{Restored, SessionFilter};
pub use sessions::{AllSessions, Session, SessionEvents};
pub use workspaces::OfNodes;

use crate::failure::Failure;
use crate::membership::{Keeper, renew_once};
use capstan_identity::tls::Expected;
use capstan_proto::transport::tls::{self, why_not};
use capstan_proto::transport::{Listen, PipeConnector, own_channel, try_out};
use capstan_types::checkpoint::{Changes, Undo};
use capstan_types::id::{EventSeq, ThreadId, TurnId};
use capstan_types::principal::Role;
use capstan_types::thread::{OnInterrupt, ThreadSettings, TurnInput};
use lost::Lost;
use requests::Requests;
use std::error::Error as _;
use std::io;
use std::sync::Arc;
use tonic::transport::Channel;

/// A client.
#[derive(Debug, Clone)]
pub struct Client {
    requests: Requests,
    reach: Option<Reach>,
    /// Keeps this process a member, and hears whom not to believe any more, as long as the command runs.
    _keeper: Option<Arc<Keeper>>,
}

impl Client {
    /// A client of the coordinator behind the pipe.
    #[must_use]
    pub fn over(pipe: &PipeConnector) -> Self {
        Self { requests: Requests::over(pipe.channel(), None), reach: None, _keeper: None }
    }

    /// A client of the coordinator in another process, which is there and lets us in.
    ///
    /// # Errors
    /// It is not, or it does not.
    pub async fn connect(reach: Reach) -> Result<Self, Failure> {
        let mut requests = Requests::over(channel(&reach).await?, reach.token.clone());
        match requests.greet().await {
            Ok(()) => {
                let keeper = reach.member.clone().map(|(live, source)| Arc::new(Keeper::start(&live, source)));
                Ok(Self { requests, reach: Some(reach), _keeper: keeper })
            }
            Err(ClientError::Refused(status)) if why_not(status.as_ref()).is_some() => {
                let why = why_not(status.as_ref()).unwrap_or_default();
                Err(Failure::bad_input(format!("the coordinator at {} cannot be used: {why}", reach.place)))
            }
            Err(ClientError::Refused(status)) if reach.member.is_some() && status.source().is_none() => Err(Failure::bad_input(
                format!("the coordinator at {} does not let this client in: {}", reach.place, status.message()),
            )),
            Err(error) if error.is_lost_connection() => {
                tracing::debug!(reason = error.reason(), "no answer");
                Err(Failure::bad_input(format!("what listens at {} is no coordinator, or does not answer", reach.place)))
            }
            Err(ClientError::Refused(status)) if status.code() == tonic::Code::Unauthenticated => Err(Failure::bad_input(
                format!("the coordinator at {} does not let this client in: {}", reach.place, status.message()),
            )
            .hint("with --coordinator-token-file, name the token file that `capstan coordinator` shows when it starts")),
            Err(error) => Err(Failure::bad_input(format!("the coordinator at {} cannot be used: {error}", reach.place))),
        }
    }

    /// Where the coordinator is, if it is in another process: then turns go on when this one ends.
    #[must_use]
    pub fn place(&self) -> Option<String> {
        self.reach.as_ref().map(|reach| reach.place.to_string())
    }

    /// Starts a thread under this id.
    ///
    /// # Errors
    /// The workspace, the model or the policy cannot be had, or the coordinator stays away.
    pub async fn create(&mut self, thread: ThreadId, settings: ThreadSettings) -> Result<(), ClientError> {
        let mut lost = Lost::not_yet(self.reach.clone());
        loop {
            match lost.attend(Box::pin(self.requests.create(thread, settings.clone()))).await {
                Err(error) if error.is_lost_connection() => lost.wait(error).await?,
                done => return done,
            }
        }
    }

    /// How a thread that is being created waits for room, in words; nothing if it does not, or nobody knows.
    pub async fn waiting(&mut self, thread: ThreadId) -> Option<String> {
        // One of an older release cannot tell.
        self.requests.waiting(thread).await.inspect_err(|error| tracing::debug!(%error, "not told how the thread waits")).ok()?
    }

    /// Follows a thread in which a turn is about to be started, from its beginning.
    ///
    /// # Errors
    /// There is no such thread, or the coordinator stays away.
    pub async fn follow(&mut self, thread: ThreadId) -> Result<Events, ClientError> {
        self.follow_after(thread, EventSeq(0)).await
    }

    /// Follows a thread after an event of it, as long as a turn runs.
    ///
    /// # Errors
    /// As [`Client::follow`].
    pub async fn look_on(&mut self, thread: ThreadId, after: EventSeq) -> Result<Events, ClientError> {
        let mut events = Events::of_what_runs(self.requests.clone(), thread, after, Lost::not_yet(self.reach.clone()));
        events.open().await?;
        Ok(events)
    }

    /// Starts a turn under this id, of which `events` will tell to its end.
    ///
    /// # Errors
    /// Another turn runs already, or the coordinator stays away.
    pub async fn start_turn(
        &mut self,
        thread: ThreadId,
        turn: TurnId,
        input: TurnInput,
        events: &mut Events,
    ) -> Result<(), ClientError> {
        self.queue_turn(thread, turn, input.clone()).await?;
        events.expect(turn, input);
        Ok(())
    }

    /// What a turn changed in the workspace, or the last one that changed something.
    ///
    /// # Errors
    /// There is none, or the coordinator does not answer. It is asked once.
    pub async fn diff(&mut self, thread: ThreadId, turn: Option<TurnId>) -> Result<Changes, ClientError> {
        self.requests.diff(thread, turn).await
    }

    /// Brings the workspace back to what it was before a turn, or before the last one that is not undone.
    ///
    /// # Errors
    /// As [`Client::diff`]. An undo whose answer was lost may be asked for again: what it changed counts as changed since then.
    pub async fn undo(&mut self, thread: ThreadId, turn: Option<TurnId>, force: bool) -> Result<Undo, ClientError> {
        self.requests.undo(thread, turn, force).await
    }

    /// Interrupts the running turn, if there is one.
    ///
    /// # Errors
    /// The coordinator does not answer. It is asked once.
    pub async fn interrupt(&mut self, thread: ThreadId, sessions: OnInterrupt) -> Result<(), ClientError> {
        self.requests.interrupt(thread, sessions, true).await.map(drop)
    }
}

/// A channel to the coordinator, which was tried once: a channel itself would only say that something went wrong.
async fn channel(reach: &Reach) -> Result<Channel, Failure> {
    let (Listen::Tls(host), Some((live, source))) = (&reach.place, &reach.member) else {
        try_out(&reach.place).await.map_err(|error| unreached(reach, &error))?;
        return own_channel(&reach.place).map_err(Failure::bad_input);
    };
    renew_once(live, source).await?;
    let expected = Expected { role: Role::Coordinator, id: None };
    tls::try_out(host, live, expected.clone()).await.map_err(|error| unreached(reach, &error))?;
    Ok(tls::secured_channel(host, live, &live.credentials(), expected, None))
}

/// What to do where no coordinator is needed.
const START_OR_GO_WITHOUT: &str = "start one with `capstan coordinator`, or run without it: --coordinator ''";

/// What of a failure to connect is told where a coordinator that runs is needed.
#[must_use]
pub fn needed(failure: Failure) -> Failure {
    if failure.hint.as_deref() == Some(START_OR_GO_WITHOUT) {
        return failure.hint("start one with `capstan coordinator`, or name one that runs: --coordinator ADDR");
    }
    failure
}

fn unreached(reach: &Reach, error: &io::Error) -> Failure {
    let place = &reach.place;
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
            Failure::bad_input(format!("no coordinator serves at {place}")).hint(START_OR_GO_WITHOUT)
        }
        io::ErrorKind::PermissionDenied if reach.member.is_some() => {
            Failure::bad_input(format!("the coordinator at {place} cannot be used: {error}"))
        }
        io::ErrorKind::PermissionDenied => Failure::bad_input(format!("the coordinator at {place} cannot be used: {error}"))
            .hint("name a coordinator of your own"),
        _ => Failure::bad_input(format!("the coordinator at {place} cannot be reached: {error}")),
    }
}
