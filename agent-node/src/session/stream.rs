//! What one reader sees of a session.
//!
//! Each reader has its own connection to the holder, which sends only as fast as the reader takes: nothing piles up in the node, and a
//! reader that is too slow finds a gap where the holder's own caps made it drop the middle. Dropping the stream closes the connection,
//! by which the holder knows that an owner has gone. Invariant: after the end comes nothing, and a stream that breaks before says so.

use crate::error::NodeError;
use crate::session::link::{self, LinkError, Reader, Writer};
use crate::session::message::{SessionDoor, SessionMsg};
use crate::session::metrics::Open;
use crate::session::pace::Pace;
use crate::session::spooled::Spooled;
use crate::session::viewers::ReaderKind;
use capstan_runtime::actors::ask;
use capstan_types::control::{Report, Request, VERSION, Wants};
use capstan_types::launch::SessionEnd;
use capstan_types::output::seal::Seal;
use capstan_types::output::{Piece, Seq};
use capstan_types::session::SessionEvent;
use futures::Stream;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// How long to wait for the end of a session whose holder has gone: it is read from a file.
const END_DEADLINE: Duration = Duration::from_secs(5);

/// Where a reader begins.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Opening {
    /// With what started, for who asked for the start.
    Started,
    /// With the output.
    Output,
}

enum Phase {
    Opening,
    Connecting,
    /// The writer is kept because half a connection would look like a reader that has gone.
    Reading {
        reader: Reader,
        _writer: Writer,
    },
    /// The holder has gone: the rest comes from its files, then the end.
    Spooled(Box<Spooled>, SessionEnd),
    Over,
}

struct Reading {
    door: SessionDoor,
    from: Seq,
    whole: bool,
    kind: ReaderKind,
    /// What the holder has said of what it kept.
    seal: Option<Box<Seal>>,
    phase: Phase,
    stopping: CancellationToken,
    open: Open,
    pace: Pace,
}

/// What of the output a reader wants.
#[derive(Debug)]
pub(crate) struct Wanted {
    /// The first byte.
    pub(crate) from: Seq,
    /// Also what was kept whole.
    pub(crate) whole: bool,
    /// For whom.
    pub(crate) reader: ReaderKind,
}

/// The events of a session, with what is `wanted` of its output. It ends with [`NodeError::Stopping`] when `stopping` is cancelled.
pub(crate) fn events(
    door: SessionDoor,
    wanted: Wanted,
    opening: Opening,
    stopping: CancellationToken,
) -> impl Stream<Item = Result<SessionEvent, NodeError>> + Send {
    let phase = match opening {
        Opening::Started => Phase::Opening,
        Opening::Output => Phase::Connecting,
    };
    let Wanted { from, whole, reader: kind } = wanted;
    let reading =
        Reading { door, from, whole, kind, seal: None, phase, stopping, open: Open::now(), pace: Pace::new(Instant::now()) };
    futures::stream::unfold(reading, |mut reading| async move {
        let event = reading.next().await?;
        Some((event, reading))
    })
}

impl Reading {
    async fn next(&mut self) -> Option<Result<SessionEvent, NodeError>> {
        match self.phase {
            Phase::Over => return None,
            Phase::Opening => {
                self.phase = Phase::Connecting;
                let enforced = (*self.door.enforced).clone();
                return Some(Ok(SessionEvent::Started { session: self.door.session, enforced }));
            }
            Phase::Connecting | Phase::Reading { .. } | Phase::Spooled(..) => {}
        }
        let stopping = self.stopping.clone();
        let event = tokio::select! {
            // First, so that a session that never falls silent cannot keep the node from stopping.
            biased;
            () = stopping.cancelled() => Err(NodeError::Stopping),
            event = self.read() => event,
        };
        if !matches!(event, Ok(SessionEvent::Output(_) | SessionEvent::Denied(_))) {
            self.phase = Phase::Over;
        }
        event.iter().for_each(|event| self.open.sent(event));
        Some(event)
    }

    async fn read(&mut self) -> Result<SessionEvent, NodeError> {
        if let Some(rest) = self.pace.rest(Instant::now()) {
            tokio::time::sleep(rest).await;
        }
        if let Phase::Spooled(..) = self.phase {
            return self.spooled().await;
        }
        let mut report = self.report().await;
        if let Ok(Some(Report::Sealed(seal))) = report {
            self.seal = Some(seal);
            report = self.report().await;
        }
        match report {
            Ok(Some(Report::Output(piece))) => Ok(self.output(piece)),
            Ok(Some(Report::Denied(denial))) => Ok(SessionEvent::Denied(denial)),
            Ok(Some(Report::Ended(end))) => {
                self.door.writes.over();
                // Told before the reader is, so that a release that the reader sends at once finds the session ended.
                let _ = self.door.actor.cast(SessionMsg::Ended(end.clone()));
                Ok(SessionEvent::Ended { end, seal: self.seal.take() })
            }
            Ok(Some(Report::Hello { .. } | Report::InputClosed | Report::Sealed(_))) | Ok(None) => {
                self.end_without_holder("it closed the connection").await
            }
            Err(error) => self.end_without_holder(&error.to_string()).await,
        }
    }

    async fn report(&mut self) -> Result<Option<Report>, LinkError> {
        if let Phase::Connecting = self.phase {
            let (reader, mut writer) = link::connect(&self.door.socket).await?;
            let wants = Wants { seal: true, whole: self.whole, looks: matches!(self.kind, ReaderKind::Viewer { .. }) };
            writer.send(&Request::Attach { version: VERSION, from: self.from, wants }).await?;
            self.phase = Phase::Reading { reader, _writer: writer };
        }
        match &mut self.phase {
            Phase::Reading { reader, .. } => reader.next().await,
            Phase::Opening | Phase::Connecting | Phase::Spooled(..) | Phase::Over => Ok(None),
        }
    }

    fn output(&mut self, piece: Piece) -> SessionEvent {
        if let Piece::Bytes { bytes, .. } = &piece {
            self.pace.gave(Instant::now(), bytes.len() as u64);
        }
        self.from = piece.end();
        SessionEvent::Output(piece)
    }

    async fn spooled(&mut self) -> Result<SessionEvent, NodeError> {
        let Phase::Spooled(spooled, end) = &self.phase else { return Err(NodeError::HolderLost(String::new())) };
        match spooled.read(self.from, self.whole).await {
            Some(piece) => Ok(self.output(piece)),
            None => Ok(SessionEvent::Ended { end: end.clone(), seal: spooled.seal().map(Box::new) }),
        }
    }

    /// The holder is not there: the session's actor knows, or finds out, how it ended.
    async fn end_without_holder(&mut self, why: &str) -> Result<SessionEvent, NodeError> {
        match ask(&self.door.actor, END_DEADLINE, |reply| SessionMsg::AwaitEnd { reply }).await {
            Ok(end) => match Spooled::open_soon(self.door.dir().to_owned()).await {
                Some(spooled) => {
                    self.phase = Phase::Spooled(Box::new(spooled), end);
                    self.spooled().await
                }
                None => Ok(SessionEvent::Ended { end, seal: None }),
            },
            Err(capstan_runtime::actors::AskError::Stopped) => Err(NodeError::NoSession(self.door.session)),
            Err(_) => Err(NodeError::HolderLost(why.to_owned())),
        }
    }
}
