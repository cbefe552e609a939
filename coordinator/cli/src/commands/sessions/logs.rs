//! `capstan sessions logs`.

use super::ended;
use super::find::{find, is_live};
use super::place::{Place, refused};
use super::proof::{Proof, tell};
use super::recording::{Recording, gap};
use crate::args::LogsArgs;
use crate::client::{Client, SessionEvents};
use crate::failure::{Exit, Failure};
use crate::render::live::{Live, Pass};
use crate::runtime;
use crate::signals::Signals;
use crate::surroundings::Surroundings;
use crate::who::person;
use capstan_types::operator::Person;
use capstan_types::output::seal::Seal;
use capstan_types::output::{Piece, Seq};
use capstan_types::session::SessionEvent;
use std::io::{self, IsTerminal, Write};

pub(super) fn run(args: &LogsArgs, surroundings: &Surroundings) -> Result<Exit, Failure> {
    super::find::prefix(&args.which.id, "session")?;
    let by = person(surroundings)?;
    let place = Place::of(&args.place, surroundings)?;
    runtime::block_on(place.with(async |client| {
        let mut signals =
            Signals::listen().map_err(|error| Failure::bad_input(format!("signals cannot be listened to: {error}")))?;
        tokio::select! {
            shown = show(client, args, by) => shown,
            // Looking away is no failure.
            _ = signals.next() => Ok(Exit::Success),
        }
    }))
}

async fn show(mut client: Client, args: &LogsArgs, by: Person) -> Result<Exit, Failure> {
    let seen = find(&mut client, &args.which).await?;
    let written = seen.listed.output_bytes;
    let until = (!args.follow && is_live(&seen)).then_some(Seq(written));
    if !args.follow && args.from > written {
        return Err(Failure::bad_input(format!(
            "the session has written {written} bytes, and byte {} is behind them",
            args.from
        ))
        .hint("--follow waits for more"));
    }
    let mut recording = Recording::begin(args.cast.as_deref(), &seen, None)?;
    let (session, from) = (client.session(seen.name(), by), Seq(args.from));
    let events = if args.all { session.whole_events(from).await } else { session.events(from).await };
    let mut events = events.map_err(|error| refused(&error))?;
    let mut paper = Paper::new(args.clean || (!args.raw && io::stdout().is_terminal()));
    let mut proof = Proof::of(args);
    let shown = replay(&mut events, from, until, &mut paper, &mut recording, &mut proof).await;
    recording.end()?;
    match shown? {
        Shown::Enough => Ok(Exit::Success),
        Shown::Running => proof.running(),
        Shown::Ended(seal) => proof.ended(seal.as_deref()),
    }
}

/// How far it was printed.
enum Shown {
    /// As far as somebody read it.
    Enough,
    /// As far as it has come.
    Running,
    /// To its end.
    Ended(Option<Box<Seal>>),
}

async fn replay(
    events: &mut SessionEvents,
    mut next: Seq,
    until: Option<Seq>,
    paper: &mut Paper,
    recording: &mut Recording,
    proof: &mut Proof,
) -> Result<Shown, Failure> {
    while until.is_none_or(|until| next < until) {
        match events.next().await.map_err(|error| refused(&error))? {
            SessionEvent::Output(piece) => {
                next = piece.end();
                recording.piece(&piece)?;
                proof.piece(&piece);
                match paper.piece(&piece) {
                    Ok(()) => {}
                    // Whoever stops reading has seen enough.
                    Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(Shown::Enough),
                    Err(error) => return Err(Failure::failed(format!("standard output cannot be written: {error}"))),
                }
            }
            SessionEvent::Ended { end, seal } => {
                paper.end();
                tell(&format!("the session has ended: {}", ended::how(&end)));
                return Ok(Shown::Ended(seal));
            }
            SessionEvent::Denied(_) | SessionEvent::Started { .. } => {}
        }
    }
    paper.end();
    Ok(Shown::Running)
}

/// Where logs are written: cleaned for people, or byte for byte.
struct Paper {
    clean: Option<Live>,
}

impl Paper {
    fn new(clean: bool) -> Self {
        Self { clean: clean.then(|| Live::new(Pass::Text)) }
    }

    fn piece(&mut self, piece: &Piece) -> io::Result<()> {
        let mut out = io::stdout().lock();
        match (piece, &mut self.clean) {
            (Piece::Bytes { bytes, .. }, None) => out.write_all(bytes)?,
            (Piece::Bytes { bytes, .. }, Some(live)) => out.write_all(&live.show(bytes))?,
            // Not among the bytes, which are to be exact.
            (Piece::Gap { bytes, .. }, None) => tell(&format!("[{}]", gap(piece, *bytes))),
            (Piece::Gap { bytes, .. }, Some(live)) => {
                let start = if live.at_line_start() { "" } else { "\n" };
                writeln!(out, "{start}[{}]", gap(piece, *bytes))?;
                // A sequence that was torn by the gap has no end.
                *live = Live::new(Pass::Text);
            }
        }
        out.flush()
    }

    /// A person's prompt begins on a line of its own.
    fn end(&mut self) {
        if self.clean.as_ref().is_some_and(|live| !live.at_line_start()) {
            let mut out = io::stdout().lock();
            let _ = out.write_all(b"\n").and_then(|()| out.flush());
        }
    }
}
