//! A thread's events, in order: each once, and none missed, whatever becomes of the connection.

use super::error::ClientError;
use super::lost::Lost;
use super::requests::{Requests, Until};
use capstan_proto::wire::client as wire;
use capstan_types::event::Event;
use capstan_types::id::{EventSeq, ThreadId, TurnId};
use capstan_types::thread::TurnInput;
use tonic::{Code, Status, Streaming};

/// A thread's events, in order.
#[derive(Debug)]
pub struct Events {
    requests: Requests,
    thread: ThreadId,
    after: EventSeq,
    /// Whether the last event ended a turn.
    at_an_end: bool,
    /// `None` while the connection is lost.
    stream: Option<Streaming<wire::Event>>,
    lost: Lost,
    turn: Awaited,
}

/// What is known of the turn whose events are waited for.
#[derive(Debug)]
enum Awaited {
    /// It is about to be asked for.
    Coming,
    /// There may be none: the events end when no turn runs.
    Perhaps,
    /// None is: the events end with what is stored.
    Nothing,
    /// It was asked for. Until an event of it is seen it may be that the coordinator died without a trace of it, and is asked again.
    Asked(TurnId, Box<TurnInput>),
    /// It has begun, so its end will come.
    Begun,
}

impl Events {
    /// Events after `after` up to the end of a turn that is about to be started.
    pub(super) const fn of_a_turn(requests: Requests, thread: ThreadId, after: EventSeq, lost: Lost) -> Self {
        Self { requests, thread, after, at_an_end: false, stream: None, lost, turn: Awaited::Coming }
    }

    /// Events after `after` as long as a turn runs.
    pub(super) const fn of_what_runs(requests: Requests, thread: ThreadId, after: EventSeq, lost: Lost) -> Self {
        Self { requests, thread, after, at_an_end: false, stream: None, lost, turn: Awaited::Perhaps }
    }

    /// Every event that is stored.
    pub(super) const fn of_what_is_stored(requests: Requests, thread: ThreadId, lost: Lost) -> Self {
        Self { requests, thread, after: EventSeq(0), at_an_end: false, stream: None, lost, turn: Awaited::Nothing }
    }

    /// Subscribes, if that is not done yet.
    pub(super) async fn open(&mut self) -> Result<(), ClientError> {
        while self.stream.is_none() {
            if let Err(error) = self.connect().await {
                self.lost(error).await?;
            }
        }
        Ok(())
    }

    /// From now on the turn's end is waited for.
    pub(super) fn expect(&mut self, turn: TurnId, input: TurnInput) {
        self.turn = Awaited::Asked(turn, Box::new(input));
    }

    /// The next event; `None` when there will be no other. Dropping the future loses none.
    ///
    /// # Errors
    /// The coordinator fails, stays away for too long, or sends what makes no sense.
    pub async fn next(&mut self) -> Result<Option<Event>, ClientError> {
        loop {
            self.open().await?;
            let Some(stream) = &mut self.stream else { continue };
            match stream.message().await {
                Ok(Some(event)) => {
                    if let Some(event) = self.heard(Event::try_from(event)?) {
                        return Ok(Some(event));
                    }
                }
                Ok(None) if matches!(self.turn, Awaited::Perhaps | Awaited::Nothing) || !self.lost.may_return() => {
                    return Ok(None);
                }
                Ok(None) => self.lost(Status::unavailable("the thread does not run").into()).await?,
                // We were slow; the stored events are still there.
                Err(status) if status.code() == Code::DataLoss => self.stream = None,
                // A coordinator in this process does not come back.
                Err(status) if status.code() == Code::Unavailable && !self.lost.may_return() => return Ok(None),
                Err(status) => self.lost(status.into()).await?,
            }
        }
    }

    /// The event, unless it was heard before.
    fn heard(&mut self, event: Event) -> Option<Event> {
        if !event.body.is_live_only() {
            // An end that could not be stored is told under the number of what was stored last.
            let unstored_end = event.seq == self.after && event.body.ends_turn() && !self.at_an_end;
            if event.seq <= self.after && !unstored_end {
                return None;
            }
            (self.after, self.at_an_end) = (event.seq, event.body.ends_turn());
            self.lost.found();
        }
        if let (Awaited::Asked(turn, _), Some(of)) = (&self.turn, event.turn)
            && *turn == of
        {
            self.turn = Awaited::Begun;
        }
        Some(event)
    }

    async fn connect(&mut self) -> Result<(), ClientError> {
        let (requests, thread, after, turn) = (&mut self.requests, self.thread, self.after, &self.turn);
        let connecting = Box::pin(async {
            if let Awaited::Asked(turn, input) = turn {
                requests.queue_turn(thread, *turn, TurnInput::clone(input)).await?;
            }
            let until = match turn {
                Awaited::Nothing => Until::Stored,
                Awaited::Perhaps => Until::Idle,
                Awaited::Coming | Awaited::Asked(..) | Awaited::Begun => Until::Stopped,
            };
            requests.subscribe(thread, after, until).await
        });
        self.stream = Some(self.lost.attend(connecting).await?);
        self.lost.connected();
        Ok(())
    }

    /// Waits before the next attempt, if there is to be one.
    async fn lost(&mut self, error: ClientError) -> Result<(), ClientError> {
        self.stream = None;
        if error.is_lost_connection() || error.is_unavailable() { self.lost.wait(error).await } else { Err(error) }
    }
}
