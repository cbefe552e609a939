//! A session on a terminal, on this terminal.

use super::super::place::refused;
use super::super::recording::Recording;
use super::Left;
use super::input::Typist;
use super::screen::Screen;
use crate::client::{Session, SessionEvents};
use crate::failure::{Exit, Failure};
use crate::signals::{Signals, Wish};
use crate::terminal::{self, DetachKeys, Raw, Scan, Scanner, keys};
use capstan_types::session::SessionEvent;
use std::io::{self, Write};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// What leaves a session that is not written to, besides the detach keys.
const CTRL_C: u8 = 3;

/// Shows the session until it ends or the person leaves.
pub(super) async fn watch(
    session: Session,
    mut events: SessionEvents,
    detach: DetachKeys,
    write: bool,
    screen: &mut Screen,
    recording: &mut Recording,
) -> Result<Left, Failure> {
    let listened = |error: io::Error| Failure::bad_input(format!("signals cannot be listened to: {error}"));
    let mut signals = Signals::listen().map_err(listened)?;
    let mut resized = signal(SignalKind::window_change()).map_err(listened)?;
    let mut scanner = Scanner::new(detach);
    let raw = Raw::enter().map_err(|error| Failure::bad_input(format!("this terminal cannot be used: {error}")))?;
    let mut typed = keys::read();
    let mut typist = if write { Typist::new(session.clone()) } else { Typist::idle() };
    let mut sizes = write.then(|| Sizes { session, now: true });
    let left = loop {
        tokio::select! {
            event = events.next() => match event.map_err(|error| refused(&error)) {
                Ok(SessionEvent::Ended { end, .. }) => break Ok(Left::Ended(end)),
                Ok(SessionEvent::Output(piece)) => {
                    recording.piece(&piece)?;
                    if screen.show(&piece).is_err() {
                        // The terminal is gone.
                        break Ok(Left::Detached(Exit::HungUp));
                    }
                }
                Ok(SessionEvent::Denied(_) | SessionEvent::Started { .. }) => {}
                Err(failure) => break Err(failure),
            },
            piece = typed.recv() => match piece {
                None => break Ok(Left::Detached(Exit::HungUp)),
                Some(piece) => match scanner.scan(&piece) {
                    Scan::Leave => break Ok(Left::Detached(Exit::Success)),
                    Scan::Typed(piece) if !write && piece.contains(&CTRL_C) => break Ok(Left::Detached(Exit::Success)),
                    Scan::Typed(piece) => if !typist.type_in(piece) { ring() },
                },
            },
            Err(error) = typist.over() => break Err(refused(&error)),
            fitted = fit(&mut sizes, &mut resized, recording) => if let Err(failure) = fitted { break Err(failure) },
            wish = signals.next() => break Ok(Left::Detached(match wish {
                Wish::Interrupt => Exit::Success,
                Wish::Terminate => Exit::Terminated,
                Wish::HangUp => Exit::HungUp,
            })),
        }
    };
    drop(raw);
    left
}

/// Whom to tell this terminal's size.
struct Sizes {
    session: Session,
    /// Whether it is to be told without a signal.
    now: bool,
}

/// Tells the session this terminal's size: at once the first time, then when it changes. Without a session to tell it waits for ever.
async fn fit(sizes: &mut Option<Sizes>, resized: &mut Signal, recording: &mut Recording) -> Result<(), Failure> {
    let Some(Sizes { session, now }) = sizes else { return std::future::pending().await };
    if !*now {
        resized.recv().await;
        *now = true;
    }
    let Some(size) = terminal::size() else {
        *now = false;
        return Ok(());
    };
    // Told again when the future is dropped before: a size may be told twice.
    session.resize(size).await.map_err(|error| refused(&error))?;
    *now = false;
    recording.resized(size)
}

/// There is no room for what was typed.
fn ring() {
    let mut out = io::stdout();
    let _ = out.write_all(b"\x07").and_then(|()| out.flush());
}
