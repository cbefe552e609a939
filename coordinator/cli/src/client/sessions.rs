//! Sessions, as a coordinator shows them.

use super::Client;
use super::error::ClientError;
use super::lost::Lost;
use super::requests::{Requests, SessionFilter};
use bytes::Bytes;
use capstan_proto::wire::client as wire;
use capstan_types::launch::TermSize;
use capstan_types::operator::{Person, Seen, SessionName};
use capstan_types::output::Seq;
use capstan_types::session::SessionEvent;
use tonic::{Status, Streaming};

/// What runs on a coordinator's nodes.
#[derive(Debug, Clone, Default)]
pub struct AllSessions {
    /// The sessions, oldest first.
    pub sessions: Vec<Seen>,
    /// The nodes that did not tell, and why.
    pub silent: Vec<(String, String)>,
    /// Whether there are more than were told.
    pub more: bool,
}

impl Client {
    /// The sessions that pass the filter.
    ///
    /// # Errors
    /// The coordinator does not tell them. It is asked once.
    pub async fn sessions(&mut self, filter: SessionFilter) -> Result<AllSessions, ClientError> {
        let answer = self.requests.sessions(filter).await?;
        Ok(AllSessions {
            sessions: answer.sessions.into_iter().map(Seen::try_from).collect::<Result<_, _>>()?,
            silent: answer.silent.into_iter().map(|node| (node.node_id, node.reason)).collect(),
            more: answer.more,
        })
    }

    /// A session as this person acts on it.
    #[must_use]
    pub fn session(&self, name: SessionName, by: Person) -> Session {
        Session { client: self.clone(), name, by }
    }
}

/// One session, and who acts on it.
#[derive(Debug, Clone)]
pub struct Session {
    client: Client,
    name: SessionName,
    by: Person,
}

impl Session {
    /// Its events from `from` on.
    ///
    /// # Errors
    /// It is gone, or its node cannot be reached.
    pub async fn events(&self, from: Seq) -> Result<SessionEvents, ClientError> {
        self.open(from, false).await
    }

    /// Its events from `from` on, with the output that was kept whole.
    ///
    /// # Errors
    /// As [`Session::events`].
    pub async fn whole_events(&self, from: Seq) -> Result<SessionEvents, ClientError> {
        self.open(from, true).await
    }

    async fn open(&self, next: Seq, whole: bool) -> Result<SessionEvents, ClientError> {
        let mut requests = self.client.requests.clone();
        let stream = Some(requests.attach(&self.name, &self.by, next, whole).await?);
        let lost = Lost::not_yet(self.client.reach.clone());
        Ok(SessionEvents { requests, name: self.name.clone(), by: self.by.clone(), next, whole, stream, lost })
    }

    /// Writes to its standard input, and closes that if nothing follows. What is lost on the way is not written again.
    ///
    /// # Errors
    /// Its input is closed, or it is not known whether it was written.
    pub async fn write(&mut self, data: Bytes, close: bool) -> Result<(), ClientError> {
        self.client.requests.write_session(&self.name, &self.by, data, close).await
    }

    /// Sends a signal to its foreground.
    ///
    /// # Errors
    /// It is gone, or it is not known whether the signal was sent.
    pub async fn signal(&mut self, signal: i32) -> Result<(), ClientError> {
        self.client.requests.signal_session(&self.name, &self.by, signal).await
    }

    /// Changes its terminal's size.
    ///
    /// # Errors
    /// It is gone, or its node cannot be reached.
    pub async fn resize(&mut self, size: TermSize) -> Result<(), ClientError> {
        self.client.requests.resize_session(&self.name, &self.by, size).await
    }

    /// Ends its whole tree.
    ///
    /// # Errors
    /// It is gone, or its node cannot be reached.
    pub async fn kill(&mut self) -> Result<(), ClientError> {
        self.client.requests.kill_session(&self.name, &self.by).await
    }
}

/// A session's events, in order: each byte once and none missed, whatever becomes of the connection.
#[derive(Debug)]
pub struct SessionEvents {
    requests: Requests,
    name: SessionName,
    by: Person,
    next: Seq,
    whole: bool,
    /// `None` while the connection is lost.
    stream: Option<Streaming<wire::SessionEvent>>,
    lost: Lost,
}

impl SessionEvents {
    /// The next event; the last is the end. Dropping the future loses none.
    ///
    /// # Errors
    /// The session is gone, or its coordinator or node stay away for too long.
    pub async fn next(&mut self) -> Result<SessionEvent, ClientError> {
        loop {
            let Some(stream) = &mut self.stream else {
                let connecting = self.requests.attach(&self.name, &self.by, self.next, self.whole);
                match self.lost.attend(connecting).await {
                    Ok(stream) => {
                        self.stream = Some(stream);
                        self.lost.connected();
                    }
                    Err(error) => self.lost(error).await?,
                }
                continue;
            };
            match stream.message().await {
                Ok(Some(event)) => {
                    let event = SessionEvent::try_from(event)?;
                    if let SessionEvent::Output(piece) = &event {
                        self.next = piece.end();
                    }
                    self.lost.found();
                    return Ok(event);
                }
                Ok(None) => self.lost(Status::unavailable("the stream broke off before the session's end").into()).await?,
                Err(status) => self.lost(status.into()).await?,
            }
        }
    }

    async fn lost(&mut self, error: ClientError) -> Result<(), ClientError> {
        self.stream = None;
        if error.is_lost_connection() || error.is_unavailable() { self.lost.wait(error).await } else { Err(error) }
    }
}
