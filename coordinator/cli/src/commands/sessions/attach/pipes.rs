//! A session on pipes: its output as it comes, and lines for its input.

use super::super::place::refused;
use super::super::recording::Recording;
use super::Left;
use super::input::Typist;
use super::screen::Screen;
use crate::client::{Session, SessionEvents};
use crate::failure::{Exit, Failure};
use crate::signals::{Signals, Wish};
use crate::terminal::keys;
use capstan_types::session::SessionEvent;
use tokio::sync::mpsc;

/// Shows the session until it ends or the person leaves.
pub(super) async fn watch(
    session: Session,
    mut events: SessionEvents,
    write: bool,
    screen: &mut Screen,
    recording: &mut Recording,
) -> Result<Left, Failure> {
    let mut signals = Signals::listen().map_err(|error| Failure::bad_input(format!("signals cannot be listened to: {error}")))?;
    let mut typist = if write { Typist::new(session) } else { Typist::idle() };
    let mut typed = write.then(keys::read);
    loop {
        tokio::select! {
            event = events.next() => match event.map_err(|error| refused(&error))? {
                SessionEvent::Ended { end, .. } => return Ok(Left::Ended(end)),
                SessionEvent::Output(piece) => {
                    recording.piece(&piece)?;
                    if screen.show(&piece).is_err() {
                        return Ok(Left::Detached(Exit::Success));
                    }
                }
                SessionEvent::Denied(_) | SessionEvent::Started { .. } => {}
            },
            piece = next(&mut typed, typist.door()) => if piece.is_none() {
                typed = None;
                typist.close();
            },
            Err(error) = typist.over() => return Err(refused(&error)),
            wish = signals.next() => return Ok(Left::Detached(match wish {
                Wish::Interrupt => Exit::Success,
                Wish::Terminate => Exit::Terminated,
                Wish::HangUp => Exit::HungUp,
            })),
        }
    }
}

/// Hands on what was typed; `None` when nothing more is. Dropping the future loses nothing.
async fn next(typed: &mut Option<mpsc::Receiver<Vec<u8>>>, door: Option<mpsc::Sender<Vec<u8>>>) -> Option<()> {
    let (Some(pieces), Some(door)) = (typed, door) else { return std::future::pending().await };
    // Whoever sends nothing any more has said why.
    let Ok(room) = door.reserve().await else { return std::future::pending().await };
    room.send(pieces.recv().await?);
    Some(())
}
