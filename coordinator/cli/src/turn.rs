//! One turn from its start to its end: events to the renderer, wishes to the coordinator.

mod waiting;

use crate::client::{Client, ClientError, Events, ForkAt};
use crate::render::Render;
use crate::signals::{Signals, Wish};
use capstan_types::event::{Event, EventBody};
use capstan_types::id::{EventSeq, ThreadId, TurnId};
use capstan_types::item::ItemBody;
use capstan_types::thread::{OnInterrupt, ThreadSettings, TurnInput};
use std::io;
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// How long an interrupted turn may take to end.
const INTERRUPT_GRACE: Duration = Duration::from_secs(10);

/// How long taking back what was only just asked for may take.
const TAKE_BACK_WITHIN: Duration = Duration::from_secs(2);

/// How a turn ended.
#[derive(Debug)]
pub enum End {
    /// As it should.
    Completed,
    /// In an error, which its text tells.
    Failed(String),
    /// At a budget, which its text tells with how to go on.
    Paused(String),
    /// A signal asked for it, or somebody else.
    Interrupted(Option<Wish>),
    /// Whoever read the output has left.
    Unread,
    /// The output cannot be written.
    Unwritten(io::Error),
}

/// A turn that has ended.
#[derive(Debug)]
pub struct Ended {
    /// How.
    pub end: End,
    /// The last message.
    pub last_message: Option<String>,
}

/// What a turn begins in.
#[derive(Debug)]
pub enum Start {
    /// A thread of its own.
    New(Box<ThreadSettings>),
    /// A thread of its own, under this id.
    NewAs(ThreadId, Box<ThreadSettings>),
    /// A thread that there is.
    Resume(ThreadId),
    /// A thread that goes on from a turn of this one, or from the last that has ended.
    Fork(ThreadId, ForkAt),
}

/// Starts or opens a thread and runs one turn of it.
///
/// # Errors
/// The thread or the turn does not start, or the coordinator fails.
pub async fn run(
    client: &mut Client,
    start: Start,
    input: TurnInput,
    render: &mut impl Render,
    signals: &mut Signals,
) -> Result<Ended, ClientError> {
    let thread = match &start {
        Start::Resume(thread) | Start::NewAs(thread, _) => *thread,
        Start::New(_) | Start::Fork(..) => ThreadId::generate(),
    };
    let turn = TurnId::generate();
    let (mut events, opened) = tokio::select! {
        begun = Box::pin(begin(client, (thread, turn), start, input, render)) => begun?,
        wish = signals.next() => {
            take_back(client, thread).await;
            return Ok(Watch::default().ended(End::Interrupted(Some(wish))));
        }
    };
    let mut watch = Watch::default();
    if let Some(end) = opened.and_then(|opened| watch.show(&opened, render)) {
        return Ok(watch.ended(end));
    }
    loop {
        let wished = tokio::select! {
            event = Box::pin(events.next()) => match event? {
                // A turn before it comes to its end first.
                Some(event) if event.turn.is_some_and(|of| of != turn) => continue,
                Some(event) => match watch.see(&event, render) {
                    Seen::More => continue,
                    Seen::End(end) => return Ok(watch.ended(end)),
                    Seen::Unwritten(error) => Stop::Output(error),
                },
                None => return Ok(watch.ended(End::Failed("the coordinator stopped before the turn ended".to_owned()))),
            },
            wish = signals.next() => Stop::Signal(wish),
            () = watch.patience() => return Ok(watch.give_up()),
        };
        if watch.stop.is_some() && matches!(wished, Stop::Signal(Wish::HangUp)) {
            // Nobody asks again: a terminal that is closed fails the output first, and signals then.
            watch.stop = Some(wished);
            continue;
        }
        if watch.stop.is_some() {
            // Asked for the second time: at once.
            return Ok(watch.give_up());
        }
        watch.stop_for(wished);
        // Who stops a run expects that nothing of it runs on.
        let interrupted = tokio::select! {
            interrupted = Box::pin(client.interrupt(thread, OnInterrupt::KillSessions)) => interrupted,
            _ = signals.next() => Err(ClientError::Impatient),
        };
        match interrupted {
            Ok(()) => {}
            Err(error) if client.place().is_some() => return Ok(watch.ended(End::Failed(not_interrupted(thread, &error)))),
            Err(error) => {
                tracing::warn!(%error, "the turn could not be interrupted");
                return Ok(watch.give_up());
            }
        }
    }
}

