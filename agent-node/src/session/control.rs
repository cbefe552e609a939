//! The actor's connection to its holder: commands go out, and the end is heard.
//!
//! It never attaches, so it does not count as an owner: a session whose coordinators are all gone must run out of its ownerless time
//! although the node is there.

use crate::session::link::{self, LinkError, Reader, Writer};
use crate::session::message::{Done, SessionMsg, said};
use capstan_types::control::{Report, Request};
use ractor::ActorRef;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::net::UnixStream;
use tokio::sync::mpsc;

/// Commands that may wait to be sent. Full: the command is refused as busy.
pub(crate) const COMMANDS: usize = 32;

/// How often a connection is made anew before the holder is given up.
const ATTEMPTS: u32 = 5;

/// The wait before a connection is made anew.
const BETWEEN_ATTEMPTS: Duration = Duration::from_millis(100);

/// A request, and whom to tell that it has been sent.
#[derive(Debug)]
pub(crate) struct Command {
    pub(crate) request: Request,
    pub(crate) reply: Option<Done>,
}

/// How a connection came to its end.
enum Over {
    /// The end of the session was heard, or the actor is gone.
    Finished,
    /// It broke.
    Broken(String),
}

/// Serves `commands` and tells `actor` of the end, until the holder has gone: on the connection by which the session was asked for, if
/// there is one, or else by `socket`.
pub(crate) async fn serve(
    mut first: Option<UnixStream>,
    socket: PathBuf,
    mut commands: mpsc::Receiver<Command>,
    actor: ActorRef<SessionMsg>,
) {
    let mut reason = String::new();
    for attempt in 0..ATTEMPTS {
        if attempt > 0 {
            tokio::time::sleep(BETWEEN_ATTEMPTS).await;
        }
        let link = match first.take() {
            Some(first) => Ok(link::over(first)),
            None => listen(&socket).await,
        };
        let over = match link {
            Ok((reader, writer)) => converse(reader, writer, &mut commands, &actor).await,
            Err(error) => Over::Broken(error.to_string()),
        };
        match over {
            Over::Finished => return,
            Over::Broken(why) => reason = why,
        }
    }
    let _ = actor.cast(SessionMsg::ControlLost(reason));
}

/// A new connection. A holder tells the end to those who have asked for something, so it is asked for what has no effect.
async fn listen(socket: &Path) -> Result<(Reader, Writer), LinkError> {
    let (reader, mut writer) = link::connect(socket).await?;
    writer.send(&Request::Signal(0)).await?;
    Ok((reader, writer))
}

async fn converse(
    mut reader: Reader,
    mut writer: Writer,
    commands: &mut mpsc::Receiver<Command>,
    actor: &ActorRef<SessionMsg>,
) -> Over {
    let mut ended = false;
    loop {
        tokio::select! {
            command = commands.recv() => match command {
                None => return Over::Finished,
                Some(command) => {
                    if let Err(error) = send(&mut writer, command).await
                        && !ended
                    {
                        return Over::Broken(error.to_string());
                    }
                }
            },
            report = reader.next() => match report {
                Ok(Some(Report::Ended(end))) => {
                    ended = true;
                    let _ = actor.cast(SessionMsg::Ended(end));
                }
                Ok(Some(Report::InputClosed)) => {
                    let _ = actor.cast(SessionMsg::InputClosed);
                }
                Ok(Some(Report::Output(_) | Report::Hello { .. } | Report::Denied(_))) => {}
                Ok(None) | Err(_) if ended => return Over::Finished,
                Ok(None) => return Over::Broken("the holder closed it".to_owned()),
                Err(error) => return Over::Broken(error.to_string()),
            },
        }
    }
}

async fn send(writer: &mut Writer, command: Command) -> Result<(), LinkError> {
    let sent = writer.send(&command.request).await;
    if let Some(reply) = command.reply {
        let _ = reply.send(said(&sent));
    }
    sent
}