/// Gives the events of the turn, and what tells of the thread where they do not.
async fn begin(
    client: &mut Client,
    (thread, turn): (ThreadId, TurnId),
    start: Start,
    input: TurnInput,
    render: &mut impl Render,
) -> Result<(Events, Option<Event>), ClientError> {
    let opened = match start {
        Start::New(settings) | Start::NewAs(_, settings) => {
            waiting::create(client, thread, *settings, render).await?;
            None
        }
        Start::Resume(thread) => Some(client.resume(thread).await?),
        Start::Fork(source, at) => Some(waiting::fork(client, source, at, thread, render).await?),
    };
    let opened = opened.map(|(record, last)| {
        let settings = Box::new(record.settings.overridden(&input.overrides));
        let body = EventBody::ThreadStarted { thread, settings };
        Event { seq: last, at: record.updated_at, turn: None, body }
    });
    let mut events = client.follow_after(thread, opened.as_ref().map_or(EventSeq(0), |event| event.seq)).await?;
    client.start_turn(thread, turn, input, &mut events).await?;
    Ok((events, opened))
}

/// What was asked for may run already where it does not end with this process.
async fn take_back(client: &mut Client, thread: ThreadId) {
    if client.place().is_some() {
        // It fails where nothing has been started.
        let _ = timeout(TAKE_BACK_WITHIN, Box::pin(client.interrupt(thread, OnInterrupt::KillSessions))).await;
    }
}

fn not_interrupted(thread: ThreadId, error: &ClientError) -> String {
    format!(
        "the turn could not be interrupted, and may still run ({}); `capstan threads follow {thread}` shows it",
        error.reason()
    )
}

/// Why a turn is to stop.
#[derive(Debug)]
enum Stop {
    Signal(Wish),
    Output(io::Error),
}

enum Seen {
    More,
    End(End),
    Unwritten(io::Error),
}

/// What is seen of a turn, until its end.
#[derive(Debug, Default)]
pub struct Watch {
    stop: Option<Stop>,
    deadline: Option<Instant>,
    last_message: Option<String>,
}

impl Watch {
    /// Shows an event; gives the turn's end, or that of whoever reads.
    pub fn show(&mut self, event: &Event, render: &mut impl Render) -> Option<End> {
        match self.see(event, render) {
            Seen::More => None,
            Seen::End(end) => Some(end),
            Seen::Unwritten(error) => Some(unwritten(error)),
        }
    }

    fn see(&mut self, event: &Event, render: &mut impl Render) -> Seen {
        if let EventBody::ItemCompleted { item } = &event.body
            && let ItemBody::AgentMessage { text } = &item.body
        {
            self.last_message = Some(text.clone());
        }
        let written = match &self.stop {
            // It was unwritable before and would be again; a terminal that is closed is unwritable too.
            Some(Stop::Output(_) | Stop::Signal(Wish::HangUp)) => Ok(()),
            Some(Stop::Signal(Wish::Interrupt | Wish::Terminate)) | None => render.show(event),
        };
        match (written, self.end_by(event)) {
            (Ok(()), Some(end)) => Seen::End(end),
            // The turn is over, but whoever waits for its message has not got it.
            (Err(error), Some(_)) => Seen::End(unwritten(error)),
            (Err(error), None) => Seen::Unwritten(error),
            (Ok(()), None) => Seen::More,
        }
    }

    fn end_by(&mut self, event: &Event) -> Option<End> {
        match &event.body {
            EventBody::TurnCompleted { .. } => Some(self.stopped().unwrap_or(End::Completed)),
            EventBody::TurnFailed { message } => Some(self.stopped().unwrap_or_else(|| End::Failed(message.clone()))),
            EventBody::TurnPaused { message } => Some(self.stopped().unwrap_or_else(|| End::Paused(message.clone()))),
            EventBody::TurnInterrupted => Some(self.stopped().unwrap_or(End::Interrupted(None))),
            _ => None,
        }
    }

    /// What the reason for stopping makes of the end, however the turn itself ended.
    fn stopped(&mut self) -> Option<End> {
        Some(match self.stop.take()? {
            Stop::Signal(wish) => End::Interrupted(Some(wish)),
            Stop::Output(error) => unwritten(error),
        })
    }

    fn stop_for(&mut self, stop: Stop) {
        self.stop = Some(stop);
        self.deadline = Some(Instant::now() + INTERRUPT_GRACE);
    }

    async fn patience(&self) {
        match self.deadline {
            Some(deadline) => tokio::time::sleep_until(deadline).await,
            None => std::future::pending().await,
        }
    }

    fn give_up(&mut self) -> Ended {
        let end = self.stopped().unwrap_or(End::Interrupted(None));
        std::mem::take(self).ended(end)
    }

    fn ended(self, end: End) -> Ended {
        Ended { end, last_message: self.last_message }
    }
}

fn unwritten(error: io::Error) -> End {
    if error.kind() == io::ErrorKind::BrokenPipe { End::Unread } else { End::Unwritten(error) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::fixture;

    /// Shows nothing, or fails to.
    struct Screen(Option<io::ErrorKind>);

    impl Render for Screen {
        fn show(&mut self, _: &Event) -> io::Result<()> {
            self.0.map_or(Ok(()), |kind| Err(kind.into()))
        }
    }

    fn end_of(body: EventBody, stop: Option<Stop>) -> End {
        let mut watch = Watch { stop, ..Watch::default() };
        match watch.see(&fixture::events(vec![body])[0], &mut Screen(None)) {
            Seen::End(end) => end,
            Seen::More | Seen::Unwritten(_) => panic!("the turn goes on"),
        }
    }

    #[test]
    fn a_closed_terminal_is_not_written_to_while_the_turn_is_interrupted() {
        let mut watch = Watch { stop: Some(Stop::Signal(Wish::HangUp)), ..Watch::default() };
        let event = &fixture::events(vec![EventBody::TurnInterrupted])[0];
        let seen = watch.see(event, &mut Screen(Some(io::ErrorKind::Other)));
        assert!(matches!(seen, Seen::End(End::Interrupted(Some(Wish::HangUp)))));
    }

    #[test]
    fn what_was_said_last_is_kept() {
        let mut watch = Watch::default();
        let turn = fixture::turn();
        let ends = turn.iter().filter(|event| matches!(watch.see(event, &mut Screen(None)), Seen::End(End::Completed)));
        assert_eq!(ends.count(), 1);
        let ended = watch.ended(End::Completed);
        assert_eq!(ended.last_message.as_deref(), Some("The counter is mended.\nAll tests pass."));
    }

    #[test]
    fn a_turn_that_was_asked_to_stop_is_interrupted_however_it_ended() {
        let failed = || EventBody::TurnFailed { message: "broken".into() };
        assert!(matches!(end_of(failed(), None), End::Failed(message) if message == "broken"));
        let stopped = || Some(Stop::Signal(Wish::Terminate));
        assert!(matches!(end_of(failed(), stopped()), End::Interrupted(Some(Wish::Terminate))));
        assert!(matches!(end_of(EventBody::TurnInterrupted, stopped()), End::Interrupted(Some(Wish::Terminate))));
        assert!(matches!(end_of(EventBody::TurnInterrupted, None), End::Interrupted(None)));
    }

    #[test]
    fn a_reader_that_left_is_told_apart_from_a_full_disk() {
        let stopped = |kind: io::ErrorKind| Some(Stop::Output(kind.into()));
        assert!(matches!(end_of(EventBody::TurnInterrupted, stopped(io::ErrorKind::BrokenPipe)), End::Unread));
        assert!(matches!(end_of(EventBody::TurnInterrupted, stopped(io::ErrorKind::StorageFull)), End::Unwritten(_)));
        let turn = fixture::turn();
        let broken = &mut Screen(Some(io::ErrorKind::BrokenPipe));
        assert!(matches!(Watch::default().see(&turn[0], broken), Seen::Unwritten(_)));
        assert!(matches!(Watch::default().see(&turn[turn.len() - 1], broken), Seen::End(End::Unread)));
    }
}
